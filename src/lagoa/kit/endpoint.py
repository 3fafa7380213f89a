"""Reads a server's address out of a connection URI, and keeps its password out of every message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, quote_plus, unquote

from lagoa.spec.secret import Secret

_HOSTS = re.compile(
    r"(?:(?:[\w.~%-]*|\[[0-9a-fA-F:.%]+\])(?::\d{1,5})?)(?:,(?:[\w.~%-]*|\[[0-9a-fA-F:.%]+\])(?::\d{1,5})?)*"
)
_SECRET_OPTIONS = ("password", "sslpassword")
_SHORT = 4


@dataclass(frozen=True)
class Endpoint:
    """A connection URI in parts. `str()` names the server without its password."""

    scheme: str
    hosts: str
    database: str
    user: str | None
    password: str | None = field(repr=False)
    options: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, secret: Secret, schemes: Sequence[str]) -> Endpoint:
        """Read `scheme://user:password@host:port/database?option=value`.

        An `@` in the password needs no encoding, other special characters do. Raises ValueError, which says nothing
        of the text itself: what does not parse may be a password in the wrong place.
        """
        scheme, found, rest = secret.reveal().strip().partition("://")
        if not found or scheme not in schemes:
            raise ValueError(f"it is not a URI that begins with {schemes[0]}://")
        path, _, query = rest.partition("?")
        authority, _, database = path.partition("/")
        userinfo, at, hosts = authority.rpartition("@")
        if not _HOSTS.fullmatch(hosts) or "/" in database:
            raise ValueError(
                "its host and port cannot be told from the password; write special characters of the "
                "password as percent codes (/ is %2F, ? is %3F, # is %23, % is %25)"
            )
        user, colon, password = userinfo.partition(":")
        return cls(
            scheme=scheme,
            hosts=hosts,
            database=unquote(database),
            user=unquote(user) if at and user else None,
            password=unquote(password) if colon else None,
            options=dict(parse_qsl(query, keep_blank_values=True)),
        )

    def uri(self, defaults: Mapping[str, str]) -> str:
        """Write the URI for the driver, password included; the user's own options win over `defaults`."""
        userinfo = quote(self.user, safe="") if self.user is not None else ""
        if self.password is not None:
            userinfo += ":" + quote(self.password, safe="")
        options = "&".join(f"{k}={quote(v, safe='')}" for k, v in {**defaults, **self.options}.items())
        return (
            f"{self.scheme}://{userinfo}{'@' if userinfo else ''}{self.hosts}/{quote(self.database, safe='')}?{options}"
        )

    def __str__(self) -> str:
        hosts = self.hosts or self.options.get("host", "localhost")
        return f"{hosts}/{self.database}" + (f" as {self.user}" if self.user else "")

    def redact(self, text: str) -> str:
        """Return the text with every spelling of the password replaced by `***`."""
        for secret in sorted(set(self._secrets()), key=len, reverse=True):
            if len(secret) < _SHORT:
                text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
            else:
                text = text.replace(secret, "***")
        return text

    def _secrets(self) -> Iterator[str]:
        for value in (self.password, *(self.options.get(name) for name in _SECRET_OPTIONS)):
            if value:
                yield from (value, quote(value), quote(value, safe=""), quote_plus(value), repr(value)[1:-1])
