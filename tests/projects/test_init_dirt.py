"""`lagoa init --from` looks at files as offices, banks and ministries write them, and proposes nothing wrong."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
import yaml

from lagoa.testing.mouth import Lagoa

Ask = Callable[..., list[dict[str, Any]]]
Propose = Callable[[dict[str, str | bytes]], dict[str, Any]]


@pytest.fixture
def propose(home: Path, lagoa: Lagoa) -> Propose:
    """Write files, let them be looked at, run what is proposed, and give the streams by name."""

    def proposed(files: dict[str, str | bytes]) -> dict[str, Any]:
        for name, content in files.items():
            path = home / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        said = lagoa("init", "new", "--from", str(home / "data"))
        assert said.code == 0, said.err
        run = lagoa("run", folder="new")
        assert run.code == 0, run.err
        found: dict[str, Any] = yaml.safe_load((home / "new/sources/data.yml").read_text("utf-8"))["streams"]
        return found

    return proposed


def _left_out(home: Path, lagoa: Lagoa, name: str, text: str | bytes) -> str:
    """Say why a file is left out that lies beside a good one."""
    (home / "data").mkdir()
    (home / "data/good.csv").write_text("id,v\n1,a\n")
    (home / "data" / name).write_bytes(text.encode() if isinstance(text, str) else text)
    said = lagoa("init", "new", "--from", str(home / "data"), "--json")
    assert said.code == 0, said.err
    return str(next(left["why"] for left in json.loads(said.out)["sources"][0]["left_out"] if left["file"] == name))


def test_folders_of_partitions_become_columns(propose: Propose, ask: Ask) -> None:
    parts = {f"ano={y}/mes={m}/part-0000{m}.csv": f"id,v\n{y}{m},x\n" for y in (2023, 2024) for m in ("01", "02")}
    streams = propose({f"sales/{name}": text for name, text in parts.items()})
    assert {s["path"] for s in streams.values()} == {"sales/ano={ano}/mes={mes}/part-*.csv"}
    rows = ask("new", f"select ano, mes, id from bronze.data_{next(iter(streams))} order by id")
    assert [tuple(r.values()) for r in rows][1:3] == [("2023", "02", "202302"), ("2024", "01", "202401")]


def test_a_file_that_cannot_be_read_is_named_as_it_is_called(home: Path, lagoa: Lagoa) -> None:
    why = _left_out(home, lagoa, "events.ndjson", '{"id": 1}\n{"ID": 2}\n')
    assert why == "columns `id` and `ID` would both be called `id`"


def test_what_excel_leaves_beside_an_open_workbook_is_passed_over(home: Path, propose: Propose, lagoa: Lagoa) -> None:
    book: Any = openpyxl.Workbook()
    for row in (("id", "v"), (1, 2)):
        book.active.append(row)
    (home / "data").mkdir()
    book.save(home / "data/plan 1.xlsx")
    assert propose({"~$plan 1.xlsx": b"\6Ana"})["plan"]["path"] == "plan *.xlsx"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("COTAHIST.TXT", f"{'00COTAHIST':245}\n{'012024110102PETR4 ação':245}\n", "every line has 245 characters"),
        ("extrato.ofx", "OFXHEADER:100\nDATA:OFXSGML\n", "export it as CSV"),
        ("a.csv.crdownload", "id,v\n1,", "still being written"),
    ],
)
def test_what_is_left_out_says_what_to_do(home: Path, lagoa: Lagoa, name: str, text: str, words: str) -> None:
    assert words in _left_out(home, lagoa, name, text)


def test_numbers_that_each_file_begins_anew_are_no_key_that_loses_rows(propose: Propose, ask: Ask) -> None:
    files: dict[str, str | bytes] = {
        f"vendas-2024-{month}.csv": "numero,dia,valor\n" + "".join(f"{n},{month}-{n},{n}.{month}\n" for n in (1, 2, 3))
        for month in (10, 11)
    }
    assert propose(files)["vendas"]["mode"] == "append"
    assert ask("new", "select count(*) as n from bronze.data_vendas") == [{"n": 6}]


@pytest.mark.parametrize(
    ("mark", "values", "kind"),
    [
        (";", ("1.030", "987", "1.111"), "text"),  # one thousand and thirty, where ministries write it
        (";", ("1.030.000", "987", "1.111"), "bigint"),
        (";", ("1.030", "0.987", "1.111"), "decimal(18, 3)"),
        (";", ("1,030", "2,987", "1,111"), "decimal(18, 3)"),
        (",", ('"1,030"', "987", '"1,111"'), "text"),
        (",", ('"1,030"', "987.50", '"1,111"'), "decimal(18, 2)"),
        (";", ("R$ 1.234,56", "-R$ 5,00", "(3,00)"), None),
    ],
)
def test_a_mark_that_may_part_thousands_or_decimals_is_not_taken_for_one_of_them(
    propose: Propose, mark: str, values: tuple[str, ...], kind: str | None
) -> None:
    text = f"id{mark}x\n" + "".join(f"{n}{mark}{value}\n" for n, value in enumerate(values))
    columns = propose({"a.csv": text})["a"]["columns"]
    assert columns["x"].get("type", "text") == (kind or "text")


def test_a_date_that_may_begin_with_its_month_is_told(home: Path, propose: Propose) -> None:
    text = "id;told;open\n1;13/02/2024;03/02/2024\n2;01/02/2024;04/05/2024\n"
    assert propose({"a.csv": text})["a"]["date_format"] == "%d/%m/%Y"
    lines = (home / "new/sources/data.yml").read_text("utf-8").splitlines()
    assert [line.partition(": ")[0].strip() for line in lines if "no value tells" in line] == ["open"]


def _book(home: Path, name: str, sheets: dict[str, list[list[Any]]], hidden: str = "") -> None:
    book: Any = openpyxl.Workbook()
    book.remove(book.active)
    for called, rows in sheets.items():
        sheet = book.create_sheet(called)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if called == hidden else "visible"
    (home / "data").mkdir(exist_ok=True)
    book.save(home / "data" / name)


@pytest.mark.parametrize(
    ("rows", "said", "columns"),
    [
        (
            [["Relatório"], ["Emitido em 01/11/2024"], [], ["Código", "Cliente", "%"], ["00001", "Ana", 1.5]],
            {"skip": 3},
            ["codigo", "cliente", "column_3"],
        ),
        (
            [["Loja", "2023", None, "2024"], [None, "jan", "fev", "jan"], ["SP", 1, 2, 3], ["RJ", 4, 5, 6]],
            {"header": 2},
            ["loja", "2023_jan", "2023_fev", "2024_jan"],
        ),
        ([["id", None, "nome"], ["a", "b", "c"], ["d", "e", "f"]], {}, ["id", "column_2", "nome"]),
        ([[1, "Ana", 10], [2, "Zé", 20]], {"header": False}, ["column_1", "column_2", "column_3"]),
        ([["Município", 2020, 2021], ["Adolfo", 1, 2]], {}, ["municipio", "2020", "2021"]),
    ],
)
def test_the_header_of_a_sheet_is_found_and_takes_no_record(
    home: Path, propose: Propose, ask: Ask, rows: list[list[Any]], said: dict[str, Any], columns: list[str]
) -> None:
    _book(home, "a.xlsx", {"S": rows})
    stream = propose({})["a"]
    assert {k: stream[k] for k in ("skip", "header") if k in stream} == said
    found = ask("new", "select * exclude (_run, _loaded_at, _source) from bronze.data_a")
    assert list(found[0]) == columns
    wide = [row for row in rows if sum(cell is not None for cell in row) > 1]
    assert len(found) == len(wide) - {False: 0, 2: 2}.get(said.get("header", 1), 1)


def test_each_visible_sheet_is_a_stream_unless_they_are_alike(home: Path, propose: Propose, ask: Ask) -> None:
    loja: list[list[Any]] = [["id", "nome"], [1, "Ana"], [2, "Zé"]]
    _book(home, "mixed.xlsx", {"Vendas": [["id", "valor"], [1, 1.5]], "Clientes": loja, "Lista": loja}, hidden="Lista")
    _book(home, "year.xlsx", {m: [["dia", "valor"], [n, 1.5]] for n, m in enumerate(("Jan", "Fev", "Mar"))})
    _book(home, "one.xlsx", {"Dados": loja, "Vazia": []})
    _book(home, "last.xlsx", {"Vazia": [], "Oculta": loja, "Dados": loja}, hidden="Oculta")
    streams = propose({})
    assert {name: s.get("sheet") for name, s in streams.items()} == {
        "mixed_clientes": "Clientes",
        "mixed_vendas": "Vendas",
        "last": "Dados",
        "one": None,
        "year": "*",
    }
    counts = {n: ask("new", f"select count(*) as n from bronze.data_{n}")[0]["n"] for n in streams}
    assert counts == {"mixed_clientes": 2, "mixed_vendas": 1, "last": 2, "one": 2, "year": 3}


def _rows(header: str, row: Callable[[int], str], count: int) -> str:
    return header + "\n" + "".join(row(n) + "\n" for n in range(1, count + 1))


def test_what_differs_by_accident_is_no_key(propose: Propose) -> None:
    streams = propose(
        {
            "extrato.csv": _rows("data;valor", lambda n: f"{n:02}/10/2024;{n},50", 24),
            "events.csv": _rows("name,session_id", lambda n: f"click,s-{n}", 4),
            "lojas.csv": _rows("codigo,nome", lambda n: f"L-{n},x", 4),
            "selic.csv": _rows("data,valor", lambda n: f"{2000 + n // 12}-{n % 12 + 1:02}-01,1.5", 120),
        }
    )
    assert {name: s.get("key") for name, s in streams.items()} == {
        "extrato": None,
        "events": None,
        "lojas": "codigo",
        "selic": "data",
    }


def test_names_of_companies_are_not_personal_and_pseudonyms_are(propose: Propose) -> None:
    banks = _rows("code,name,full_name", lambda n: f"{n},Banco {chr(64 + n)},Banco {chr(64 + n)} S.A.", 9)
    voters = "NM_CANDIDATO;NR_CPF_CANDIDATO;NR_TITULO_ELEITORAL_CANDIDATO;DS_EMAIL"
    streams = propose(
        {
            "banks.csv": banks,
            "artist.csv": _rows("artist_id,name", lambda n: f"{n},The Who {chr(64 + n)}", 9),
            "customers.csv": _rows("customer_id,customer_unique_id", lambda n: f"{n},{n:032x}", 9),
            "candidatos.csv": _rows(voters, lambda n: f"ANA {chr(64 + n)};-4;12345678{n:04};#NULO#", 9),
            "users.ndjson": '{"id": 1, "company": {"name": "Deckow"}, "boss": {"name": "Ana"}}\n',
        }
    )
    found = {
        name: {column: said["pii"] for column, said in s.get("columns", {}).items() if "pii" in said}
        for name, s in streams.items()
    }
    assert found == {
        "banks": {},
        "artist": {},
        "customers": {"customer_unique_id": "pseudonym"},
        "candidatos": {
            "nm_candidato": "name",
            "nr_cpf_candidato": "cpf",
            "nr_titulo_eleitoral_candidato": "id_card",
            "ds_email": "email",
        },
        "users": {"boss": "name"},
    }


def test_what_an_index_of_sqlite_keeps_for_itself_is_no_table(home: Path, propose: Propose) -> None:
    (home / "data").mkdir()
    with sqlite3.connect(home / "data/shop.db") as file:
        file.execute("create virtual table search using fts5(title)")
        file.execute("insert into search values ('duck')")
        file.execute("create table search_log (id integer primary key)")
    propose({"a.csv": "id,v\n1,a\n"})
    shop = yaml.safe_load((home / "new/sources/shop.yml").read_text("utf-8"))
    assert sorted(shop["streams"]) == ["search", "search_log"]


def test_times_that_sqlite_keeps_as_numbers_land_as_such(home: Path, propose: Propose, ask: Ask) -> None:
    (home / "data").mkdir()
    with sqlite3.connect(home / "data/shop.db") as file:
        file.execute("create table sales (id integer primary key, at datetime, day date, said date, none date)")
        file.execute("insert into sales values (1, 1704067200, 2460310.5, '2024-01-01', null)")
    propose({"a.csv": "id,v\n1,a\n"})
    shop = yaml.safe_load((home / "new/sources/shop.yml").read_text("utf-8"))
    assert shop["streams"]["sales"]["columns"] == {"at": {"type": "bigint"}, "day": {"type": "double"}}
    (row,) = ask("new", 'select "at", day, said from bronze.shop_sales')
    assert list(row.values()) == [1704067200, 2460310.5, "2024-01-01"]


def test_a_header_longer_than_what_is_looked_at_is_one(home: Path, lagoa: Lagoa) -> None:
    names = [f"measure {n:03} {'x' * 2000}" for n in range(200)]
    text = ",".join(names) + "\n" + (",".join("1" for _ in names) + "\n") * 3
    (home / "data").mkdir()
    (home / "data/wide.csv").write_text(text)
    said = lagoa("init", "new", "--from", str(home / "data"), "--json")
    assert said.code == 0, said.err
    (stream,) = json.loads(said.out)["sources"][0]["streams"]
    assert stream["rows"] == 3
    assert "header: false" not in (home / "new/sources/data.yml").read_text("utf-8")


def test_tables_of_all_schemas_of_a_file_are_proposed(home: Path, propose: Propose, ask: Ask) -> None:
    (home / "data").mkdir()
    with duckdb.connect(str(home / "data/shop.duckdb")) as file:
        file.execute("create schema vendas; create table vendas.orders as select 1 as id; create table orders (id int)")
    propose({"a.csv": "id,v\n1,a\n"})
    shop = yaml.safe_load((home / "new/sources/shop.yml").read_text("utf-8"))
    assert {name: s["table"] for name, s in shop["streams"].items()} == {
        "orders": '"main"."orders"',
        "vendas_orders": '"vendas"."orders"',
    }
    assert ask("new", "select id from bronze.shop_vendas_orders") == [{"id": 1}]


def test_files_called_by_a_date_alone_are_followed_by_others(propose: Propose) -> None:
    assert propose({"ptax/20241101.csv": "data;valor\n01/11/2024;5,77\n"})["ptax"]["path"] == "ptax/????????.csv"


def test_the_features_of_a_map_are_its_records(propose: Propose) -> None:
    features = '{"type": "Feature", "properties": {"id": 1}}, {"type": "Feature", "properties": {"id": 2}}'
    map = f'{{"type": "FeatureCollection", "features": [{features}]}}'
    assert propose({"cities.geojson": map})["features"]["records"] == "$.features"


def test_of_very_many_columns_the_first_are_looked_at_closely(
    home: Path, propose: Propose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lagoa.propose.files.stream._CLOSELY", 2)
    columns = propose({"wide.csv": "a,b,c,cpf\n1,2,3,4\n"})["wide"]["columns"]
    assert columns == {"a": {"type": "bigint"}, "b": {"type": "bigint"}, "cpf": {"pii": "cpf"}}
    written = (home / "new/sources/data.yml").read_text("utf-8")
    assert "# only the first 2 columns were looked at closely; the others stay text" in written


def test_each_kind_of_records_of_a_tax_file_is_a_stream(propose: Propose, ask: Ask) -> None:
    text = "|0000|018|1,5|AÇÚCAR LTDA|\r\n|0150|C1|CLIENTE|52998224725|\r\n"
    text += "".join(f'|C100|{n}|0{n}012024|{n}00,50|\r\n|C170|{n}|"P" {n}|\r\n' for n in range(1, 9)) + "|9999|19|\r\n"
    streams = propose({"SPED-2024-01.txt": text.encode("latin-1"), "SPED-2024-02.txt": text.encode("latin-1")})
    of = {name.removeprefix("n"): name for name in streams}
    assert {tag: streams[name]["lines"] for tag, name in of.items()} == {
        tag.lower(): f"|{tag}|*" for tag in ("0000", "0150", "9999", "C100", "C170")
    }
    assert {s["path"] for s in streams.values()} == {"SPED-*.txt"}
    assert streams[of["0150"]]["columns"]["column_5"] == {"type": "text", "pii": "cpf"}
    counts = {tag: ask("new", f"select count(*) as n from bronze.data_{name}")[0]["n"] for tag, name in of.items()}
    assert counts == {"0000": 2, "0150": 2, "9999": 2, "c100": 16, "c170": 16}
    (row,) = ask("new", f"select * from bronze.data_{of['c170']} where column_3 = 8 and _source like '%01.txt%'")
    assert (row["column_4"], row["_source"]) == ('"P" 8', "SPED-2024-01.txt:18")
