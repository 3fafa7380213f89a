"""A small sound project whose tables are filled by hand: what reads a project can be tested without a run."""

from __future__ import annotations

from pathlib import Path

from lagoa.ports import Engine, Session
from lagoa.project.load import load
from lagoa.project.model import Project
from lagoa.spec.names import TableName
from lagoa.testing.shore import Shore

BRONZE = TableName("bronze", "erp_customers")
CUSTOMERS = TableName("silver", "customers")
REVENUE = TableName("gold", "revenue")
FILES = {
    "lagoa.yml": "name: loja\ntimezone: America/Sao_Paulo\n",
    "sources/erp.yml": """\
type: files
owner: erp@example.com
streams:
  customers:
    path: customers.csv
    description: Who buys.
    columns:
      id: {type: bigint}
      cpf: {pii: cpf}
""",
    "models/silver/customers.sql": """\
/*
description: One row per customer.
columns:
  id: {description: The number of the customer.}
*/
select id, cpf, state, spent from bronze.erp_customers
""",
    "models/silver/southern.sql": "/*\nkind: view\n*/\nselect * from silver.customers where state = 'RS'\n",
    "models/gold/revenue.sql": "select state, sum(spent) as revenue from silver.customers group by all\n",
}
ROWS = """
select i::bigint as id, '111.222.333-4' || i as cpf, {state} as state, (i * 10.5)::decimal(9, 2) as spent
from range({n}) t(i)
"""


class Cove:
    """The project, its lake, and the engine to ask them."""

    def __init__(self, root: Path, engine: Engine, session: Session) -> None:
        for name, text in FILES.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.root, self.engine = root, engine
        self.shore = Shore(root, session)
        self.lake = self.shore.lake

    @property
    def project(self) -> Project:
        """Load the project as its files are now."""
        return load(self.root)

    def fill(self, rows: int = 4, state: str = "case when i % 2 = 0 then 'RS' end", bad: int = 0) -> None:
        """Publish a version of bronze and silver customers; gold is left unbuilt."""
        sql = ROWS.format(n=rows, state=state)
        self.shore.publish(sql, "replace", BRONZE, personal=["cpf"])
        self.shore.publish(sql, "replace", CUSTOMERS, bad=bad)
