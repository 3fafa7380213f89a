"""Reads the start of a family's files by the very source that is proposed for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lagoa.errors import SourceError
from lagoa.kit.column_names import column_name
from lagoa.kit.encoding import Decoder
from lagoa.kit.landing import Found, printable
from lagoa.kit.pieces import Opened, last_line_end, pieces
from lagoa.kit.text import literal, quote
from lagoa.kit.types import sql_type
from lagoa.ports import SOURCE, Batch, Portion, Reading, Session, Settled, Source
from lagoa.propose.files.families import Family
from lagoa.propose.files.survey import LARGEST
from lagoa.registry import adapter

BYTES = 16 << 20
"""Bytes of a family's files that are looked at; the files share them."""
_FILES = 50
"""How many files of a family are looked at."""
_LEAST, _PIECE = 1 << 18, 4 << 20
SEEN = "_seen"
"""The temporary table that holds the rows that were looked at."""


@dataclass
class Sample:
    """What was looked at. The rows are in the table SEEN, with `_source`."""

    rows: int = 0
    refused: int = 0
    whole: bool = True
    """Whether all rows of all files were looked at."""
    columns: dict[str, str] = field(default_factory=dict)
    """Columns that arrive, with DuckDB's types."""
    encodings: set[str] = field(default_factory=set)
    """How the files are encoded, where it is not UTF-8; '' for those that are."""


def take(
    session: Session, base: Path, family: Family, options: Mapping[str, Any], folder: Path, size: int = BYTES
) -> Sample:
    """Read the start of a family's files into SEEN, by a source with these options. Raises SourceError."""
    sample = Sample()
    if family.first.format in ("parquet", "excel", "xml"):
        stream = {**options, "path": family.path}
        _read(session, _source(base, stream), sample, folder)
        return sample
    copies = folder / "copies"
    path = "/".join([*(f"{{{level}}}" for level in family.levels), f"*.{family.first.format}"])
    spread = max(_LEAST, size // max(1, min(len(family.files), _FILES)))
    names = _spread(family.files)
    sample.whole = len(names) == len(family.files)
    for number, looked in enumerate(names):
        levels = [value for _, value in looked.found.levels]
        place = copies.joinpath(*_folders(family, looked.found, levels), f"{number}.{family.first.format}")
        place.parent.mkdir(parents=True, exist_ok=True)
        _copy(looked.found, place, spread, family.first.format == "json", sample)
    try:
        _read(session, _source(copies, {**options, "path": path, "encoding": "utf-8"}), sample, folder)
    except SourceError as error:
        # the file that it names is a copy
        copied = re.compile(rf"(?:[^`\s]*/)?(\d+)\.{family.first.format}\b")
        error.message = copied.sub(lambda hit: printable(names[int(hit[1])].found.name), error.message)
        raise
    return sample


def finer_times(session: Session, family: Family) -> list[str]:
    """Name the columns of Parquet files whose times would lose nanoseconds, as they land."""
    found: dict[str, None] = {}
    for looked in _spread(family.files):
        read = f"read_parquet({literal(str(looked.found.path))})"
        for name, kind, *_ in session.rows(f"describe select * from {read}"):
            lands = kind.replace("TIMESTAMPTZ_NS", "TIMESTAMP WITH TIME ZONE").replace("TIMESTAMP_NS", "TIMESTAMP")
            finer = f"{quote(name)}::{lands}::{kind} is distinct from {quote(name)}"
            if lands != kind and session.rows(f"select 1 from {read} where {finer} limit 1"):
                found[column_name(name)] = None
    return list(found)


def _spread(files: Sequence[Any]) -> list[Any]:
    step = -(-len(files) // _FILES)
    return list(files[::step])


def _folders(family: Family, found: Found, levels: Sequence[str]) -> list[str]:
    """Return the values of the levels of a file's path, in their order: of `year={year}` what stands behind the `=`."""
    if levels or not family.levels:
        return list(levels)
    both = zip(found.name.partition("!")[0].split("/"), family.path.split("/"), strict=False)
    return [part.removeprefix(said.partition("{")[0]) for part, said in both if "{" in said]


def _copy(found: Found, place: Path, size: int, whole: bool, sample: Sample) -> None:
    """Write the first whole lines of a file as UTF-8."""
    decoder = Decoder("auto", printable(found.name))
    with Opened(found, hashed=False) as opened, place.open("wb") as file:
        written, full = 0, False
        for piece in pieces(
            opened, decoder, _never if whole else last_line_end, LARGEST if whole else min(size, _PIECE)
        ):
            if full:
                break
            text = piece.text()
            if not whole and written + len(text) > size:
                text = text[: text.rfind(b"\n", 0, size - written) + 1] or (b"" if written else text)
                full, sample.whole = True, False
            written += file.write(text)
    sample.encodings.add("" if decoder.chosen in (None, "utf-8") else str(decoder.chosen))


def _never(_: bytes | bytearray, start: int, __: int) -> int:
    return start


def _source(base: Path, stream: Mapping[str, Any]) -> Source:
    made: Source = adapter("sources", "files").model_validate(
        {"type": "files", "path": str(base), "streams": {"seen": dict(stream)}}
    )
    return made


def _read(session: Session, source: Source, sample: Sample, folder: Path) -> None:
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    session.run(f"drop table if exists {SEEN}")
    for batch in source.read(Reading("seen", None, scratch, folder, "seen")):
        before = sample.rows, sample.refused
        _land(session, batch, sample)
        while batch.again():
            sample.rows, sample.refused = before
            _land(session, batch, sample)


def _land(session: Session, batch: Batch, sample: Sample) -> None:
    sample.columns = {f.name: sql_type(f.type) for f in batch.schema}
    shown = ", ".join(f"{quote(n)} {kind}" for n, kind in (*sample.columns.items(), (SOURCE, "VARCHAR")))
    session.run(f"create or replace temp table {SEEN} ({shown})")
    for portion in _portions(batch.portions, session, sample):
        names = ", ".join(map(quote, (*sample.columns, SOURCE)))
        session.run(f"insert into {SEEN} ({names}) select {names} from _portion")
        sample.rows += session.rows("select count(*) from _portion")[0][0]
        portion.close()


def _portions(portions: Iterator[Portion], session: Session, sample: Sample) -> Iterator[Portion]:
    for portion in portions:
        asked: Portion = portion
        while True:
            rows = asked.rows
            if not isinstance(rows, str):
                session.bind("_arrow", rows)
                rows = "from _arrow"
            session.run(f"create or replace temp table _portion as {rows}")
            count = session.rows("select count(*) from _portion")[0][0]
            settled = asked.settle(count, session.rows)
            if isinstance(settled, Settled):
                break
            asked.close()
            asked = settled
        sample.refused += len(settled.rejects)
        yield asked
