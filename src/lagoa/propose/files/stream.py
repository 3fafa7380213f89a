"""A proposed stream: what is said of it, and why."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lagoa.errors import LagoaError
from lagoa.kit.column_names import OWN, column_name
from lagoa.kit.delimited.guess import Guess
from lagoa.ports import Session
from lagoa.propose.files.facts import Facts, look_at
from lagoa.propose.files.families import Family
from lagoa.propose.files.inside import personal_inside
from lagoa.propose.files.keys import Key, key_of
from lagoa.propose.files.kinds import Kind, kind_of
from lagoa.propose.files.names import column_plain_names, plain_name
from lagoa.propose.files.personal import personal
from lagoa.propose.files.sample import SEEN, Sample, finer_times, take
from lagoa.propose.files.survey import TOLD, ending
from lagoa.propose.proposed import Column, Stream

_CLOSELY = 1000
"""How many columns are looked at closely: each takes some hundredths of a second."""


def propose_stream(session: Session, base: Path, name: str, family: Family) -> Stream:
    """Look at the rows of a family and propose its stream. Raises SourceError when the source cannot read it."""
    options, why = _dialect(family)
    finer = finer_times(session, family) if family.first.format == "parquet" else []
    with tempfile.TemporaryDirectory(prefix="lagoa-", ignore_cleanup_errors=True) as folder:
        sample, options = _readable(session, base, family, options, finer, Path(folder))
    delimited = family.first.format in ("csv", "tsv")
    texts = [n for n, kind in sample.columns.items() if kind == "VARCHAR"]
    facts: dict[str, Facts] = {}
    kinds: dict[str, Kind] = {}
    for column in [c for c in sample.columns if c not in family.levels]:
        if len(facts) >= _CLOSELY:
            facts[column], kinds[column] = Facts(0, 0, 0), Kind()
        else:
            facts[column] = look_at(session, SEEN, column)
            kinds[column] = _kind(session, column, facts[column], family) if column in texts else Kind()
    key = key_of(session, name, facts, kinds, family.levels, len(family.files))
    found = Stream(name, {"path": family.path}, rows=sample.rows, files=len(family.files), width=len(sample.columns))
    if family.member is not None:
        found.said["member"] = family.member
    found.said |= options
    found.why |= why
    _say_reading(found, family, sample, kinds, delimited)
    _say_mode(found, family, key, sample)
    people = personal(name, facts)
    for column in facts.keys() - people.keys():
        if sample.columns[column].startswith(("STRUCT", "MAP")) or sample.columns[column].endswith("[]"):
            inside = personal_inside(session, name, SEEN, column)
            people |= {column: inside} if inside else {}
    _say_columns(found, people, family, facts, kinds)
    found.columns += [Column(c, {"type": "text"}, "nanoseconds, which a timestamp here does not hold") for c in finer]
    _say_about(found, family, sample)
    return found


def _dialect(family: Family) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the options that read a family's files, and the reasons for them."""
    first = family.first
    options: dict[str, Any] = {}
    why: dict[str, str] = {}
    if family.why:
        why["path"] = family.why
    tail = ending(first.found.name)
    if tail not in TOLD or (first.format != tail and tail == "json"):
        options["format"] = first.format
    if first.records:
        options["records"] = first.records
    options |= family.said
    why |= family.reasons
    if first.guess is not None:
        _say_dialect(first.guess, first.format, options, why)
    return options, why


def _say_dialect(guess: Guess, format: str, options: dict[str, Any], why: dict[str, str]) -> None:
    """Add how delimited files are written."""
    dialect = guess.dialect
    if dialect.delimiter != ("\t" if format == "tsv" else ","):
        options["delimiter"] = dialect.delimiter
    if dialect.quote != '"':
        options["quote"] = dialect.quote
    if not dialect.doubles:
        options["escape"] = dialect.escape
    if dialect.lines:
        options["lines"] = dialect.lines
        why["lines"] = "records of other kinds are streams of their own"
    if dialect.skip:
        options["skip"] = dialect.skip
        why["skip"] = guess.why.partition(";")[0]
    if not dialect.header:
        options["header"] = False
        why["header"] = "the first record looks like the others"
        options["names"] = [f"column_{n}" for n in range(1, guess.width + 1)]
        why["names"] = "the files name no columns: call them what they are"
    else:
        options |= _renamed(guess.names, why)


def _renamed(spelled: Sequence[str], why: dict[str, str]) -> dict[str, Any]:
    """Return `rename:` for a header, or `names:` where two names are one, or one would be a reference."""
    names = column_plain_names(spelled)
    landing = [column_name(s) for s in spelled]
    twice = any(count > 1 for count in Counter(landing).values())
    if twice or any(n in OWN or not n for n in landing) or any("${" in s for s in spelled):
        why["names"] = "two columns have one name, or one has none"
        return {"names": names}
    other = {
        s.strip().removeprefix("\ufeff"): n for s, n, there in zip(spelled, names, landing, strict=True) if n != there
    }
    return {"rename": other} if other else {}


def _readable(
    session: Session, base: Path, family: Family, options: dict[str, Any], finer: Sequence[str], folder: Path
) -> tuple[Sample, dict[str, Any]]:
    """Read a sample; JSON and Parquet tell their columns only now, and may need other names."""
    typed = {"columns": {column: {"type": "text"} for column in finer}} if finer else {}
    sample = take(session, base, family, options | typed, folder / "one")
    if family.first.guess is not None:
        return sample, options
    keys = family.first.keys or frozenset(sample.columns)
    spelled = sorted({k for f in family.files for k in f.keys} | set(keys))
    other = {s: plain_name(s) for s in spelled if plain_name(s) and column_name(s) in sample.columns}
    other = {s: n for s, n in other.items() if n != column_name(s) and "${" not in s and not n[0].isdigit()}
    landing = [other.get(s, column_name(s)) for s in spelled]
    if not other or len(set(landing)) < len(landing) or set(other.values()) & OWN:
        return sample, options
    renamed = {**options, "rename": other}
    try:
        return take(session, base, family, renamed | typed, folder / "two"), renamed
    except LagoaError:
        return take(session, base, family, options | typed, folder / "three"), options


def _kind(session: Session, column: str, facts: Facts, family: Family) -> Kind:
    first = family.first
    semicolons = first.guess is not None and first.guess.dialect.delimiter == ";"
    if first.format == "parquet":
        return Kind()
    return kind_of(session, column, facts, semicolons, first.guess is not None or first.format == "xml")


def _say_reading(found: Stream, family: Family, sample: Sample, kinds: Mapping[str, Kind], delimited: bool) -> None:
    encodings = sample.encodings - {""}
    if len(encodings) == 1 and (sample.encodings == encodings or len(family.files) == 1):
        found.said["encoding"] = encodings.pop()
    elif encodings:
        found.about.append(f"some files are {' and '.join(sorted(encodings))}: each is found out by itself")
    if not delimited:
        return
    if any("" in kind.nulls for kind in kinds.values()):
        found.said["null_values"] = [""]
        found.why["null_values"] = "what stands where a number or a date is missing"
    if any(kind.trim for kind in kinds.values()):
        found.said["trim"] = True
        found.why["trim"] = "blanks around values"
    for option, values in (
        ("decimal", [k.decimal for k in kinds.values() if k.decimal]),
        ("thousands", [k.thousands for k in kinds.values() if k.thousands]),
        ("date_format", [k.format for k in kinds.values() if k.format and k.type == "date"]),
        ("timestamp_format", [k.format for k in kinds.values() if k.format and k.type == "timestamp"]),
    ):
        if values and _holds_for_all(option, values[0], kinds.values()):
            found.said[option] = values[0]


def _holds_for_all(option: str, value: str, kinds: Iterable[Kind]) -> bool:
    """Say whether every column that an option reaches may be read so."""
    for kind in kinds:
        if option == "date_format" and kind.type == "date" and kind.format != value:
            return False
        if option == "timestamp_format" and kind.type.startswith("timestamp") and kind.format != value:
            return False
        numeric = kind.type.startswith(("decimal", "double", "bigint"))
        if option == "decimal" and numeric and kind.type != "bigint" and kind.decimal != value:
            return False
        # who writes no thousands reads the same with a mark for them, unless that is the decimal mark
        if option == "thousands" and numeric and (kind.thousands not in (value, None) or _point(kind) == value):
            return False
    return True


def _point(kind: Kind) -> str:
    return kind.decimal or ("" if kind.type == "bigint" else ".")


def _say_mode(found: Stream, family: Family, key: Key, sample: Sample) -> None:
    if family.dated:
        found.said["mode"] = "merge" if key.columns and key.per_file else "append"
        found.why["mode"] = (
            "keys come again in later files, which win" if key.per_file else "dated names: each file brings new rows"
        )
    if key.columns and (not key.per_file or found.said.get("mode") == "merge"):
        found.said["key"] = key.columns[0] if len(key.columns) == 1 else list(key.columns)
        found.why["key"] = key.why if sample.whole else f"{key.why}; not all rows were looked at"
    if not sample.rows:
        found.said["allow_empty"] = True
        found.why["allow_empty"] = "there are no rows yet"


def _say_columns(
    found: Stream,
    people: Mapping[str, tuple[str, str]],
    family: Family,
    facts: Mapping[str, Facts],
    kinds: Mapping[str, Kind],
) -> None:
    empty = [c for c, f in facts.items() if f.rows and not f.filled and c not in people]
    if empty:
        found.about.append(f"always empty: {', '.join(empty)}")
    for column in facts:
        if column in empty:
            continue
        said, why = _typed(found, kinds[column], texts=family.first.guess is not None)
        if column in people:
            said["pii"] = people[column][0]
            why += [people[column][1]] if people[column][1] not in why else []
        if said:
            found.columns.append(Column(column, said, "; ".join(why)))


def _typed(found: Stream, kind: Kind, texts: bool) -> tuple[dict[str, Any], list[str]]:
    """Return what is said of a column's type, and why; a text is one without being told, so that only why matters."""
    said: dict[str, Any] = {}
    if kind.type != "text" or (kind.why and texts):
        said["type"] = kind.type
    for option in ("format", "decimal", "thousands"):
        value = getattr(kind, option)
        if value is not None and value != found.said.get({"format": f"{kind.type}_format"}.get(option, option)):
            said[option] = value
    nulls = [text for text in kind.nulls if not (text == "" and "null_values" in found.said)]
    if nulls:
        said["null_values"] = nulls
    return said, [kind.why] if kind.why else []


def _say_about(found: Stream, family: Family, sample: Sample) -> None:
    files = f"{len(family.files):,} files" if len(family.files) > 1 else "1 file"
    seen = "all of them looked at" if sample.whole else "which is not all: only the start was looked at"
    rows = f"{sample.rows:,} row{'s' * (sample.rows != 1)} of {files}, {seen}"
    if len(sample.columns) > _CLOSELY:
        found.about.insert(0, f"only the first {_CLOSELY:,} columns were looked at closely; the others stay text")
    refused = f"; {sample.refused:,} more cannot be read and go to the quarantine" if sample.refused else ""
    found.about.insert(0, rows + refused)
