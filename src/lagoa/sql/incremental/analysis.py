"""What the analysis of an incremental model gives; the parser is loaded only when a query is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module

KEYS = "__keys"
"""The relation of the touched keys, with the columns k0, k1, …, that the restricted query reads."""
OLD, NEW, CHANGED, UNITED = "__old", "__new", "__chg", "__u"
"""What follows an input's name: the version that was consumed, the one now, the changed rows of either side, and
the version now with the old rows that changed: a superset of both versions."""
NEAR = "__near"
"""What stands between an input's name and a number: the version now, of which only rows of touched keys are wanted."""

Describe = Callable[[str], Mapping[str, str]]
"""Asks the engine for the columns of a query over the inputs' bare names: DuckDB's type by lower-case name."""


_EXACT = re.compile(
    r"BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(\d+,\d+\)|VARCHAR|BLOB|DATE|TIME|UUID"
    r"|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?"
)


def exact(kind: str) -> bool:
    """Say whether equal values of a DuckDB type are the same value; not so 0.0 and -0.0, nor 1 month and 30 days."""
    return _EXACT.fullmatch(kind) is not None


class Refused(Exception):
    """What cannot be proven: the table is rebuilt in full, and this is why."""


@dataclass(frozen=True)
class Question:
    """A query with the names that it uses for its inputs.

    `tables` gives, by `layer.name` in lower case, a bare name; `columns` DuckDB's type by column of each bare name;
    `views` the query of each view by `layer.name`.
    """

    query: str
    key: Sequence[str]
    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]
    views: Mapping[str, str]
    time: str | None = None
    """The column of the query by which ranges of it may be wanted."""


@dataclass(frozen=True)
class Occurrence:
    """One place where an input is read: SQL for the keys that its changes touch, or why there is none."""

    input: str
    keys: str | None
    why: str | None


@dataclass(frozen=True)
class Leaf:
    """A place of the restricted query where an input is read under a name of its own, `relation`.

    Of its rows those count whose columns equal the touched keys': `pairs` gives the key's column by the input's.
    """

    relation: str
    input: str
    pairs: Mapping[str, str]


@dataclass(frozen=True)
class Reach:
    """A place of a query for a range of time where an input is read under a name of its own, `relation`.

    Of its rows those count whose `column` lies in the range, or up to so many `days` after its end.
    """

    relation: str
    input: str
    column: str
    days: int


@dataclass(frozen=True)
class Ranged:
    """The query for a range of its time: it gives all rows of the range, and any others.

    It reads the inputs of `reaches` by their relations, and the other places by `NEW`.
    """

    rows: str
    reaches: Sequence[Reach]


@dataclass(frozen=True)
class Analysis:
    """How a query is followed: `rows` is the query for the keys of `KEYS` alone, over the inputs' new versions.

    It reads the inputs of `leaves` by their relations, and the other places by `NEW`.
    """

    occurrences: Sequence[Occurrence]
    rows: str
    leaves: Sequence[Leaf] = ()
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The columns of each input that the query reads, in lower case."""
    ranged: Ranged | None = None
    """Set when the question names a time."""

    def touched(self, changed: Sequence[str]) -> str:
        """Return SQL for the keys that changes of these inputs touch. Raises Refused."""
        parts = [o for o in self.occurrences if o.input in changed]
        if refused := [o.why for o in parts if o.keys is None]:
            raise Refused(refused[0])
        return "SELECT DISTINCT * FROM (" + " UNION ALL ".join(f"{o.keys}" for o in parts) + ")"


def analyse(question: Question, describe: Describe) -> Analysis:
    """Analyse a query. Raises Refused with the reason; whatever else goes wrong is a reason, too."""
    try:
        found: Analysis = import_module("lagoa.sql.incremental.follow").follow(question, describe)
    except Refused:
        raise
    except RecursionError as error:
        raise Refused("the query is nested too deeply") from error
    except Exception as error:
        raise Refused(f"the query could not be analysed ({type(error).__name__})") from error
    return found
