"""Words find tables wherever they stand in what is declared of them."""

from __future__ import annotations

import pytest

from lagoa.catalog.search import Hit, fold, search
from lagoa.testing.cove import Cove


def _hits(cove: Cove, *words: str) -> list[Hit]:
    return list(search(cove.project, cove.lake, words).hits)


def _names(cove: Cove, *words: str) -> list[str]:
    return [str(hit.table) for hit in _hits(cove, *words)]


@pytest.fixture
def shop(cove: Cove) -> Cove:
    head = (
        "/*\ndescription: A receita por região, sem devoluções.\ntags: [finanças, daily]\nowner: ana@example.com\n*/\n"
    )
    (cove.root / "models/gold/regions.sql").write_text(f"{head}select state as uf from silver.customers", "utf-8")
    return cove


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("regiao", ["gold.regions"]),
        ("REGIÃO devolucoes", ["gold.regions"]),
        ("financas", ["gold.regions"]),
        ("finanças", ["gold.regions"]),
        ("ana@example", ["gold.regions"]),
        ("models/gold", ["gold.regions", "gold.revenue"]),
        ("uf", ["gold.regions"]),
        ("number of", ["silver.customers"]),
        ("erp@", ["bronze.erp_customers"]),
        ("customers", ["silver.customers", "bronze.erp_customers"]),
        ("customers regiao", []),
        ("spent", ["silver.customers", "silver.southern"]),
    ],
)
def test_every_word_must_stand_somewhere_whatever_its_accents(shop: Cove, words: str, found: list[str]) -> None:
    assert _names(shop, *words.split()) == _names(shop, words) == found


def test_a_name_weighs_more_than_a_column_and_a_whole_word_more_than_a_part(shop: Cove) -> None:
    assert _names(shop, "revenue") == ["gold.revenue"]
    (shop.root / "models/silver/revenue_lines.sql").write_text("select spent as revenue from silver.customers", "utf-8")
    (shop.root / "models/silver/lines.sql").write_text("select spent as revenue from silver.customers", "utf-8")
    (shop.root / "models/silver/nets.sql").write_text("select spent as netrevenue from silver.customers", "utf-8")
    assert _names(shop, "revenue") == ["gold.revenue", "silver.revenue_lines", "silver.lines", "silver.nets"]


def test_columns_are_those_of_the_lake_once_it_has_the_table(cove: Cove) -> None:
    assert _names(cove, "state") == ["gold.revenue", "silver.customers", "silver.southern"]
    cove.fill()
    assert _names(cove, "state") == ["gold.revenue", "silver.customers", "silver.southern", "bronze.erp_customers"]


def test_the_letters_that_matched_are_marked_in_the_text_itself(shop: Cove) -> None:
    match = next(m for m in _hits(shop, "regiao")[0].matches if m.field.where == "description")
    assert [match.field.text[begin:end] for begin, end in match.spans] == ["região"]
    (name,) = [m for m in _hits(shop, "gions", "reg")[0].matches if m.field.where == "name"]
    assert [name.field.text[begin:end] for begin, end in name.spans] == ["regions"]
    told = _hits(shop, "uf")[0].to_json()
    assert told["matches"] == [{"where": "column", "column": "uf", "text": "uf", "spans": [[0, 2]]}]


def test_letters_that_fold_into_several_keep_their_place() -> None:
    assert fold("Ação ﬁm") == ("acao fim", [0, 1, 2, 3, 4, 5, 5, 6])
    assert fold("e\u0301poca")[0] == "epoca"


def test_a_single_word_that_nobody_wrote_gets_the_nearest_one(shop: Cove) -> None:
    found = search(shop.project, shop.lake, ["devolucao"])
    assert (found.hits, found.meant) == ((), "devolucoes")


def test_a_table_that_cannot_be_opened_is_found_all_the_same(cove: Cove) -> None:
    cove.fill()
    for log in cove.lake.root.rglob("_delta_log/*.json"):
        log.write_bytes(b"")
    assert "silver.customers" in _names(cove, "customers")
