"""Writes the SQL of a history: what a query gives now, put in order with the versions that are held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from lagoa.kit.text import columns, literal, quote
from lagoa.kit.types import sql_type
from lagoa.spec.model import HISTORY

GIVEN, PRESENT, HELD = "_given", "_present", "_held_versions"
"""The good rows that the query gives, the keys of all of them, and the versions that are held."""
RIPE, OLD, EVENTS, VERSIONS = "_ripe", "_old_versions", "_events", "_versions"
_FROM, _TO, _CURRENT = HISTORY
_INSTANT = pa.timestamp("us", "UTC")
_TICK = "interval 1 microsecond"
"""Two versions of a key begin at least this much apart, whatever the clock does."""


def with_history(schema: pa.Schema) -> pa.Schema:
    """Add the columns of a history."""
    return pa.schema([*schema, (_FROM, _INSTANT), (_TO, _INSTANT), (_CURRENT, pa.bool_())])


def is_history(schema: pa.Schema) -> bool:
    """Say whether a table has the columns of a history."""
    kinds = with_history(pa.schema([]))
    return all(f.name in schema.names and schema.field(f.name).type == f.type for f in kinds)


@dataclass(frozen=True)
class Timeline:
    """The versions of a table with the columns `schema`, of which the query gives `given`.

    Each row of the query says: from this moment on (its `time`, or the run's) the key has these values. Such moments,
    the beginnings of the versions that are held, and the ends after which a key was gone, are the events of a key. In
    order of time, an event that says what the one before said is none; each of the others is a version that lasts
    until the next.
    """

    schema: pa.Schema
    given: Sequence[str]
    key: Sequence[str]
    time: str | None
    at: datetime

    @property
    def version(self) -> list[str]:
        """The columns that tell one version from another."""
        return [*self.key, _FROM]

    @property
    def _names(self) -> list[str]:
        return [n for n in self.schema.names if n not in HISTORY]

    @property
    def _values(self) -> list[str]:
        return [n for n in self.given if n not in self.key and n != self.time]

    @property
    def _lost(self) -> list[str]:
        """The columns that the query gave once."""
        return [n for n in self._names if n not in self.given]

    @property
    def _now(self) -> str:
        return f"timestamptz {literal(self.at.isoformat())}"

    def _instant(self, alias: str) -> str:
        """Write when a row of the query began to hold; a time without zone is UTC."""
        return f"cast({alias}.{quote(self.time or '')} as timestamptz)"

    def steps(self) -> list[tuple[str, str]]:
        """Give the queries that are computed one after the other, each under its name."""
        return [(RIPE, self.ripe()), (OLD, self.old()), (EVENTS, self.events()), (VERSIONS, self.versions())]

    # ------------------------------------------------------------ what is wrong
    def unusable(self) -> str:
        """Ask how many rows of the query have no key or no time."""
        needed = [*self.key, *([self.time] if self.time else [])]
        return f"select count(*) from {GIVEN} where {' or '.join(f'{quote(n)} is null' for n in needed)}"

    def rivals(self) -> str:
        """Ask how many keys have several rows, or several different ones at one time."""
        if self.time is None:
            return f"select count(*) from (select 1 from {GIVEN} group by {columns(self.key)} having count(*) > 1)"
        rows = f"(select distinct {columns(self.given)} from {GIVEN}) g"
        by = f"{columns(self.key, 'g.')}, {self._instant('g')}"
        return f"select count(*) from (select 1 from {rows} group by {by} having count(*) > 1)"

    # ------------------------------------------------------------ whose versions may change
    def ripe(self) -> str:
        """Write the query for the keys with a new or other row, those that are gone, and those that are back."""
        current = f"(from {HELD} where {_CURRENT})"
        known, began = (HELD, f" and h.{_FROM} = {self._instant('g')}") if self.time else (current, "")
        same = _same(self.key, "g", "h") + "".join(f" and {_equal(n, 'g', 'h')}" for n in self._values) + began
        key = columns(self.key, "x.")
        here = _same(self.key, "x", "y")
        return (
            f"select {columns(self.key, 'g.')} from {GIVEN} g anti join {known} h on {same} "
            f"union select {key} from {current} x anti join {PRESENT} y on {here} "
            f"union select {key} from {GIVEN} x anti join {current} y on {here}"
        )

    def old(self) -> str:
        """Write the query for the versions of these keys."""
        return (
            f"select {columns(self.schema.names, 'h.')} from {HELD} h semi join {RIPE} r on {_same(self.key, 'h', 'r')}"
        )

    # ------------------------------------------------------------ events
    def events(self) -> str:
        """Write the query for the events of these keys; `_pure` ones come from the query alone."""
        old = self._old_events()
        last = f"select {columns(self.key)}, max(_t) as _t, arg_max(_gone, _t) as _gone from _known group by all"
        return (
            f"with _rows as ({self._rows()}), _known as ({old} union all by name from _rows), _last as ({last}) "
            f"from _known union all by name {self._closings()} union all by name {self._reopenings()}"
        )

    def _rows(self) -> str:
        """Write the query's rows; columns that it no longer gives come from the version that began at the same time."""
        ripe = (
            f"(select distinct {columns(self.given)} from {GIVEN}) g semi join {RIPE} r on {_same(self.key, 'g', 'r')}"
        )
        shown, none = columns(self.given, "g."), self._nothing(self._lost)
        if self.time is None:
            last = f"(select {columns(self.key)}, max(coalesce({_TO}, {_FROM})) as _t from {OLD} group by all)"
            moment = f"greatest({self._now}, l._t + {_TICK})"
            return (
                f"select {shown}{none}, {moment} as _t, false as _gone, true as _pure "
                f"from {ripe} left join {last} l on {_same(self.key, 'g', 'l')}"
            )
        kept = "".join(f", o.{quote(n)}" for n in self._lost)
        moment = self._instant("g")
        return (
            f"select {shown}{kept}, {moment} as _t, false as _gone, o.{_FROM} is null as _pure "
            f"from {ripe} left join {OLD} o on {_same(self.key, 'g', 'o')} and o.{_FROM} = {moment}"
        )

    def _old_events(self) -> str:
        """Write the beginnings of the versions, and the ends that no version follows at once."""
        begun = f"select {columns(self._names, 'o.')}, o.{_FROM} as _t, false as _gone, false as _pure from {OLD} o"
        followed = (
            f"select *, lead({_FROM}) over (partition by {columns(self.key)} order by {_FROM}) as _next from {OLD}"
        )
        rest = self._nothing([n for n in self._names if n not in self.key])
        ended = (
            f"select {columns(self.key, 'o.')}{rest}, o.{_TO} as _t, true as _gone, false as _pure "
            f"from ({followed}) o where o.{_TO} is not null and o.{_TO} is distinct from o._next"
        )
        unsaid = f"anti join _rows n on {_same(self.key, 'o', 'n')} and n._t = o."
        return f"{begun} {unsaid}{_FROM} union all by name (from ({ended}) o {unsaid}_t)"

    def _closings(self) -> str:
        """Write the ends of keys that the query no longer gives."""
        rest = self._nothing([n for n in self._names if n not in self.key])
        return (
            f"(select {columns(self.key, 'e.')}{rest}, greatest({self._now}, e._t + {_TICK}) as _t, true as _gone, "
            f"false as _pure from _last e anti join {PRESENT} p on {_same(self.key, 'e', 'p')} where not e._gone)"
        )

    def _reopenings(self) -> str:
        """Write the returns of keys whose rows are all older than their end: by the newest, at the run's time."""
        newest = f"(from _rows qualify row_number() over (partition by {columns(self.key)} order by _t desc) = 1)"
        return (
            f"(select n.* replace (greatest({self._now}, e._t + {_TICK}) as _t, true as _pure) "
            f"from {newest} n join _last e on {_same(self.key, 'n', 'e')} where e._gone)"
        )

    def _nothing(self, names: Iterable[str]) -> str:
        return "".join(f", cast(null as {sql_type(self.schema.field(n).type)}) as {quote(n)}" for n in names)

    # ------------------------------------------------------------ versions
    def versions(self) -> str:
        """Write the query for the versions that the events make."""
        differ = [_differs(n) for n in self._values]
        lost = [f"not _pure and {_differs(n)}" for n in self._lost]
        said = " or ".join(["lag(_gone, 1, true) over w", *differ, *lost])
        over = f"(partition by {columns(self.key)} order by _t)"
        news = f"case when _gone then not lag(_gone, 1, true) over w else {said} end"
        kept = f"select *, {news} as _news from {EVENTS} window w as {over}"
        lasting = f"select *, lead(_t) over {over} as _until from ({kept}) where _news"
        parts = {_FROM: "_t", _TO: "_until", _CURRENT: "_until is null"}
        shown = ", ".join(f"{parts.get(n, quote(n))} as {quote(n)}" for n in self.schema.names)
        return f"select {shown} from ({lasting}) where not _gone"

    def rows(self) -> str:
        """Write the query for the versions that are new or end otherwise than before."""
        shown = columns(self.schema.names)
        return f"select {shown} from {VERSIONS} except select {shown} from {OLD}"

    def vanished(self, mark: str) -> str:
        """Write the query for the versions that are none any more; `mark` is a true column."""
        same = _same(self.version, "o", "v")
        return f"select {columns(self.version, 'o.')}, true as {mark} from {OLD} o anti join {VERSIONS} v on {same}"


def _same(names: Sequence[str], left: str, right: str) -> str:
    return " and ".join(f"{left}.{quote(n)} = {right}.{quote(n)}" for n in names)


def _equal(name: str, left: str, right: str) -> str:
    return f"{left}.{quote(name)} is not distinct from {right}.{quote(name)}"


def _differs(name: str) -> str:
    return f"lag({quote(name)}) over w is distinct from {quote(name)}"
