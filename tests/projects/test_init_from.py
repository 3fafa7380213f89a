"""`lagoa init --from`: what exists becomes a project that runs as it is, and accounts for every record."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
import yaml

from lagoa.testing import mariadb, postgres
from lagoa.testing.mariadb import running_mariadb
from lagoa.testing.mouth import Lagoa
from lagoa.testing.postgres import running_postgres

Ask = Callable[..., list[dict[str, Any]]]
HEADLESS = {"tabmun.csv"}
"""Files of the real inputs whose first line is data; so are all members without an ending."""
FOLDERS = {
    "anp": (),
    "api": (),
    "cnpj_tiny": (),
    "ga4": (),
    "ibge_municipios": (),
    "northwind_tenants": (),
    "olist_full_parts": (),
    "olist_sample": (),
    "sqldumps": ("chinook_mysql.sql", "chinook_postgres.sql", "northwind_postgres.sql"),
    "suites": (),
}
"""The folders of real inputs, and the files in each that hold nothing to load."""


def _refuse(text: str) -> None:
    raise ValueError(text)


def _json(raw: bytes) -> int:
    """Count what a JSON document holds, by Python's own parser: broken ones are one record, which is refused."""
    try:
        found = json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return 1
    if isinstance(found, dict) and len(found) > 1 and all(isinstance(v, list) for v in found.values()):
        return sum(map(len, found.values()))
    return len(found) if isinstance(found, list) else 1


def _delimited(raw: bytes, header: bool) -> int:
    text = raw.decode("utf-8-sig", "replace")
    mark = ";" if text.split("\n", 1)[0].count(";") else ","
    rows = sum(1 for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark) if row)
    return rows - header


def records(folder: Path) -> int:
    """Count the records of all files of a folder, without Lagoa."""
    count = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        raw = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    count += _delimited(archive.read(name), header=name.endswith(".csv"))
        elif path.suffix == ".csv":
            count += _delimited(raw, header=path.name not in HEADLESS)
        elif path.suffix == ".json":
            count += _json(raw)
        elif path.suffix == ".ndjson":
            count += sum(1 for line in raw.splitlines() if line.strip())
        elif path.suffix == ".sqlite":
            with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as file:
                names = file.execute("select name from sqlite_master where type = 'table'").fetchall()
                count += sum(file.execute(f'select count(*) from "{name}"').fetchone()[0] for (name,) in names)
    return count


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FOLDERS))
def test_each_folder_of_real_inputs_runs_without_editing(
    shared_data: Path, home: Path, lagoa: Lagoa, ask: Ask, name: str
) -> None:
    said = lagoa("init", "new", "--from", str(shared_data / name), "--json")
    assert said.code == 0, said.err
    left_out = [left["file"] for source in json.loads(said.out)["sources"] for left in source["left_out"]]
    assert tuple(left_out) == FOLDERS[name]
    assert lagoa("validate", folder="new").code == 0
    run = lagoa("run", folder="new")
    assert run.code == 0, run.err
    tables = [s["lands"] for source in json.loads(said.out)["sources"] for s in source["streams"]]
    both = [n for table in tables for n in (table, f"quarantine.{table.replace('.', '_')}")]
    counts = ask("new", " union all ".join(f"select count(*) as n from {table}" for table in both))
    assert sum(row["n"] for row in counts) == records(shared_data / name)
    assert lagoa("run", folder="new").out.startswith("Nothing to write.")


def _folder(home: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = home / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return home / "data"


def _source(home: Path, name: str = "data") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((home / f"new/sources/{name}.yml").read_text("utf-8"))
    return found


def test_a_dirty_brazilian_export_is_understood(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    rows = "".join(
        f"{n};{n:02}/01/2026;1.234,{n:02};Zé {n};{cpf};0{n:04}-000;{('', '-', '1,50', '2,00')[n - 1]}\n"
        for n, cpf in enumerate(("529.982.247-25", "111.444.777-35", "123.456.789-09", "000.000.001-91"), 1)
    )
    text = "Relatório de vendas\n\nNº;Data da Venda;Valor (R$);Cliente;Documento;CEP;Desconto\n" + rows
    folder = _folder(home, {"vendas.csv": text.encode("cp1252")})
    said = lagoa("init", "new", "--from", str(folder))
    assert said.code == 0, said.err
    assert "Next: cd new" in said.err
    stream = _source(home)["streams"]["vendas"]
    assert {k: stream[k] for k in ("delimiter", "skip", "encoding", "decimal", "thousands", "date_format", "key")} == {
        "delimiter": ";",
        "skip": 2,
        "encoding": "cp1252",
        "decimal": ",",
        "thousands": ".",
        "date_format": "%d/%m/%Y",
        "key": "numero",
    }
    assert stream["rename"] == {"Nº": "numero"}
    assert stream["columns"]["documento"] == {"type": "text", "pii": "cpf"}
    assert stream["columns"]["valor_r"] == {"type": "decimal(18, 2)"}
    assert stream["columns"]["desconto"] == {"type": "decimal(18, 2)", "null_values": ["-"]}
    assert lagoa("run", folder="new").code == 0
    (first,) = ask("new", "select data_da_venda, valor_r, cliente, cep from bronze.data_vendas where numero = 1")
    assert first == {"data_da_venda": "2026-01-01", "valor_r": 1234.01, "cliente": "Zé 1", "cep": "00001-000"}


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("CPF do Cliente", ("12345678900", "02276503845"), "cpf"),  # of a test system: no check digit holds
        ("cpf_titular", ("2276503841", "12345678900"), "cpf"),  # the leading zero is lost
        ("cpf_ativo", ("S", "N"), None),
    ],
)
def test_a_cpf_is_personal_by_its_name_and_form(
    column: str, values: tuple[str, ...], kind: str | None, home: Path, lagoa: Lagoa
) -> None:
    text = f"id;{column}\n" + "".join(f"{n};{value}\n" for n, value in enumerate(values))
    assert lagoa("init", "new", "--from", str(_folder(home, {"a.csv": text}))).code == 0
    columns = _source(home)["streams"]["a"].get("columns", {})
    found = {name: told.get("pii") for name, told in columns.items() if name.startswith("cpf")}
    assert set(found.values()) == {kind}


def test_title_lines_of_several_fields_stand_above_the_header(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    title = "Banco X;;;;;\nAgência 1234;Conta 56789-0;;\n\nData;Histórico;Docto.;Crédito;Débito;Saldo\n"
    rows = "02/01/2024;SALDO;;;;1.000,00\n03/01/2024;PIX;;500,00;;1.500,00\n"
    _folder(home, {"extrato.csv": (title + rows).encode("cp1252")})
    assert lagoa("init", "new", "--from", str(home / "data")).code == 0
    assert _source(home)["streams"]["extrato"]["skip"] == 3
    assert lagoa("run", folder="new").code == 0
    assert [r["saldo"] for r in ask("new", "select saldo from bronze.data_extrato order by 1")] == [1000.0, 1500.0]


@pytest.mark.parametrize("text", ["1;;;;;\n2;b;c;d;e;f\n3;b;c;d;e;g\n", "1;2;;;;\n2;2;3;4;5;6\n3;2;3;4;5;7\n"])
def test_records_of_few_values_are_no_title(home: Path, lagoa: Lagoa, text: str) -> None:
    assert lagoa("init", "new", "--from", str(_folder(home, {"a.csv": text}))).code == 0
    assert _source(home)["streams"]["a"].get("skip") is None


def test_a_column_of_structs_is_as_personal_as_what_it_holds(home: Path, lagoa: Lagoa) -> None:
    who = '"who": {"doc": {"number": "529.982.247-25"}}, "lines": [{"sku": "a-1"}], "to": [{"email": "a@b.co"}]'
    assert lagoa("init", "new", "--from", str(_folder(home, {"orders.ndjson": f'{{"id": 1, {who}}}'}))).code == 0
    columns = _source(home)["streams"]["orders"]["columns"]
    assert {name: told["pii"] for name, told in columns.items()} == {"who": "cpf", "to": "email"}
    assert "`doc.number` in it: CPF: its check digits hold" in (home / "new/sources/data.yml").read_text("utf-8")


def test_a_sheet_with_a_title_and_a_header_of_merged_cells_is_understood(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    book: Any = openpyxl.Workbook()
    header: tuple[list[str | None], ...] = (
        ["Relatório de vendas"],
        ["Emitido hoje"],
        [],
        ["Cliente", None, "Valor", None, "Data"],
    )
    for row in (*header, ["Código", "Nome", "Bruto", "Desconto"], *([n, f"Zé {n}", 10 * n, n, n] for n in (1, 2))):
        book.active.append(row)
    for cells in ("A1:E1", "A4:B4", "C4:D4", "E4:E5"):
        book.active.merge_cells(cells)
    (home / "data").mkdir()
    book.save(home / "data/vendas.xlsx")
    assert lagoa("init", "new", "--from", str(home / "data")).code == 0
    stream = _source(home)["streams"]["vendas"]
    assert (stream["skip"], stream["header"]) == (3, 2)
    assert lagoa("run", folder="new").code == 0
    rows = ask("new", "select cliente_codigo, valor_bruto, data from bronze.data_vendas order by 1")
    assert [list(row.values()) for row in rows] == [[1, 10, 1], [2, 20, 2]]


def test_a_list_of_records_is_found_below_several_envelopes(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    orders = '{"meta": {"page": 1}, "data": {"total": 2, "items": [{"id": 1, "lines": [{"sku": "a"}]}, {"id": 2}]}}'
    record = '{"result": {"id": 1, "lines": [{"sku": "a"}]}}'
    assert lagoa("init", "new", "--from", str(_folder(home, {"orders.json": orders, "order.json": record}))).code == 0
    records = {name: stream.get("records") for name, stream in _source(home)["streams"].items()}
    assert records == {"data_items": "$.data.items", "order": None}
    assert lagoa("run", folder="new").code == 0
    assert [r["id"] for r in ask("new", "select id from bronze.data_data_items order by 1")] == [1, 2]


def test_times_of_nanoseconds_are_proposed_as_texts_that_keep_them(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    times = "select make_timestamp_ns(1001) as fine, make_timestamp_ns(2000) as coarse"
    duckdb.execute(f"copy ({times}) to '{home / 'clock.parquet'}'")
    assert lagoa("init", "clock", "--from", str(home / "clock.parquet")).code == 0
    assert "fine: {type: text}  # nanoseconds" in (home / "clock/sources/clock.yml").read_text("utf-8")
    assert lagoa("-C", str(home / "clock"), "run").code == 0
    rows = ask(home / "clock", "select fine, typeof(coarse) as kind from bronze.clock_clock")
    assert rows == [{"fine": "1970-01-01 00:00:00.000001001", "kind": "TIMESTAMP"}]


def test_numbered_dated_and_tenants_files_become_one_stream_each(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    files: dict[str, str | bytes] = {f"part{n}.csv": f"id,x\n{n}1,a\n{n}2,b\n" for n in range(3)}
    files |= {f"daily/sales-2026-01-0{n}.csv": f"sale_id,amount\n{n}1,1.5\n{n}2,2.5\n" for n in (1, 2, 3)}
    files |= {f"stock/2026-0{n}.csv": "sku,left\nA,1\nB,2\n" for n in (1, 2)}
    files |= {f"shops/{shop}/orders.csv": "order_id,total\n1,2.00\n2,3.00\n" for shop in ("c&a", "renner")}
    assert lagoa("init", "new", "--from", str(_folder(home, files))).code == 0
    streams = _source(home)["streams"]
    assert {name: (s["path"], s.get("mode"), s.get("key")) for name, s in streams.items()} == {
        "part": ("part*.csv", None, "id"),
        "sales": ("daily/sales-*.csv", "append", "sale_id"),
        "stock": ("stock/*.csv", "merge", "sku"),
        "orders": ("shops/{folder}/orders.csv", None, ["folder", "order_id"]),
    }
    assert lagoa("run", folder="new").code == 0
    counts = {n: ask("new", f"select count(*) as n from bronze.data_{n}")[0]["n"] for n in streams}
    assert counts == {"part": 6, "sales": 6, "stock": 2, "orders": 4}


def test_what_is_no_data_is_left_out_and_named(home: Path, lagoa: Lagoa) -> None:
    files: dict[str, str | bytes] = {
        "a.csv": "id\n1\n2\n",
        "notes.md": "# x",
        "dump.sql": "select 1",
        "logo.png": b"\x89PNG\0",
        "broken.zip": b"PK\3\4 not a zip",
        "program.bin": b"\0\1\2",
        "torn.parquet": b"PAR1 and no more",
        "torn.xlsx": b"no archive",
        "prose.txt": "Dear all,\nthis is a letter\nwithout columns\n",
    }
    said = lagoa("init", "new", "--from", str(_folder(home, files)), "--json")
    assert said.code == 0, said.err
    (source,) = json.loads(said.out)["sources"]
    assert [s["name"] for s in source["streams"]] == ["a"]
    assert {left["file"] for left in source["left_out"]} == set(files) - {"a.csv"}
    text = (home / "new/sources/data.yml").read_text("utf-8")
    assert all(f"# left out: {name}: " in text for name in set(files) - {"a.csv"})
    assert all(name not in left["why"] for name in files for left in source["left_out"])
    assert str(home) not in text
    assert lagoa("run", folder="new").code == 0


def test_hostile_names_and_headers_still_give_a_project_that_runs(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    files: dict[str, str | bytes] = {
        "[x].csv": "id,id,,_source\n1,2,3,4\n5,6,7,8\n",
        "a'; drop table x; --.csv": "a,${env:HOME},b # c\nx,y,z\n",
        "wei{r}d*?.csv": "k: v,l\n1,2\n",
        "new\nline.csv": "a,b\n1,2\n",
        "☃ é.csv": 'select,"a ""quoted"" one"\n1,2\n',
    }
    said = lagoa("init", "new", "--from", str(_folder(home, files)))
    assert said.code == 0, said.err
    assert "${env" not in (home / "new/sources/data.yml").read_text("utf-8")
    run = lagoa("run", folder="new")
    assert run.code == 0, run.err
    streams = _source(home)["streams"]
    assert len(streams) == 5
    assert sum(ask("new", f"select count(*) as n from bronze.data_{n}")[0]["n"] for n in streams) == 6


def test_only_the_start_of_large_files_is_looked_at_and_said_so(home: Path, lagoa: Lagoa) -> None:
    line = "123456789,2026-01-31,some words that fill the line up,12.50\n"
    folder = _folder(home, {"big.csv": "id,day,words,amount\n" + line * 400_000})
    assert (folder / "big.csv").stat().st_size > 24_000_000
    said = lagoa("init", "new", "--from", str(folder), "--json")
    (stream,) = json.loads(said.out)["sources"][0]["streams"]
    assert 100_000 < stream["rows"] < 300_000
    assert "only the start was looked at" in (home / "new/sources/data.yml").read_text("utf-8")


def test_a_project_that_is_there_gets_one_source_more(home: Path, lagoa: Lagoa) -> None:
    folder = _folder(home, {"a.csv": "id,x\n1,2\n2,3\n"})
    assert lagoa("init", "new", "--from", str(folder)).code == 0
    before = (home / "new/lagoa.yml").read_bytes(), (home / "new/sources/data.yml").read_bytes()
    said = lagoa("init", ".", "--from", str(folder / "a.csv"), folder="new")
    assert said.code == 0, said.err
    assert said.err.startswith("Made sources/a.yml from ")
    said = lagoa("init", "new", "--from", str(folder))
    assert said.err.startswith("Made new/sources/data_2.yml from ")
    assert before == ((home / "new/lagoa.yml").read_bytes(), (home / "new/sources/data.yml").read_bytes())
    assert lagoa("run", folder="new").code == 0


def test_files_that_are_databases_become_sources_with_keys(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    folder = _folder(home, {"a.csv": "id,x\n1,2\n2,3\n"})
    with sqlite3.connect(folder / "shop.db") as lite:
        lite.execute("create table Orders (OrderId integer primary key, cpf text, updated_at timestamp)")
        lite.execute("insert into Orders values (1, '529.982.247-25', '2026-01-01 10:00:00')")
    lite.close()
    with duckdb.connect(str(folder / "stock.duckdb")) as duck:
        duck.execute("create table stock (shop int, sku text, primary key (shop, sku))")
        duck.execute("comment on table stock is 'What lies where.'")
        duck.execute("insert into stock values (1, 'a'), (1, 'b')")
    said = lagoa("init", "new", "--from", str(folder))
    assert said.code == 0, said.err
    orders = _source(home, "shop")["streams"]["orders"]
    assert (orders["key"], orders["columns"]) == ("OrderId", {"cpf": {"pii": "cpf"}})
    stock = _source(home, "stock")["streams"]["stock"]
    assert (stock["key"], stock["description"]) == (["shop", "sku"], "What lies where.")
    run = lagoa("run", folder="new")
    assert run.code == 0, run.err
    for table, rows in (("data_a", 2), ("shop_orders", 1), ("stock_stock", 2)):
        assert ask("new", f"select count(*) as n from bronze.{table}") == [{"n": rows}], table


def test_all_tables_of_a_database_file_can_be_taken_by_a_star(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    (home / "new/sources").mkdir(parents=True)
    (home / "new/lagoa.yml").write_text("name: new\n")
    for name, connect in (("lite", sqlite3.connect), ("duck", duckdb.connect)):
        file = connect(str(home / "new" / name))
        file.execute("create table t1 (id integer primary key)")
        file.execute("create table t2 (id integer)")
        file.execute("insert into t1 values (7)")
        file.commit()
        file.close()
        kind = {"lite": "sqlite", "duck": "duckdb"}[name]
        text = f'type: {kind}\npath: {name}\nstreams: {{"*": {{exclude: [t2], mode: merge}}}}\n'
        (home / f"new/sources/{name}.yml").write_text(text)
    run = lagoa("run", folder="new")
    assert run.code == 0, run.err
    assert ask("new", "select id from bronze.lite_t1 union all select id from bronze.duck_t1") == [{"id": 7}] * 2


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web(home: Path) -> Iterator[str]:
    """A web server over the folder `data`."""
    handler = partial(_Quiet, directory=str(home / "data"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_behind_an_address_is_loaded_into_the_project(home: Path, lagoa: Lagoa, ask: Ask, web: str) -> None:
    _folder(home, {"a b.csv": "id,x\n1,2\n2,3\n"})
    said = lagoa("init", "new", "--from", f"{web}/a%20b.csv?token=canary")
    assert said.code == 0, said.err
    assert (home / "new/landing/a b.csv").read_text() == "id,x\n1,2\n2,3\n"
    written = "".join(p.read_text("utf-8") for p in (home / "new").rglob("*.yml"))
    assert "canary" not in said.err + said.out + written
    assert _source(home, "a_b")["path"] == "landing"
    assert lagoa("run", folder="new").code == 0
    assert ask("new", "select count(*) as n from bronze.a_b_a_b") == [{"n": 2}]


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_a_database_is_looked_at_and_its_password_kept_out_of_the_files(
    home: Path, lagoa: Lagoa, ask: Ask, kind: str
) -> None:
    found = {"postgres": postgres.find_binaries, "mysql": mariadb.find_binaries}[kind]()
    if found is None:
        pytest.skip(f"needs a server: {mariadb.INSTALL}, {postgres.INSTALL}")
    with (running_postgres if kind == "postgres" else running_mariadb)() as server:
        database = server.database("shop")
        server.sql(
            "create table customers (id int primary key, cpf varchar(14), full_name text, updated_at timestamp null);"
            "insert into customers values (1, '1', 'A', '2026-01-01 10:00:00');",
            database,
        )
        url = server.uri(database)
        said = lagoa("init", "new", "--from", url)
        assert said.code == 0, said.err
        stream = _source(home, "shop")["streams"]["customers"]
        assert (stream["key"], stream["mode"], stream["cursor"]) == ("id", "merge", "updated_at")
        assert {n: c["pii"] for n, c in stream["columns"].items()} == {"cpf": "cpf", "full_name": "name"}
        assert _source(home, "shop")["connection"] == "${secret:shop_url}"
        assert url not in said.out + said.err + (home / "new/sources/shop.yml").read_text("utf-8")
        assert (home / "new/.env").stat().st_mode & 0o077 == 0
        run = lagoa("run", folder="new")
        assert run.code == 0, run.err
        assert ask("new", "select id from bronze.shop_customers") == [{"id": 1}]


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("nowhere", "there is no "),
        ("ftp://x/y.csv", "`ftp://` cannot be looked at"),
        ("http://127.0.0.1:1/y.csv", "127.0.0.1"),
        ("postgresql://u:canary@127.0.0.1:1/shop", "127.0.0.1"),
        ("data", "nothing in "),
    ],
)
def test_what_cannot_be_looked_at_is_an_error_without_its_password(
    home: Path, lagoa: Lagoa, origin: str, message: str
) -> None:
    _folder(home, {"notes.md": "# x"})
    said = lagoa("init", "new", "--from", origin)
    assert said.code != 0
    assert said.err.startswith("error[LG-")
    assert message in said.err
    assert "canary" not in said.err + said.out
    assert not (home / "new/lagoa.yml").exists()
