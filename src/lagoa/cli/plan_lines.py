"""A plan as a person reads it: the sentence first, then a line for each step, and below it how its columns change."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from lagoa.cli import screen

if TYPE_CHECKING:
    from lagoa.plan.step import Amount, Plan, Step

SIGNS = {"new": "+", "changed": "~", "new data": "↑", "up to date": "=", "read": "?", "removed": "-", "blocked": "×"}
SIGNS |= {"view": "·", "deferred": "→"}
"""One sign for each status, so that a column of them can be read at a glance."""
_NARROW = 24
"""Columns below which a reason is not cut but wrapped: too little of it would be left."""
_COLOURS = {"new": "green", "changed": "yellow", "new data": "cyan", "removed": "magenta", "blocked": "red"}


def show(plan: Plan, name: str, everything: bool = False) -> None:
    """Write a plan: the sentence first, then a line for each step."""
    screen.out(f"{name} on {plan.target}: {sentence(plan)}")
    quiet = {s.table for s in plan.selected if s.status in ("up to date", "view", "deferred") and not s.conditional}
    shown = [s for s in plan.selected if everything or s.table not in quiet]
    if not shown:
        return
    screen.out()
    wide = max(len(str(s.table)) for s in shown)
    states = max(len(s.status) for s in shown)
    amounts = [(_amount(s.reading), _amount(s.writing)) for s in shown]
    widths = [max(map(len, column)) for column in zip(*amounts, strict=True)]
    widths = [max(w, len(title)) if any(widths) else 0 for w, title in zip(widths, ("reads", "writes"), strict=True)]
    if any(widths):
        titles = "  ".join(f"{title:>{w}}" for w, title in zip(widths, ("reads", "writes"), strict=True))
        screen.out(screen.dim(f"{'':{wide + states + 8}}{titles}"))
    for step, cells in zip(shown, amounts, strict=True):
        both = "  ".join(f"{cell:>{w}}" for w, cell in zip(widths, cells, strict=True)) if any(widths) else ""
        screen.out(_line(step, wide, states, both))
        for line in _details(step):
            screen.out(screen.dim(f"      {line}"))


def sentence(plan: Plan) -> str:
    """Say in one sentence what the plan amounts to."""
    some = screen.some
    certain = [s for s in plan.steps if s.status not in ("blocked", "removed")]
    streams = [s for s in certain if s.table.layer == "bronze"]
    models = [s for s in certain if s.table.layer != "bronze" and not s.conditional]
    maybe = [*(s for s in certain if s.table.layer != "bronze" and s.conditional), *plan.maybe]
    dropped = [s for s in plan.steps if s.status == "removed"]
    parts = [
        (len(streams), f"{some(len(streams), 'stream')} to load"),
        (len(plan.reads), f"{some(len(plan.reads), 'stream')} to ask for news"),
        (len(models), f"{some(len(models), 'table')} to write"),
        (len(maybe), f"{some(len(maybe), 'table')} to write if there is news"),
        (len(dropped), f"{some(len(dropped), 'table')} to drop"),
        (len(plan.blocked), f"{some(len(plan.blocked), 'table')} blocked"),
    ]
    said = ", ".join(words for count, words in parts if count)
    elsewhere = f", {len(plan.deferred):,} read elsewhere" if plan.deferred else ""
    if said:
        return f"{said}{elsewhere}."
    fresh = sum(s.status == "up to date" and not s.conditional for s in plan.selected)
    return f"nothing to write. {some(fresh, 'table')} up to date{elsewhere}."


def _line(step: Step, wide: int, states: int, amounts: str) -> str:
    colour = _COLOURS.get(step.status)
    sign = click.style(SIGNS[step.status], fg=colour, bold=colour is not None)
    status = click.style(f"{step.status:<{states}}", fg=colour)
    unsaid = step.status in ("read", "blocked") or step.table.layer == "bronze"  # a stream's reason says it already
    condition = "if there is news: " if step.conditional and not unsaid else ""
    condition = "if that changes rows: " if condition and step.status == "new data" else condition
    amounts = f"{amounts}  " if amounts else ""
    room = (screen.width(sys.stdout) or 10_000) - (wide + states + len(amounts) + len("  +     "))
    why = condition + step.reason
    why = why if len(why) <= room or room < _NARROW else f"{why[: room - 1]}…"
    return f"  {sign} {step.table!s:<{wide}}  {status}  {amounts}{screen.dim(why)}".rstrip()


def _amount(amount: Amount) -> str:
    if amount.rows is None:
        return ""
    size = "" if amount.bytes is None else f", {screen.size(amount.bytes)}"
    return f"{screen.some(amount.rows, 'row')}{size}"


def _details(step: Step) -> Iterator[str]:
    """Say how the columns change, and who feels it."""
    changed = step.columns
    if changed is None:
        return
    signed = [("+", name, kind) for name, kind in changed.added]
    signed += [("-", name, kind) for name, kind in changed.removed]
    signed += [("~", name, f"{was} → {kind}") for name, was, kind in changed.retyped]
    wide, kinds = max(len(name) for _, name, _ in signed), max(len(kind) for *_, kind in signed)
    some = [f.by for f in step.felt if not f.sure]
    unread = "" if some else "nothing reads it"
    direct = {f"{step.table}.{name}".lower() for _, name, _ in signed}
    for sign, name, kind in signed:
        readers = [f"{f.by} (fails)" if f.fails else f.by for f in step.felt if _is(f.column, f"{step.table}.{name}")]
        said = "" if sign == "+" else f"read by {_list(readers)}" if readers else unread
        yield f"{sign} {name:<{wide}}  {kind:<{kinds}}  {said}".rstrip()
    if some:
        yield f"{_list(some)} reads the table; which columns, only Python knows"
    further = [f"{f.by} (fails)" if f.fails else f.by for f in step.felt if f.sure and f.column.lower() not in direct]
    if further:
        yield f"and behind them {_list(further)}"


def _is(column: str, name: str) -> bool:
    return column.lower() == name.lower()


def _list(words: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(words))
