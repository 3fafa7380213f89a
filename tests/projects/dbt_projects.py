"""Two dbt projects to be translated: the classic shop, and sales with macros, an incremental model and a snapshot.

Their text stands in `dbt/`; the seeds are made here, so that no file of anybody else is needed.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

PROJECTS = Path(__file__).with_name("dbt")
ROUNDS = {"shop": (1,), "sales": (1, 2)}
"""How often the data of each project comes: sales has news in the second round."""
_NAMES = ("Ana", "Bruno", "Carla", "Diego", "Elisa", "Fabio", "Gilda", "Hugo", "Iara", "Luis", "Nilo", "Olga", "Paulo")
_DOCS = """\
{% docs orders_status %}
Where an order stands: placed, shipped, completed, return_pending or returned.
{% enddocs %}
"""


def write(name: str, folder: Path, number: int = 1) -> Path:
    """Write a dbt project with the data of a round; return its folder."""
    shutil.copytree(PROJECTS / name, folder, dirs_exist_ok=True)
    (folder / "seeds").mkdir(exist_ok=True)
    if name == "shop":
        (folder / "models" / "docs.md").write_text(_DOCS, encoding="utf-8")
        _shop(folder / "seeds", Random(7))
    else:
        _sales(folder / "seeds", Random(11), number)
    return folder


def _csv(path: Path, head: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(head.split())
        writer.writerows(rows)


def _shop(seeds: Path, luck: Random) -> None:
    people = [(i, luck.choice(_NAMES), luck.choice("ABCDEFGHLMNPRST") + ".") for i in range(1, 101)]
    states = ("placed", "shipped", "completed", "returned", "return_pending")
    orders = [
        (i, luck.randint(1, 70), date(2018, 1, 1) + timedelta(days=luck.randint(0, 120)), luck.choice(states))
        for i in range(1, 151)
    ]
    ways = ("credit_card", "coupon", "bank_transfer", "gift_card")
    paid = [(o[0], luck.choice(ways), luck.randint(0, 3099)) for o in orders for _ in range(luck.choice((0, 1, 1, 2)))]
    _csv(seeds / "raw_customers.csv", "id first_name last_name", people)
    _csv(seeds / "raw_orders.csv", "id user_id order_date status", orders)
    _csv(seeds / "raw_payments.csv", "id order_id payment_method amount", [(i, *p) for i, p in enumerate(paid, 1)])


def _sales(seeds: Path, luck: Random, number: int) -> None:
    countries = [
        ("br", "Brazil", 8515767, "1822-09-07", "true", "2024-01-01 10:00:00", "", "012"),
        ("pt", "Portugal", 92230.5, "1143-10-05", "false", "2024-02-03 11:12:13", 'a, "b"', "7"),
        ("uy", "Uruguay", 176215, "1825-08-25", "FALSE", "2024-02-03 00:00:00", "null", ""),
    ]
    _csv(seeds / "countries.csv", "code name area since is_big when_seen note digits", countries)
    begin = datetime(2023, 12, 30)
    sales = [
        [
            i,
            luck.randint(1, 40),
            luck.choice(("br", "pt", "uy", "")),
            luck.randint(1, 9999) / 100,
            begin + timedelta(hours=i),
        ]
        for i in range(1, 201)
    ]
    if number == 2:
        later = sales[-1][4]
        assert isinstance(later, datetime)
        for step, row in enumerate(luck.sample(sales, 20), 1):
            row[3], row[4] = luck.randint(1, 9999) / 100, later + timedelta(hours=step)
        sales += [[i, 41, "br", 1.5, later + timedelta(days=2, hours=i)] for i in range(201, 221)]
    _csv(seeds / "raw_sales.csv", "id customer country amount updated_at", sales)
