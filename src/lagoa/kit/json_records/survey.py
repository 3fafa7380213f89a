"""Looks at many lines at once, in SQL: which are surely valid and exact as they are, and what structure they have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lagoa.kit.json_records.proof import Proof, proofs
from lagoa.kit.json_records.structure import INTEGERS, Structure, emptied, merged, ordered
from lagoa.kit.text import literal

Ask = Callable[[str], list[tuple[Any, ...]]]
"""Runs a query in a private DuckDB."""

_SAMPLE, _TRIED = 10_000, 2_000
"""Lines that the first idea of the structure comes from, and those that tell whether a proof is worth its time."""
_WORTH = 0.5
"""Share of lines for which a proof must hold to be worth its time."""
# marks that mean something outside strings; those inside strings that look alike only cost time
_START = r"[:\[,]\s*"
_HALF = r"\\u[dD][89a-fA-F]"
_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_STRAY = rf",\s*[\]}}]|\"\"\s*:|\\u0000|{_START}-?(?i:nan|inf|infinity)\s*[,\]}}]"
_ODD = rf"{_START}-?(?:\d[\d.]{{15}}|\d[\d.]*[eE])|{_STRAY}|{_HALF}"
_NUMBER = rf"{_START}(-?\d[\d.]{{15,}}(?:[eE][+-]?\d+)?|-?\d[\d.]*[eE][+-]?\d+)"
_LONG, _QUOTED = r"([:\[,][ \t]*)(-?[0-9]{16,})([ \t]*[,}\]])", r'\1"\2"\3'
NOTHING = {"\x01": "BOOLEAN"}
"""A type that writes no value but null as it was."""
_DEEPEST = 20


@dataclass
class Survey:
    """What the lines of some files were found to be. A line is sure when DuckDB reads it as RFC 8259 means it."""

    ask: Ask
    proves: bool = True
    """Whether `widened` is looked at; otherwise no line is proven, which costs more."""
    structure: Structure = None
    """The structure of all lines, as DuckDB's `json_structure` gives it."""
    wide: Structure = None
    """That of the lines with long integers, had these been text: a double rounds what has more than 15 digits."""
    widened: bool = False
    """Whether integers of lines that were proven stand in a column of doubles now: `judge` all lines again."""
    held: dict[str, Structure] = field(default_factory=dict, init=False)
    """What `proven` reads lines into: a column of type NOTHING holds nothing but null."""
    _fullest: Structure = field(default=None, init=False)
    _judged: bool = field(default=False, init=False)
    _proof: Proof | None = field(default=None, init=False)

    def guess(self, lines: str) -> bool:
        """Learn the structure of a sample of lines; say whether `proven` finds all of them."""
        self._sample(lines)
        self._proof, share = self._best_proof(lines)
        self.held = self._probe() if self._proof else {}
        return share == 1

    def proven(self, lines: str) -> str:
        """Return a relation of those of some lines that hold what was guessed and are exact, with it as `_p`."""
        relation = f"(select *, {_read(self.held)} as _p from {lines})"
        return f"(from {relation} where {_certain(self._proof) if self._proof else 'false'})"

    def group(self, lines: str, order: str) -> None:
        """Learn the structure of lines that were judged; their columns come in `order`, SQL over `lines`."""
        relation = f"(select *, true as sure, false as proven, true as odd from {lines})"
        self._learn(self._structures(relation, f"min({order})"))

    def judge(self, lines: str, count: int) -> list[int] | None:
        """Learn the structure of the lines that are sure, and return the numbers, from 1, of all others.

        None: DuckDB does not find the `count` lines that there are.
        """
        if self.structure is None:
            self._sample(f"(from {lines} limit {_SAMPLE})")
        while True:
            before, proof = self.structure, self._worthy_proof(lines)
            read, unsure = self._learn(self._structures(self._looked(lines, proof), "null"))
            if not (proof and _widens(before, self.structure)) and _paths(before) == _paths(self.structure):
                break
        self._judged = True
        if read != count or not unsure:
            return [] if read == count else None
        looked = self._looked(f"(select *, row_number() over () as n from {lines})", proof)
        return [n for (n,) in self.ask(f"select n from {looked} where not sure order by n")]

    def _sample(self, lines: str) -> None:
        numbered = f"(select *, row_number() over () as n from {lines})"
        self._learn(self._structures(self._looked(numbered), "min(n)"))
        kind = "try(json_structure(line))::varchar"
        fullest = f"select coalesce(max_by({kind}, strlen({kind})), 'null') from {lines}"
        self._fullest = json.loads(self.ask(fullest)[0][0])

    def _probe(self) -> Structure:
        """Return the type that lines are read into to prove them, with its keys in the order of the fullest line."""
        return probe(ordered(self.structure, self._fullest))

    # ------------------------------------------------------------ what lines are
    def _best_proof(self, lines: str) -> tuple[Proof | None, float]:
        """Try which proof holds for most of some lines; return it and their share."""
        if not self.proves or not isinstance(self.structure, dict) or probe(self.structure) is NOTHING:
            return None, 0
        first, *others = tried = proofs(self.structure)
        # what the first one proves all others prove, too, at a higher cost
        tests = ", ".join(f"count(*) filter (case when _a then true else {_certain(p)} end)" for p in others)
        read = f"(select line, {_read(self._probe())} as _p from {lines})"
        read = f"(select *, {_certain(first)} as _a from {read})"
        count, *held = self.ask(f"select count(*), count(*) filter (_a), {tests} from {read}")[0]
        most = max(held)
        return tried[held.index(most)], most / max(1, count)

    def _worthy_proof(self, lines: str) -> Proof | None:
        """Return the proof that is worth its time, if any."""
        proof, share = self._best_proof(f"(from {lines} limit {_TRIED})")
        return proof if share >= _WORTH else None

    def _looked(self, lines: str, proof: Proof | None = None) -> str:
        """Return a relation of lines with `proven`, `sure`, and `odd`: whether there is something to look at.

        A record that DuckDB reads and writes again as the same text has the structure that is known, and lost no key,
        not even a second one of the same name; nor a digit, if it is the text as it came.
        """
        # with `case`, for DuckDB computes both sides of an `and`
        valid = "coalesce(case when starts_with(line, '{') then json_valid(line) end, false)"
        proven, exact = (proof.holds("_p"), proof.exactly()) if proof else ("false", "false")
        read = _read(self._probe()) if proof else "null"
        keys = f"case when proven then true else {self._distinct_keys()} end"
        odd = f"case when valid and not exact then regexp_matches(line, {literal(_ODD)}) else false end"
        sure = f"case when not valid then false when odd then {_careful()} and {keys} else {keys} end"
        relation = f"(select *, {valid} as valid from {lines})"
        relation = f"(select *, case when valid then {read} end as _p from {relation})"
        relation = f"(select *, {proven} as proven from {relation})"
        relation = f"(select *, case when proven then {exact} else false end as exact from {relation})"
        relation = f"(select *, {odd} as odd from {relation})"
        return f"(select *, {sure} as sure from {relation})"

    def _distinct_keys(self) -> str:
        """Return SQL that is true when no object that is known has two keys of one name."""
        tests = ["true"]
        for path in _objects(self.structure):
            if any(step and ('"' in step or "\\" in step) for step in path):  # no path names it
                return "false"
            steps = "".join("[*]" if step is None else f'."{step}"' for step in path)
            keys = f"json_keys(line, {literal('$' + steps)})"
            same = f"len(list_filter({keys}, lambda k: len(k) <> list_unique(k))) = 0"
            tests.append(f"coalesce({same if None in path else f'len({keys}) = list_unique({keys})'}, true)")
        return " and ".join(tests)

    # ------------------------------------------------------------ their structure
    def _structures(self, looked: str, order: str) -> tuple[Any, ...]:
        """Ask how many lines there are, how many are not sure, and for the structure of one sure line of each kind."""
        long = f"sure and odd and regexp_matches(line, {literal(_LONG)})"
        quoted = f"regexp_replace(line, {literal(_LONG)}, {literal(_QUOTED)}, 'g')"
        lines = f"(select *, case when {long} then {quoted} end as long from {looked})"
        lines = f"(select *, case when json_valid(long) then long end as wide from {lines})"
        kind = "case when sure and not proven then json_structure(line)::varchar end as kind"
        lines = f"(select *, {kind}, json_structure(wide)::varchar as wide_kind from {lines})"
        kinds = (
            "(select sure, kind, any_value(line) as line, any_value(wide) as wide, count(*) as lines, "
            f"{order} as place from {lines} group by sure, kind, wide_kind)"
        )
        by = "order by place, strlen(kind) desc, kind"
        # the structure of a list is that of all its elements together
        one = f"'[' || string_agg(line, ',' {by}) filter (kind is not null) || ']' as one"
        two = f"'[' || string_agg(wide, ',' {by}) || ']' as two"
        counts = "coalesce(sum(lines), 0) as lines, coalesce(sum(lines) filter (not sure), 0) as unsure"
        # DuckDB's word for an empty object is that for values of mixed kinds
        found = "json_structure(one), json_structure(replace(one, '{}', 'null')), json_structure(two)"
        return self.ask(f"select lines, unsure, {found} from (select {counts}, {one}, {two} from {kinds})")[0]

    def _learn(self, found: tuple[Any, ...]) -> tuple[int, int]:
        """Take in what `_structures` found; return how many lines there are, and how many of them are not sure."""
        read, unsure, kind, bare, wide = found
        before = self.structure
        if kind:
            self.structure = merged(before, emptied(json.loads(kind)[0], json.loads(bare)[0]))
        # whoever was proven to hold an integer was not looked at as a double
        self.widened = self.widened or (self._judged and _widens(before, self.structure))
        self.wide = merged(self.wide, json.loads(wide)[0] if wide else None)
        return int(read), int(unsure)


def _read(known: Structure) -> str:
    """Return SQL for what a line holds, null when it is no JSON."""
    return f"try(from_json(line, {literal(json.dumps(known))}))"


def _certain(proof: Proof) -> str:
    """Return SQL that is true for a line that is proven to hold `_p`, each number included."""
    exact = f"when {proof.exactly()} then true when not regexp_matches(line, {literal(_ODD)}) then true"
    return f"case when not {proof.holds('_p')} then false {exact} else {_careful()} end"


def _careful() -> str:
    """Return SQL that is true for an odd line when each of its numbers is exactly a bigint or a double."""
    inexact = "not coalesce(try_cast(t as bigint)::varchar = t or try_cast(t as double)::varchar = t, false)"
    exact = f"len(list_filter(regexp_extract_all(line, {literal(_NUMBER)}, 1), lambda t: {inexact})) = 0"
    alone = f"regexp_matches(regexp_replace(line, {literal(_PAIR)}, '', 'g'), {literal(_HALF)})"
    # what follows a written backslash is no escape
    whole = r"not contains(line, '\\') and not " + alone
    return (
        f"case when regexp_matches(line, {literal(_STRAY)}) then false "
        f"when regexp_matches(line, {literal(_HALF)}) then {whole} and {exact} else {exact} end"
    )


def _paths(found: Structure) -> set[tuple[str | None, ...]]:
    return set(_objects(found))


def _objects(found: Structure, path: tuple[str | None, ...] = ()) -> Iterator[tuple[str | None, ...]]:
    """Yield the paths of all objects; None is a step into a list."""
    if isinstance(found, dict):
        yield path
        for key, inside in found.items():
            yield from _objects(inside, (*path, key))
    elif isinstance(found, list):
        yield from _objects(found[0], (*path, None))


def probe(found: Structure, depth: int = 0) -> Structure:
    """Return the type that DuckDB writes as it was when, and only when, it holds a value of this structure."""
    if isinstance(found, dict):
        if depth > _DEEPEST or not found or len({key.casefold() for key in found}) < len(found):
            return NOTHING
        return {key: probe(inside, depth + 1) for key, inside in found.items()}
    if isinstance(found, list):
        return [probe(found[0], depth + 1)] if depth <= _DEEPEST else NOTHING
    if isinstance(found, str) and found in INTEGERS:  # negative ones beside others are HUGEINT to DuckDB
        return "BIGINT"
    return found if found in ("DOUBLE", "BOOLEAN", "VARCHAR") else NOTHING


def _widens(before: Structure, after: Structure) -> bool:
    """Say whether an integer became a double."""
    if isinstance(before, dict) and isinstance(after, dict):
        return any(_widens(inside, after.get(key)) for key, inside in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return _widens(before[0], after[0])
    return isinstance(before, str) and before in INTEGERS and after == "DOUBLE"
