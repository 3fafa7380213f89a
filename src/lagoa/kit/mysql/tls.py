"""Whether a connection to MySQL is encrypted, and who may answer it: `ssl_mode`, in the words of MySQL's own client."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

OPTIONS = ("ssl_mode", "ssl_ca", "ssl_cert", "ssl_key")
_MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
_VERIFYING = ("verify_ca", "verify_identity")


def mode_of(options: Mapping[str, str]) -> str:
    """Return the mode that is meant, in lower case. Raises ValueError when the options do not go together.

    Without one, `ssl_ca` asks for `verify_ca`, a certificate of the user's own for `required`.
    """
    given = "verify_ca" if "ssl_ca" in options else "required" if "ssl_cert" in options else "preferred"
    mode = options.get("ssl_mode", given).lower().replace("-", "_")
    if mode not in _MODES:
        raise ValueError(f"`ssl_mode` is one of {', '.join(_MODES)}")
    if "ssl_ca" in options and mode not in _VERIFYING:
        raise ValueError(f"`ssl_ca` goes with {' or '.join(f'ssl_mode={m}' for m in _VERIFYING)}")
    if "ssl_key" in options and "ssl_cert" not in options:
        raise ValueError("`ssl_key` goes with `ssl_cert`")
    if "ssl_cert" in options and mode in ("disabled", "preferred"):
        raise ValueError("`ssl_cert` needs ssl_mode=required, or one that verifies")
    return mode


def driver_options(options: Mapping[str, str]) -> dict[str, Any]:
    """Return what the driver is told. Raises OSError when a certificate cannot be read.

    The driver's own options verify nothing when a certificate authority is named alone, so it gets a context.
    """
    mode = mode_of(options)
    if mode == "disabled":
        return {"ssl_disabled": True}
    if mode == "preferred":
        return {}
    context = ssl.create_default_context(cafile=options.get("ssl_ca"))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # certificates that MySQL makes itself lack what that asks for
    context.check_hostname = mode == "verify_identity"
    context.verify_mode = ssl.CERT_REQUIRED if mode in _VERIFYING else ssl.CERT_NONE
    if "ssl_cert" in options:
        context.load_cert_chain(options["ssl_cert"], options.get("ssl_key"))
    return {"ssl": context}
