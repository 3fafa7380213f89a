"""`lagoa init --from`: what exists is looked at, and a source that reads it is written, with its reasons."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from lagoa.cli import screen
from lagoa.cli.settings import Settings
from lagoa.errors import CommandError, ProjectErrors
from lagoa.project.load import load
from lagoa.project.tree import PROJECT_FILE
from lagoa.propose.origin import look, shown
from lagoa.propose.preset import TO_FILL_IN
from lagoa.propose.proposal import Proposal
from lagoa.propose.proposed import Proposed, Stream

_LEFT_OUT = 10
"""How many files that were left out are shown; the source's file names more."""


def from_what_exists(settings: Settings, folder: Path, origin: str, as_json: bool) -> bool:
    """Write sources for what `origin` names into a new project, or into one that is there; say whether it is new."""
    new = not (folder / PROJECT_FILE).exists()
    taken = [] if new else [path.stem for path in (folder / "sources").glob("*.yml")]
    found = look(origin, folder, taken)
    proposal = Proposal(files={f"sources/{s.name}.yml": s.text() for s in found.sources})
    if new:
        proposal.files[PROJECT_FILE] = "name: project\n"
    proposal.write(folder)
    _keep(folder, found.secrets)
    _load(folder, proposal)
    streams = screen.some(sum(len(s.streams) for s in found.sources), "stream")
    made = f"{folder}/" if new else " and ".join(str(folder / "sources" / f"{s.name}.yml") for s in found.sources)
    screen.say(settings, f"Made {made} from {shown(origin)}: {streams}.")
    for secret, value in found.secrets.items():
        kept = "Fill in" if value == TO_FILL_IN else "The address is kept as"
        screen.say(settings, f"{kept} {secret} in .env, which git does not see.")
    if as_json:
        screen.out_json({"sources": [source.to_json() for source in found.sources]})
    else:
        _show(found.sources)
    return new


def _keep(folder: Path, secrets: Mapping[str, str]) -> None:
    """Keep secrets where only the owner reads them and git does not look."""
    if not secrets:
        return
    place = folder / ".env"
    place.touch(mode=0o600)
    text = place.read_text(encoding="utf-8")
    lines = "".join(f"{name.upper()}={json.dumps(value, ensure_ascii=False)}\n" for name, value in secrets.items())
    place.write_text(f"{text}{lines}" if not text or text.endswith("\n") else f"{text}\n{lines}", encoding="utf-8")


def follow(settings: Settings, folder: Path, new: bool) -> None:
    """Name the next commands."""
    inside = [(f"cd {folder}", "")] if folder.resolve() != Path.cwd() else []
    said = [*inside, ("lagoa run", "read the files, build every table")]
    screen.following(settings, *said, ("lagoa show", "what there is then") if new else ("lagoa plan", "or look first"))


def _load(folder: Path, proposal: Proposal) -> None:
    """Load the project: what is proposed must be one."""
    try:
        load(folder)
    except ProjectErrors as errors:
        if any(e.place is None or e.place.file in proposal.files for e in errors.errors):
            raise
        hint = "what is proposed is written; `lagoa validate` tells what is wrong with the other files"
        raise CommandError(errors.code, errors.message, hint=hint) from errors


def _show(sources: Sequence[Proposed]) -> None:
    headers = ("stream", "reads", "rows seen", "columns", "key", "personal")
    rows = [_row(source, stream, several=len(sources) > 1) for source in sources for stream in source.streams]
    screen.table(headers, rows, right=(2, 3), whole=(0, 1))
    left_out = [left for source in sources for left in source.left_out]
    if left_out:
        screen.out()
        screen.out(f"Left out ({len(left_out)}):")
        for name, why in left_out[:_LEFT_OUT]:
            screen.out(f"  {name}: {why}")
        if len(left_out) > _LEFT_OUT:
            screen.out(f"  … and {len(left_out) - _LEFT_OUT:,} more")
    screen.out()
    files = " and ".join(f"sources/{source.name}.yml" for source in sources)
    screen.out(f"The reasons stand beside what it says in {files}; correct what is wrong.")


def _row(source: Proposed, stream: Stream, several: bool) -> tuple[str | None, ...]:
    key = stream.said.get("key") or ""
    reads = str(stream.said.get("path", stream.said.get("table", "")))
    if member := stream.said.get("member"):
        reads = f"{reads}!{member}"
    if stream.files > 1:
        reads = f"{reads} ({stream.files:,})"
    return (
        f"{source.name}.{stream.name}" if several else stream.name,
        reads,
        screen.number(stream.rows if stream.files else None),
        screen.number(stream.width),
        key if isinstance(key, str) else ", ".join(key),
        ", ".join(stream.personal),
    )
