"""Secrets come back in drivers' words, escaped in many ways; here every spelling becomes `***`."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

HIDDEN = "***"
_SHORT = 4
_DSN_PASSWORD = re.compile(r"""(?i)\b(?:password|pwd|passwd|token|secret)\s*=\s*(?:'((?:[^'\\]|\\.)+)'|([^\s;&'"]+))""")


class Redactor:
    """Call it with a text to get the text without secrets.

    Each secret is looked for as it is, URL-encoded, JSON-escaped, HTML-escaped, as Python shows it, and in
    base64 at any offset. A connection string's password and the lines of a key are secrets by themselves.
    A secret shorter than four characters is hidden only where it stands as a whole word.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        whole = {part for secret in secrets for part in _parts(secret)}
        forms = {form for secret in whole if len(secret) >= _SHORT for form in _spellings(secret)}
        found = [re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form))]
        found += [rf"(?<!\w){re.escape(secret)}(?!\w)" for secret in sorted(whole) if len(secret) < _SHORT]
        self._pattern = re.compile("|".join(found)) if found else None

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by `***`."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text

    def __repr__(self) -> str:
        return "Redactor(***)"


def _parts(secret: str) -> Iterator[str]:
    stripped = secret.strip()
    if not stripped:
        return
    yield secret
    yield stripped
    if "\n" in stripped:
        yield from (line.strip() for line in stripped.splitlines() if len(line.strip()) >= 8)
    for quoted, bare in _DSN_PASSWORD.findall(stripped):
        yield quoted or bare
    password = _url_password(stripped)
    if password:
        yield from (password, unquote(password))


def _url_password(text: str) -> str | None:
    try:
        return urlsplit(text).password
    except ValueError:
        return None


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    for url in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield url
        yield re.sub(r"%[0-9A-F]{2}", lambda hexed: hexed[0].lower(), url)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield html.escape(secret)
    yield repr(secret)[1:-1]
    yield repr(secret.encode())[2:-1]
    yield from _in_base64(secret.encode())


def _in_base64(secret: bytes) -> Iterator[str]:
    """Give the characters that depend on the secret alone, for each of three offsets."""
    for before in range(3):
        first = (before * 8 + 5) // 6
        last = (before + len(secret)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            inner = encode(b"\0" * before + secret).decode()[first:last]
            if len(inner) >= 6:
                yield inner
