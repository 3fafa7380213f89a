"""`lagoa init --from-dbt`: a dbt project becomes a new project, and what became of it is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lagoa.cli import screen
from lagoa.cli.settings import Settings
from lagoa.errors import CommandError, did_you_mean
from lagoa.propose.dbt.translate import propose
from lagoa.propose.proposal import REPORT, TITLES, Proposal, Sort
from lagoa.sql.transpile import DIALECTS

_SHOWN: dict[Sort, int] = {"decided": 20, "sql": 20}
"""How many notes of a sort are shown; the report holds all."""


def from_project(
    settings: Settings,
    folder: Path,
    source: Path,
    dialect: str | None,
    layers: Sequence[str],
    variables: Sequence[str],
    as_json: bool,
) -> None:
    """Write the project into a folder and say what became of the dbt project, as data."""
    if dialect is not None and dialect not in DIALECTS:
        hint = did_you_mean(dialect, DIALECTS) or f"the dialects are {', '.join(DIALECTS)}"
        raise CommandError("LG-601", f"`{dialect}` is not a dialect that is read", hint=hint)
    chosen = dict(_pair(text, "--layer", "staging=silver") for text in layers)
    values: dict[str, Any] = {k: _value(v) for k, v in (_pair(t, "--var", "start=2024-01-01") for t in variables)}
    proposal = propose(source, dialect, chosen, values)
    written = proposal.write(folder, f"What became of {source.resolve().name}")
    screen.say(settings, f"Made {folder}/ from the dbt project {source}: {screen.some(written + 1, 'file')}.")
    if as_json:
        screen.out_json(proposal.to_json())
    else:
        _show(proposal)
    following = [(f"cd {folder}", ""), ("lagoa validate", "check every file")]
    if not proposal.of("untranslated") and not proposal.of("to complete"):
        following.append(("lagoa run", "read the files, build every table"))
    screen.following(settings, *following)


def _show(proposal: Proposal) -> None:
    made = proposal.made
    sorts = {sort: sum(key.startswith(f"{sort} ") for key in made) for sort in ("model", "snapshot", "seed", "source")}
    sorts = {**sorts, "test": proposal.tests, "unit test": sum(key.startswith("unit test ") for key in made)}
    words = {"source": "table of sources"}
    counted = ", ".join(
        screen.some(n, words.get(s, s), "tables of sources" * (s == "source")) for s, n in sorts.items() if n
    )
    screen.out(f"Translated: {counted or 'nothing'}.")
    for sort, title in TITLES.items():
        notes = proposal.of(sort)
        if not notes:
            continue
        screen.out()
        screen.out(f"{title} ({len(notes)}):")
        most = _SHOWN.get(sort, len(notes))
        for note in notes[:most]:
            screen.out(f"  {note}")
        if len(notes) > most:
            screen.out(f"  … and {len(notes) - most} more in {REPORT}")


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise CommandError("LG-601", f"{option} {text}: there is no `=`", hint=f"write {option} {example}")
    return name.strip("/"), value


def _value(text: str) -> Any:
    value = yaml.safe_load(text)
    return value if isinstance(value, (str, int, float, bool, list, dict)) else text
