"""Finds personal data inside structs and lists: a column of them is as personal as what it holds."""

from __future__ import annotations

from lagoa.kit.text import literal, quote
from lagoa.ports import Session
from lagoa.propose.files.facts import SHAPES, Facts, look_at
from lagoa.propose.files.names import plain_name
from lagoa.propose.files.personal import personal

_FIELDS = 50
"""How many fields of a column are looked at closely."""
_TELLING = ("like_cpf", "masked", "email", "phone", "ip")
_FIRST = ("cpf", "name", "email", "birth_date", "phone")
"""Which kind a column is called by that holds several."""


def personal_inside(session: Session, stream: str, table: str, column: str) -> tuple[str, str] | None:
    """Return the kind of personal data in the texts of a nested column, and why; None where there is none."""
    steps = r"regexp_replace(substr(t.fullkey, 3), '\[\d+\]', '', 'g')"
    session.run(
        f"create or replace temp table _texts as select {steps} as field, t.atom ->> '$' as v "
        f"from {table} s, json_tree(to_json(s.{quote(column)})) t where t.type = 'VARCHAR'"
    )
    told = " + ".join(f"avg(regexp_full_match(trim(v), {literal(SHAPES[shape])})::int)" for shape in _TELLING)
    likely = {
        str(f): share > 0.5 for f, share in session.rows(f"select field, {told} from _texts group by all order by 1")
    }
    called = {field: plain_name(f"{column}_{field.replace('.', '_')}") for field in likely}
    named = personal(stream, {name: Facts(0, 0, 0) for name in called.values() if name})
    facts: dict[str, Facts] = {}
    spelled: dict[str, str] = {}
    for field in [f for f, name in called.items() if name and (likely[f] or name in named)][:_FIELDS]:
        session.run(f"create or replace temp table _field as select v from _texts where field = {literal(field)}")
        facts[called[field]], spelled[called[field]] = look_at(session, "_field", "v"), field
    found = sorted(personal(stream, facts).items(), key=lambda f: _FIRST.index(f[1][0]) if f[1][0] in _FIRST else 9)
    return next(((kind, f"`{spelled[name]}` in it: {why}") for name, (kind, why) in found), None)
