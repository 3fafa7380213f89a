"""A small dbt project around the few files that a test is about."""

from __future__ import annotations

from pathlib import Path

from lagoa.propose.dbt.translate import propose
from lagoa.propose.proposal import Proposal

SETTINGS = "name: shop\nprofile: shop\n"
PROFILE = "shop: {target: dev, outputs: {dev: {type: duckdb}}}\n"
SEED = "id,name,amount,day\n1,a,1.5,2024-01-01\n2,b,2,2024-01-02\n"


def proposed(folder: Path, files: dict[str, str], **choices: dict[str, str]) -> Proposal:
    """Write a dbt project, translate it, and hold what was made against the real loader."""
    everything = {"dbt_project.yml": SETTINGS, "profiles.yml": PROFILE, "seeds/raw.csv": SEED, **files}
    for name, text in everything.items():
        path = folder / "dbt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    made = propose(folder / "dbt", None, choices.get("layers"), choices.get("variables"))
    made.write(folder / "new", "Report")
    return made


def told(made: Proposal, sort: str) -> list[str]:
    return [str(note) for note in made.notes if note.sort == sort]
