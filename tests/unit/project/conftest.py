"""A small sound project that each test makes unsound in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Write = Callable[..., Path]

SOUND = {
    "lagoa.yml": "name: loja\n",
    "sources/erp.yml": """\
type: files
streams:
  orders:
    path: data/orders.csv
    columns:
      id: {type: bigint}
  customers: {path: data/customers.csv}
""",
    "models/silver/orders.sql": """\
/*
description: Paid orders.
*/
select o.id, o.amount, c.state
from bronze.erp_orders as o
join bronze.erp_customers as c on c.id = o.customer_id
""",
    "models/gold/revenue.sql": "select state, sum(amount) as total from silver.orders group by state\n",
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the sound project with some files changed; None leaves a file out."""

    def written(changes: Mapping[str, str | None] | None = None) -> Path:
        for name, text in {**SOUND, **(changes or {})}.items():
            if text is None:
                continue
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return written
