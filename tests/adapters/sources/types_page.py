"""The tables of types on a source's page, as rows to try, and what arrives as text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.kit.types import sql_type
from lagoa.ports import Engine
from lagoa.testing.sources import Landed

REFERENCE = Path(__file__).resolve().parents[3] / "docs/reference"
WORDS = {"varchar": "text", "timestamp with time zone": "timestamptz"}


def rows_after(page: str, heading: str) -> list[tuple[str, ...]]:
    """Read the first table under a heading: each cell's text, without code marks."""
    section = (REFERENCE / page).read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [tuple(_plain(cell) for cell in _cells(line)) for line in lines[1:]]


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [re.sub(r"` \(.*", "`", cell).replace("\\|", "|") for cell in cells]


def _plain(cell: str) -> str:
    return cell[1:-1].strip("`").replace("\\n", "\n") if cell.startswith(" `") else cell.strip()


def type_of(landed: Landed) -> str:
    """Write the landed type of the column v as the pages do."""
    assert landed.schema is not None
    said = sql_type(landed.schema.field("v").type).lower()
    for word, ours in WORDS.items():
        said = said.replace(word, ours)
    return said


def as_text(landed: Landed, engine: Engine) -> list[Any]:
    """Write the landed values of the column v as DuckDB does."""
    assert landed.schema is not None
    if pa.types.is_decimal(landed.schema.field("v").type):  # DuckDB leaves out the zero before the point
        return [None if row["v"] is None else f"{row['v']:f}" for row in landed.rows]
    with engine.session() as session:
        session.bind("t", pa.Table.from_pylist([{"v": r["v"]} for r in landed.rows], landed.schema))
        return [row[0] for row in session.rows("select v::varchar from t")]
