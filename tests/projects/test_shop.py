"""The shop: what a newcomer sees in the first minutes, from the first command to the undone mistake."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lagoa.testing.mouth import Lagoa

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that has run once, copied for each test that changes it."""
    import subprocess
    import sys

    home = tmp_path_factory.mktemp("built")
    for args in (["init", "shop"], ["-C", "shop", "run", "-q"]):
        subprocess.run([sys.executable, "-m", "lagoa", *args], cwd=home, check=True, capture_output=True)
    return home / "shop"


@pytest.fixture
def shop(built: Path, home: Path) -> Path:
    return Path(shutil.copytree(built, home / "shop"))


def lake(shop: Path) -> dict[str, bytes]:
    return {str(p.relative_to(shop)): p.read_bytes() for p in (shop / "lake").rglob("*") if p.is_file()}


def test_the_first_run_builds_everything_and_says_what_comes_next(lagoa: Lagoa) -> None:
    assert lagoa("init", "shop").code == 0
    assert lagoa("validate", folder="shop").code == 0
    said = lagoa("run", folder="shop")
    assert said.code == 0
    lines = said.out.splitlines()
    assert re.fullmatch(r"14 tables published, 16,\d{3} rows, 5 quarantined, \d+\.\d s\.", lines[0])
    assert lines[2].split() == ["table", "what", "happened", "rows", "quarantined", "time"]
    assert len(lines) == 4 + 14
    assert "lagoa query" in said.err


def test_every_bad_record_is_set_aside_with_its_reason(shop: Path, ask: Ask) -> None:
    assert shop.is_dir()
    orders = ask("shop", "select _source, _reason, _raw from quarantine.bronze_shop_orders")
    assert [o["_source"] for o in orders] == ["orders/2026-02.csv:102"]
    assert "31/02/2026" in orders[0]["_raw"]
    items = ask("shop", "select _raw from quarantine.bronze_shop_items")
    assert "a combinar" in items[0]["_raw"]
    reasons = ask("shop", "select _reason from quarantine.silver_customers order by 1")
    assert [r["_reason"] for r in reasons] == ["cpf matches", "customer_id not_null"]
    assert len(ask("shop", "from quarantine.silver_order_items")) == 1


def test_what_the_files_say_is_what_the_tables_hold(shop: Path, ask: Ask) -> None:
    files = sorted((shop / "landing/items").glob("*.csv"))
    lines = [line.split(";") for f in files for line in f.read_text("latin-1").splitlines()[1:]]
    good = [row for row in lines if row[4] != "a combinar"]
    cents = sum(int(row[3]) * int(row[4].replace(".", "").replace(",", "")) for row in good)
    sql = "select count(*) as n, sum(quantity * unit_price) as total from bronze.shop_items"
    found = ask("shop", sql)[0]
    assert (found["n"], round(found["total"] * 100)) == (len(good), cents)
    names = ask("shop", "select name from bronze.shop_customers where customer_id = 1")
    customers = (shop / "landing/customers.csv").read_text("latin-1").splitlines()
    assert names[0]["name"] == customers[1].split(";")[1]


def test_a_second_run_commits_nothing(shop: Path, lagoa: Lagoa) -> None:
    before = lake(shop)
    said = lagoa("run", folder="shop")
    assert said.code == 0
    assert said.out.startswith("Nothing to write. 14 tables up to date")
    assert lake(shop) == before


def test_a_new_month_adds_its_rows_once(shop: Path, lagoa: Lagoa, ask: Ask) -> None:
    orders = ask("shop", "select count(*) as n from bronze.shop_orders")[0]["n"]
    shutil.copytree(shop / "later", shop / "landing", dirs_exist_ok=True)
    later = len((shop / "later/orders/2026-11.csv").read_text("latin-1").splitlines()) - 1
    assert lagoa("run", folder="shop").code == 0
    assert ask("shop", "select count(*) as n from bronze.shop_orders")[0]["n"] == orders + later
    assert ask("shop", "select count(*) as n from gold.revenue_by_month")[0]["n"] == 11
    assert lagoa("run", folder="shop").out.startswith("Nothing to write.")


def test_the_plan_says_what_changed_and_metadata_rebuilds_nothing(shop: Path, lagoa: Lagoa) -> None:
    model = shop / "models/gold/best_products.sql"
    model.write_text(model.read_text().replace("The products by revenue", "Products, best first"))
    assert json.loads(lagoa("plan", "--json", "-s", "gold.best_products", folder="shop").out)["steps"] == []
    model.write_text(model.read_text().replace("sum(amount)", "max(amount)"))
    step = json.loads(lagoa("plan", "--json", "-s", "gold.best_products", folder="shop").out)["steps"][0]
    assert (step["table"], step["status"]) == ("gold.best_products", "changed")
    assert "revenue" in step["reason"]


def test_a_dry_run_writes_nothing(shop: Path, lagoa: Lagoa) -> None:
    before = lake(shop)
    assert lagoa("run", "--dry-run", "--full", folder="shop").code == 0
    assert lagoa("maintain", "--dry-run", folder="shop").code == 0
    assert lagoa("restore", "gold.forecast", "0", "--dry-run", folder="shop").code == 0
    assert lake(shop) == before


def test_a_blocked_model_ends_with_1_and_readers_see_the_last_version(shop: Path, lagoa: Lagoa, ask: Ask) -> None:
    model = shop / "models/silver/products.sql"
    model.write_text(model.read_text().replace("{min: 0}", "{min: 1000}"))
    said = lagoa("run", folder="shop")
    assert said.code == 1
    assert "error[LG-401]" in said.err
    assert re.search(r"silver\.products +failed, not published", said.out)
    assert len(ask("shop", "from silver.products")) == 42


def test_a_mistake_is_put_back(shop: Path, lagoa: Lagoa, ask: Ask) -> None:
    model = shop / "models/gold/best_products.sql"
    model.write_text(model.read_text().replace("group by all", "where category = 'café' group by all"))
    assert lagoa("run", folder="shop").code == 0
    assert len(ask("shop", "from gold.best_products")) == 9
    said = lagoa("restore", "gold.best_products", "0", folder="shop")
    assert said.code == 0
    assert said.out == (
        "Put gold.best_products from version 1 (9 rows) to what it was at version 0 (42 rows). It is version 2 now.\n"
    )
    assert len(ask("shop", "from gold.best_products")) == 42
    assert lagoa("restore", "gold.best_products", "9", folder="shop").code == 1


def test_what_is_maintained_is_whole(shop: Path, lagoa: Lagoa) -> None:
    assert lagoa("maintain", folder="shop").code == 0
    said = lagoa("doctor", "--verify", folder="shop")
    assert said.code == 0
    assert "no damage; every byte read" in said.out
    victim = next((shop / "lake/silver/orders").glob("*.parquet"))
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    said = lagoa("doctor", "--verify", folder="shop")
    assert said.code == 1
    assert victim.name in said.out


def test_the_history_of_runs_may_be_asked_and_deleted(shop: Path, lagoa: Lagoa, ask: Ask) -> None:
    runs = ask("shop", "select run, status, published, quarantined from history.runs")
    assert [(r["status"], r["published"], r["quarantined"]) for r in runs] == [("done", 14, 5)]
    assert lagoa("show", runs[0]["run"], folder="shop").code == 0
    shutil.rmtree(shop / ".lagoa")
    assert lagoa("run", folder="shop").out.startswith("Nothing to write.")


def test_a_target_of_another_name_has_its_own_lake(shop: Path, lagoa: Lagoa) -> None:
    (shop / "lagoa.yml").write_text("name: shop\ntargets: {trial: {lake: trial}}\n")
    assert lagoa("run", "-t", "trial", "-s", "bronze.shop_products", folder="shop").code == 0
    assert (shop / "trial/bronze/shop_products/_delta_log").is_dir()
    assert lagoa("run", "-t", "nowhere", folder="shop").code == 2
