"""What `lagoa show --search` writes: the tables in which words were found, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lagoa.cli import screen
from lagoa.cli.settings import Settings
from lagoa.errors import CommandError

if TYPE_CHECKING:
    from lagoa.app import Project
    from lagoa.catalog.search import Hit, Match

SHOWN = 20
"""So many tables are shown to a person; `--json` gives all."""


def show_search(settings: Settings, project: Project, words: Sequence[str], as_json: bool) -> None:
    """Write the tables in which every word stands somewhere, the best first."""
    from lagoa.catalog.search import search

    if not any(word.strip() for word in words):
        raise CommandError("LG-601", "--search needs words", hint="lagoa show --search revenue state")
    found = search(project.project, project.lake, words)
    if as_json:
        screen.out_json([hit.to_json() for hit in found.hits])
        return
    if not found.hits:
        meant = f"; did you mean `{found.meant}`?" if found.meant else ""
        screen.out(f"No table has {'it' if len(words) == 1 else 'all of them'}{meant}")
        return
    for i, hit in enumerate(found.hits[:SHOWN]):
        if i:
            screen.out()
        _write(hit)
    if len(found.hits) > SHOWN:
        screen.out(f"\n… and {screen.some(len(found.hits) - SHOWN, 'more table', 'more tables')}; --json gives all")
    screen.following(settings, (f"lagoa show {found.hits[0].table}", "the first of them"))


def _write(hit: Hit) -> None:
    name = next((_marked(m) for m in hit.matches if m.field.where == "name"), str(hit.table))
    screen.out(f"{name}  {screen.dim(hit.kind)}")
    columns = [_marked(m) for m in hit.matches if m.field.where == "column"]
    if columns:
        screen.out(f"  {'column' if len(columns) == 1 else 'columns'} {', '.join(columns)}")
    for match in hit.matches:
        if match.field.where not in ("name", "column"):
            about = match.field.column if match.field.where == "column description" else match.field.where
            screen.out(f"  {about}: {_marked(match)}")


def _marked(match: Match) -> str:
    text, at, parts = match.field.text, 0, []
    for begin, end in match.spans:
        parts += [text[at:begin], screen.bold(text[begin:end])]
        at = end
    return "".join([*parts, text[at:]])
