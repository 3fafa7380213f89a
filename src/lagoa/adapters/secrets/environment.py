"""Secrets from the environment: what a laptop's .env, a container and a CI job all can set."""

from __future__ import annotations

from collections.abc import Mapping

from lagoa.ports import SecretStore


class Environment(SecretStore):
    """Looks for `erp_url` in LAGOA_SECRET_ERP_URL, then in ERP_URL."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def find(self, name: str) -> str | None:
        """Return the first of the variables that is set and not empty."""
        return next((self._environ[v] for v in _variables(name) if self._environ.get(v)), None)

    def where(self, name: str) -> str:
        """Name the variables, in the order in which they are tried."""
        return "environment variable " + " or ".join(_variables(name)) + " (of the process, then of .env)"


def _variables(name: str) -> tuple[str, str]:
    plain = "".join(c if c.isalnum() else "_" for c in name).upper()
    return f"LAGOA_SECRET_{plain}", plain


Adapter = Environment
