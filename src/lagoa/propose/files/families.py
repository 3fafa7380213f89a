"""Groups files into streams: the same columns under numbered or dated names, or in folders beside each other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lagoa.errors import LagoaError
from lagoa.kit.containers.members import expanded
from lagoa.kit.containers.streams import bare
from lagoa.kit.landing import find
from lagoa.propose.files.survey import Looked, ending

_RUN = re.compile(r"(\d+)")
_STARS = re.compile(r"\*(?:[-_. T]?\*)+")
_DATED = re.compile(r"(?:19|20)\d\d(?:[-_.]?(?:0[1-9]|1[0-2]))?")
_MANY, _TOO_MANY = 20, 50
"""From how many files of one folder on, each with a name of its own, they are one stream rather than one each: when
their columns are alike, and in any case."""


@dataclass(frozen=True)
class Family:
    """Files that one stream reads. `path` and `member` are its patterns, `stem` is what it may be called by."""

    files: tuple[Looked, ...]
    path: str
    member: str | None = None
    stem: str = ""
    levels: tuple[str, ...] = ()
    dated: bool = False
    why: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)
    """What its stream must say to read a sheet."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why."""

    @property
    def first(self) -> Looked:
        """The file by which the family is known."""
        return next((f for f in self.files if f.guess is not None), self.files[0])


@dataclass(frozen=True)
class _Place:
    """Where a file lies: folders, its name or its archive's, and its name inside the archive."""

    folders: tuple[str, ...]
    name: str
    inner: str

    @classmethod
    def of(cls, looked: Looked) -> _Place:
        outer, inner = looked.found.name, ""
        if looked.found.pack is not None and "!" in outer:
            outer, _, inner = outer.partition("!")
        *folders, name = outer.split("/")
        return cls(tuple(folders), name, inner)


def families(base: Path, files: Sequence[Looked]) -> list[Family]:
    """Group files; each pattern of the result means exactly the files of its family."""
    crowds: dict[str, int] = defaultdict(int)
    for looked in {f.found.name: f for f in files}.values():
        place = _Place.of(looked)
        crowds["/".join((*place.folders, place.name))] += bool(place.inner)
    buckets: dict[tuple[object, ...], list[Looked]] = defaultdict(list)
    for looked in files:
        place = _Place.of(looked)
        alone = crowds["/".join((*place.folders, place.name))] <= 1
        inner = "" if alone else _RUN.sub("#", place.inner)
        key = (len(place.folders), _RUN.sub("#", place.name), inner, looked.format, looked.records)
        buckets[key].append(looked)
    found: list[Family] = []
    for bucket in buckets.values():
        for alike in _alike(bucket):
            found += _patterned(base, alike)
    return _crowded(base, found)


def _alike(files: Iterable[Looked]) -> Iterator[list[Looked]]:
    """Part files whose columns one stream cannot hold."""
    groups: list[list[Looked]] = []
    empty = []
    for looked in files:
        if looked.format in ("csv", "tsv") and looked.guess is None:
            empty.append(looked)
            continue
        group = next((g for g in groups if _fit(g[0], looked)), None)
        if group is None:
            groups.append([looked])
        else:
            group.append(looked)
    if empty:
        (groups or [[]])[0].extend(empty) if groups else groups.append(empty)
    yield from groups


def _fit(one: Looked, two: Looked) -> bool:
    if one.guess is None or two.guess is None:
        both = one.keys | two.keys
        return not both or len(one.keys & two.keys) * 2 >= len(both)
    if one.guess.dialect != two.guess.dialect:
        return False
    if not one.guess.dialect.header:
        return one.guess.width == two.guess.width
    names = set(one.guess.names), set(two.guess.names)
    return len(names[0] & names[1]) * 5 >= len(names[0] | names[1]) * 3


def _patterned(base: Path, files: list[Looked]) -> list[Family]:
    """Return one family when a pattern means exactly these files, else one for each folder, else one for each file."""
    for member in (False, True):
        whole = _family(files, member)
        if whole is not None and _means(base, whole):
            return [whole]
    by_folder: dict[tuple[str, ...], list[Looked]] = defaultdict(list)
    for looked in files:
        by_folder[_Place.of(looked).folders].append(looked)
    if len(by_folder) > 1:
        return [family for part in by_folder.values() for family in _patterned(base, part)]
    if len(files) > 1:
        return [family for looked in files for family in _patterned(base, [looked])]
    return [_literal(files[0])]


def _literal(looked: Looked) -> Family:
    place = _Place.of(looked)
    path = "/".join(_safe(part) for part in (*place.folders, place.name))
    stem = _stem(place.inner or place.name)
    return Family((looked,), path, _safe(place.inner) if place.inner else None, stem)


def _family(files: list[Looked], by_member: bool) -> Family | None:
    places = [_Place.of(f) for f in files]
    folders = _folders([p.folders for p in places])
    inners = sorted({p.inner for p in places})
    if folders is None or (by_member and not inners[0]):
        return None
    names = sorted({p.name for p in places})
    telling = inners if by_member else names
    numbered = len(telling) > 1
    name, stem, why = _pattern(names), _stem(_RUN.sub("", telling[0]) if numbered else telling[0]), ""
    if not numbered and not by_member and (opened := _open(name)):
        name, stem = opened, _stem(opened.replace("*", "").replace("?", ""))
        why = "its name ends in a number or a date: the next ones are read, too"
    stem = stem.strip("-_. ") or next((f for f in reversed(places[0].folders)), "")
    return Family(
        tuple(files),
        "/".join([*folders[0], name]),
        _pattern(inners) if by_member else None,
        stem,
        folders[1],
        dated=numbered and all(_DATED.search(n) for n in telling),
        why=why,
    )


def _folders(places: Sequence[tuple[str, ...]]) -> tuple[list[str], tuple[str, ...]] | None:
    """Return the folders' part of a pattern, with `{levels}` where they differ, and the levels' names."""
    path: list[str] = []
    levels: list[str] = []
    for values in zip(*places, strict=True):
        different = set(values)
        if len(different) == 1:
            path.append(_safe(values[0]))
            continue
        keys = {v.partition("=")[0] for v in different if "=" in v}
        key = next(iter(keys)) if len(keys) == 1 and all("=" in v for v in different) else ""
        level = _level(key if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) else "", different, levels)
        path.append(f"{key}={{{level}}}" if key == level and key else f"{{{level}}}")
        levels.append(level)
    return path, tuple(levels)


def _level(key: str, values: set[str], taken: Sequence[str]) -> str:
    name = key
    if not name and all(re.fullmatch(r"(19|20)\d\d", v) for v in values):
        name = "year"
    elif not name and all(re.fullmatch(r"\d\d?", v) for v in values) and taken:
        name = {"year": "month", "month": "day"}.get(taken[-1], "")
    name = name or "folder"
    return name if name not in taken else f"{name}_{len(taken) + 1}"


def _pattern(names: Sequence[str]) -> str:
    """Return a pattern of names that differ in numbers alone."""
    columns = list(zip(*(_RUN.split(name) for name in names), strict=True))
    varies = [len(set(column)) > 1 for column in columns]
    for n in [*range(3, len(columns), 2), *range(len(columns) - 2, 0, -2)]:
        # numbers that only a mark parts are those of one date: with its days its years will change, too
        for other in (n - 2, n + 2):
            between = columns[(n + other) // 2][0] if 0 < other < len(columns) else "x"
            varies[n] |= between in ("-", "_", ".") and varies[other]
    return _STARS.sub("*", "".join("*" if v else _safe(c[0]) for c, v in zip(columns, varies, strict=True)))


def _open(name: str) -> str | None:
    """Return a pattern for a single file whose name says that others will come: `Socios0.zip`, `sales-2026-10.csv`."""
    stem, tail = _split(name)
    if _DATED.match(stem) and re.fullmatch(r"\d{4}[-_.]?\d\d([-_.]?\d\d)?", stem):
        return f"{_RUN.sub(lambda digits: '?' * len(digits[0]), stem)}{_safe(tail)}"
    found = re.search(r"(?:(?<=[^\d])[01]|[-_ .]\d{1,3}|(?:19|20)\d\d(?:[-_.]?\d\d){0,2})$", stem)
    if found is None or not stem[: found.start()].strip("-_ ."):
        return None
    kept = found[0][0] if found[0][0] in "-_ ." else ""
    return f"{_safe(stem[: found.start()])}{kept}*{_safe(tail)}"


def _split(name: str) -> tuple[str, str]:
    stem = bare(name)
    cut = stem.rfind(".")
    cut = cut if cut >= 0 and stem[cut + 1 :].isalnum() and len(stem) - cut <= 9 else len(stem)
    return name[:cut], name[cut:]


def _stem(name: str) -> str:
    last = name.rpartition("/")[2]
    return _split(last)[0]


def _safe(text: str) -> str:
    """Write a name so that nothing in it is a pattern: a `?` means any one character, itself, too."""
    return re.sub(r"[*?{}]", "?", text)


def _means(base: Path, family: Family) -> bool:
    try:
        found = expanded(find(base, family.path), family.member)
    except LagoaError:
        return False
    meant, files = {f.name for f in found}, {f.found.name for f in family.files}
    return meant >= files if _kind(family) else meant == files  # a kind of records may be missing from some files


def _kind(family: Family) -> str:
    """Return what lines look like that are this family's records; '' for all lines."""
    return family.first.guess.dialect.lines if family.first.guess else ""


def _crowded(base: Path, found: list[Family]) -> list[Family]:
    """Make one stream of files in one folder, each with a name of its own: with the same columns, or far too many."""
    crowds: dict[tuple[object, ...], list[Family]] = defaultdict(list)
    for family in found:
        place = _Place.of(family.first)
        if not family.levels and not place.inner and family.first.records is None and not _kind(family):
            crowds[(place.folders, family.first.format, ending(place.name))].append(family)
    for crowd in crowds.values():
        alike: list[list[Family]] = []
        for family in crowd:
            group = next((g for g in alike if _same(g[0].first, family.first)), None)
            if group is None:
                alike.append([family])
            else:
                group.append(family)
        several = [g for g in alike if len(g) > 1]
        shared = frozenset.intersection(*(f.first.keys for f in crowd))
        alike_enough = len(shared) * 2 >= max(len(f.first.keys) for f in crowd) > 0
        if len(crowd) > _TOO_MANY or (len(crowd) > _MANY and alike_enough):
            several = [crowd]
        for group in several:
            whole = _together(base, group)
            if whole is not None:
                found = [*(f for f in found if f not in group), whole]
    return found


def _same(one: Looked, two: Looked) -> bool:
    """Say whether two files have the same columns, and enough of them that this is no accident."""
    if one.guess is not None and two.guess is not None:
        return one.guess.signature == two.guess.signature and len(one.guess.names) > 2
    return one.guess is two.guess and one.keys == two.keys and len(one.keys) > 2


def _together(base: Path, group: Sequence[Family]) -> Family | None:
    """Return one family of several when the start and the end of their names tell them from all other files."""
    files = tuple(looked for family in group for looked in family.files)
    places = [_Place.of(f) for f in files]
    names = [p.name for p in places]
    start, end = _shared(names), _shared([n[::-1] for n in names])[::-1]
    folders = places[0].folders
    path = "/".join([*map(_safe, folders), f"{_safe(start)}*{_safe(end)}"])
    told = f"{start} {_split(end)[0]}".strip("-_. ")
    stem = told or (folders[-1] if folders else base.name)
    whole = Family(files, path, None, stem, why=f"{len(files)} files of the same columns")
    if len(group) > _TOO_MANY:
        whole = replace(whole, why=f"{len(files)} files, each with a name of its own")
    return whole if _means(base, whole) else None


def _shared(texts: Sequence[str]) -> str:
    """Return what several texts begin with."""
    low, high = min(texts), max(texts)
    return low[: next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))]
