"""URLs taken apart and put together: what is asked, what may be shown, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

_PORTS = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+(%[0-9a-z]+)?")
_PATH, _QUERY = "/:@!$&'()*+,;=~%-._", "/:@!$&'()*+,;=~%-._?[]"


@dataclass(frozen=True)
class Address:
    """A URL in parts; `host` in ASCII letters, `target` is the path with its query."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read an http or https URL. Raises ValueError, which does not repeat a user or password in it."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("it is not a URL") from None
        if parts.scheme not in _PORTS:
            raise ValueError(f"only http and https are read, not `{parts.scheme}`")
        if not parts.hostname or _UNSAFE.search(url):
            raise ValueError("it is not a URL")
        if "@" in parts.netloc:
            raise ValueError("a user or password stands in it; write them under `auth:`")
        try:
            host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode()
        except UnicodeError:
            host = ""
        if not _HOST.fullmatch(host):
            raise ValueError("its host is no name")
        query = f"?{quote(parts.query, safe=_QUERY)}" if parts.query else ""
        target = (quote(parts.path, safe=_PATH) or "/") + query
        return cls(parts.scheme, host.lower(), port or _PORTS[parts.scheme], target)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Whose it is: credentials go to no other origin."""
        return self.scheme, self.host, self.port


def joined(base: str, reference: str) -> str:
    """Return where a link leads that stands in an answer of `base`, without its fragment."""
    return urljoin(base, reference.strip().replace(" ", "%20")).partition("#")[0]


def under(base: str, path: str) -> str:
    """Return the URL of a path below a base."""
    if not path:
        return base
    parts = urlsplit(base)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/", query="")) + path.lstrip("/")


def with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """Return the URL with query parameters; one that is there already gets the new value."""
    if not parameters:
        return url
    parts = urlsplit(without_parameters(url, parameters))
    added = urlencode(list(parameters.items()))
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))


def without_parameters(url: str, names: Collection[str]) -> str:
    """Return the URL without some query parameters, the others as they are written."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and _name(pair) not in names]
    return urlunsplit(parts._replace(query="&".join(kept)))


def _name(pair: str) -> str:
    found = parse_qsl(pair, keep_blank_values=True)
    return found[0][0] if found else ""


def segment(value: str) -> str:
    """Write a value as one segment of a path: no slash, no dots that lead elsewhere."""
    plain = quote(value, safe="")
    return plain.replace(".", "%2E") if set(value) == {"."} else plain
