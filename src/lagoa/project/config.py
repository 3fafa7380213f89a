"""Where settings come from: the environment wins over .env, and both over lagoa.yml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lagoa.errors import Place, ProjectError
from lagoa.project.yaml import Document, Where

PREFIX = "LAGOA__"
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


def environment(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Join the process's environment with the project's .env; the process wins.

    Raises ProjectError LG-104 for a line of .env that is not NAME=value.
    """
    path = root / ".env"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return dict(environ)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ProjectError("LG-104", f".env cannot be read: {reason}", place=Place(".env")) from None
    return {**read_dotenv(text), **environ}


def read_dotenv(text: str) -> dict[str, str]:
    """Read NAME=value lines: quotes, comments, `export`, values over several lines in quotes.

    Raises ProjectError LG-104. Its place never shows the line, which may hold a secret.
    """
    found: dict[str, str] = {}
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ProjectError("LG-104", "a line of .env is not NAME=value", place=Place(".env", at))
        name, rest = match.groups()
        if rest[:1] in ("'", '"'):
            value, at = _quoted(rest, lines, at)
        else:
            value = re.split(r"\s+#|^#", rest, maxsplit=1)[0].strip()
        found[name] = value
    return found


def _quoted(rest: str, lines: list[str], at: int) -> tuple[str, int]:
    """Read a value in quotes, which may go on over the next lines."""
    quote, first = rest[0], at
    inside = re.compile(r"'([^']*)'\s*(#.*)?" if quote == "'" else r'"((?:[^"\\]|\\.)*)"\s*(#.*)?', re.DOTALL)
    while True:
        match = inside.fullmatch(rest)
        if match:
            text = match[1]
            return (text if quote == "'" else re.sub(r"\\(.)", _unescape, text)), at
        if at >= len(lines):
            raise ProjectError("LG-104", "a quote in .env is never closed", place=Place(".env", first))
        rest += "\n" + lines[at]
        at += 1


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[0])


def override(document: Document, environ: Mapping[str, str]) -> Document:
    """Lay LAGOA__TARGETS__AWS__LAKE=… over lagoa.yml's keys; errors then name the variable as their place."""
    merged: Any = document.value
    variables: dict[Where, str] = {}
    for variable in sorted(v for v in environ if v.startswith(PREFIX)):
        where = tuple(part for part in variable.removeprefix(PREFIX).lower().split("__") if part)
        if where:
            merged, laid_at = _laid(merged, where, environ[variable])
            variables[laid_at] = variable
    return replace(document, value=merged, variables=variables) if variables else document


def _laid(value: Any, where: tuple[str, ...], text: str) -> tuple[dict[str, Any], Where]:
    held = dict(value) if isinstance(value, dict) else {}
    # a target may be called AWS or aws-prod in the file; a variable's name cannot say so
    key = next((k for k in held if k.lower().replace("-", "_") == where[0]), where[0])
    if len(where) == 1:
        held[key] = text
        return held, (key,)
    held[key], below = _laid(held.get(key), where[1:], text)
    return held, (key, *below)
