"""The columns by which a query joins are found through aliases, CTEs, subqueries and unions."""

from __future__ import annotations

import pytest

from lagoa.sql.lineage import equal

CASES = {
    "select 1 from silver.a join silver.b as x on a.id = x.a_id": ["silver.a.id silver.b.a_id"],
    "select 1 from silver.a join silver.b using (id)": ["silver.a.id silver.b.id"],
    "with x as (select id as k from silver.a) select * from x join silver.b on b.z::int = x.k": [
        "silver.b.z silver.a.id"
    ],
    "select 1 from silver.a where k in (select z from silver.b)": ["silver.a.k silver.b.z"],
    "select 1 from silver.a where exists (select 1 from silver.b where b.z = a.k)": ["silver.b.z silver.a.k"],
    "with u as (from silver.a union all select n from silver.c) select 1 from u join silver.b b on u.id = b.z": [
        "silver.a.id silver.b.z"
    ],
    "select 1 from silver.a, silver.b where a.id > b.id and a.n = 3": [],
    "not a query": [],
}


@pytest.mark.parametrize("query", CASES)
def test_what_a_query_holds_equal_is_found(query: str) -> None:
    assert [f"{a} {b}" for a, b in equal(query)] == CASES[query]
