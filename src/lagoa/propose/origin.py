"""What `--from` may name: a file, a folder, an address to load a file from, a database; each becomes sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from urllib.parse import unquote, urlsplit

from lagoa.errors import CommandError
from lagoa.kit.http.client import Client
from lagoa.kit.http.exchange import Request
from lagoa.kit.http.guard import Guard
from lagoa.kit.http.limits import Limits
from lagoa.propose.database import propose_tables
from lagoa.propose.files.names import free_source_name
from lagoa.propose.files.source import near, propose_files
from lagoa.propose.openapi.document import document_at
from lagoa.propose.openapi.source import propose_openapi
from lagoa.propose.preset import PRESET, preset_named
from lagoa.propose.proposed import Proposed
from lagoa.spec.secret import Secret

LANDING = "landing"
"""The project's folder into which a file is loaded from an address."""
_LARGEST = 8 << 30
_DATABASES = {"postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


@dataclass
class Found:
    """The sources that are proposed, and the secrets that they refer to, by the variable that holds each."""

    sources: list[Proposed] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)


def shown(origin: str) -> str:
    """Return what may be shown of what `--from` names: a URL without user, password and query."""
    if not _SCHEME.match(origin):
        return origin
    parts = urlsplit(origin)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def look(origin: str, project: Path, taken: Sequence[str] = ()) -> Found:
    """Propose sources for what is named; a file behind an address is loaded into the project's folder.

    Raises CommandError LG-601 when there is nothing to read, SourceError, MissingExtra.
    """
    if origin.startswith(PRESET):
        preset = preset_named(origin.removeprefix(PRESET), taken)
        return Found([preset], preset.secrets)
    scheme = _SCHEME.match(origin)
    if scheme and scheme[1].lower() in _DATABASES:
        return _database(origin, _DATABASES[scheme[1].lower()], project, taken)
    if scheme and scheme[1].lower() in ("http", "https"):
        return _local(_loaded(origin, project), project, taken)
    if scheme:
        known = "http, https, postgresql and mysql are"
        raise CommandError("LG-601", f"`{scheme[1]}://` cannot be looked at", hint=f"{known}; or load it into a folder")
    return _local(Path.cwd() / Path(origin).expanduser(), project, taken)


def _database(url: str, kind: str, project: Path, taken: Sequence[str]) -> Found:
    parts = urlsplit(url)
    name = free_source_name(unquote(parts.path.strip("/")) or parts.hostname or kind, taken)
    written = {"type": kind, "connection": f"${{secret:{name}_url}}"}
    tables = propose_tables(name, {"type": kind, "connection": Secret(url)}, written, project)
    return Found([tables], {f"{name}_url".upper(): url})


def _local(origin: Path, project: Path, taken: Sequence[str]) -> Found:
    if not origin.exists():
        raise CommandError("LG-601", f"there is no {origin}", hint="give `--from` a file, a folder or a URL")
    if (document := document_at(origin)) is not None:
        api, secrets = propose_openapi(document, taken)
        if api.streams:
            return Found([api], secrets)
    files, databases = propose_files(origin, project, taken)
    found = Found([files] if files.streams else [])
    names = [*taken, *(s.name for s in found.sources)]
    for kind, path in databases:
        name = free_source_name(path.stem, names)
        names.append(name)
        given = {"type": kind, "path": near(path, project)}
        found.sources.append(propose_tables(name, {"type": kind, "path": str(path)}, given, project))
    if not found.sources:
        why = "; ".join(f"{name}: {reason}" for name, reason in files.left_out[:3]) or "it holds no files"
        raise CommandError("LG-601", f"nothing in {origin} can be read: {why}", hint="name a folder with data files")
    if not files.streams:
        found.sources[0].left_out += files.left_out
    return found


def _loaded(url: str, project: Path) -> Path:
    """Load the file behind an address into the project's landing folder."""
    name = re.sub(r"[^\w.\- ]", "_", unquote(urlsplit(url).path.rpartition("/")[2])) or "data"
    place = Path.cwd() / project / LANDING / name.lstrip(".")
    place.parent.mkdir(parents=True, exist_ok=True)
    limits = Limits(total=3600, page=_LARGEST)
    # whoever types an address means it; what it redirects to is judged all the same
    host = urlsplit(url).hostname or ""
    client = Client(url, Guard(private=True, named=frozenset((host,))), limits, Event())
    try:
        answer = client.fetch(Request(url, into=lambda: place, name=shown(url)))
    except ValueError as error:
        raise CommandError("LG-601", f"{shown(url)} cannot be loaded: {error}") from error
    finally:
        client.close()
    if answer.path is None:
        place.write_bytes(answer.body)
    return place
