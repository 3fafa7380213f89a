"""Every row of the page's table of dirt is a file that is read, so that page and code cannot drift apart."""

from __future__ import annotations

import re
from codecs import escape_decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lagoa.errors import SourceError

PAGE = Path(__file__).resolve().parents[4] / "docs/reference/files.md"
HEADING = "## What becomes of dirt in CSV and TSV\n"
_CELL = re.compile(r"(?<!\\)\|")
_TIMES = re.compile(r"\{([^{}]+?)\*(\d+)\}")
_REFUSED = re.compile(r"line (\d+) quarantined: `([^`]+)`")
_NOTED = re.compile(r"noted: `([^`]+)`")
_ROW = re.compile(r"`(\[[^`]*\])`")


def classes() -> list[Any]:
    section = PAGE.read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    rows = [[cell.strip().replace("\\|", "|") for cell in _CELL.split(line)[1:-1]] for line in lines]
    return [pytest.param(*row[1:], id=row[0]) for row in rows]


def content(shown: str) -> bytes:
    """Return the bytes that the page shows."""
    raw = bytes(escape_decode(shown.encode())[0])
    return re.sub(rb"\{([^{}]+?)\*(\d+)\}", lambda found: found[1] * int(found[2]), raw)


def values(shown: str) -> list[str]:
    """Return the values of a row that the page shows, as texts."""
    row: list[str] = yaml.load(_TIMES.sub("{TIMES}", shown), yaml.BaseLoader)
    if found := _TIMES.search(shown):
        times = found[1].replace("\\n", "\n") * int(found[2])
        row = [times if "TIMES" in str(cell) else cell for cell in row]
    return row


@pytest.mark.parametrize(("file", "declared", "becomes"), classes())
def test_dirt_becomes_what_the_page_says(
    load: Callable[..., Any], put: Callable[[str, bytes], Any], file: str, declared: str, becomes: str
) -> None:
    put("x.csv", content(file.strip("`")))
    stream = {"path": "x.csv", **(yaml.safe_load(declared.strip("`")) or {})}
    if found := re.search(r"LG-\d+", becomes):
        with pytest.raises(SourceError) as caught:
            load(stream)
        assert caught.value.code == found[0]
        return
    loaded = load(stream)
    rows = [["null" if v is None else str(v) for k, v in row.items() if k[0] != "_"] for row in loaded.rows]
    assert rows == [values(row) for row in _ROW.findall(becomes)]
    assert loaded.reasons() == [f"x.csv:{line} {reason}" for line, reason in _REFUSED.findall(becomes)]
    assert loaded.notes == _NOTED.findall(becomes)
    assert _ROW.search(becomes) or _REFUSED.search(becomes) or becomes == "nothing"


def test_the_page_names_the_classes_that_are_known() -> None:
    assert len(classes()) >= 60
