"""The mysql source against a server that is set up otherwise: TLS, names in lower case, and values of 100 MB."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from tests.adapters.sources.certificates import Certificates, certificates
from tests.adapters.sources.test_mysql import CANARIES, failure, mysql

from lagoa import registry
from lagoa.ports import Reading, Source
from lagoa.testing.mariadb import INSTALL, MariaServer, find_binaries, running_mariadb
from lagoa.testing.sources import Reader

ONE = {"orders": {"table": "orders"}}
HUNDRED = 100 << 20


@pytest.fixture(scope="module")
def tls() -> Iterator[Certificates]:
    with certificates() as made:
        yield made


@pytest.fixture(scope="module")
def server(tls: Certificates) -> Iterator[MariaServer]:
    if find_binaries() is None:
        pytest.skip(f"needs MariaDB's server: {INSTALL}")
    keys = (f"--ssl-ca={tls.ca}", f"--ssl-cert={tls.server}", f"--ssl-key={tls.key}")
    with running_mariadb(*keys, "--lower-case-table-names=1", "--max-allowed-packet=300M") as started:
        started.sql("create table Orders (id int primary key); insert into ORDERS values (1), (2)", "test")
        yield started


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[[Source], Reader]]:
    engine = registry.adapter("engines", "duckdb")(2, "1GB", tmp_path / "engine")
    yield lambda source: Reader(source, tmp_path, engine, tmp_path / "scratch")
    engine.close()


def at(server: MariaServer, options: str, host: str = "localhost") -> str:
    return f"{server.uri('test').replace('127.0.0.1', host)}?{options}"


CIPHER = {"c": {"query": "select variable_value as v from information_schema.session_status where variable_name = "}}
CIPHER["c"]["query"] += "'ssl_cipher'"


@pytest.mark.parametrize(
    ("options", "host", "is_encrypted"),
    [
        ("ssl_mode=disabled", "localhost", False),
        ("", "127.0.0.1", True),
        ("ssl_mode=required", "127.0.0.1", True),
        ("ssl_mode=verify_ca&ssl_ca={ca}", "127.0.0.1", True),
        ("ssl_ca={ca}", "127.0.0.1", True),
        ("ssl_mode=VERIFY-IDENTITY&ssl_ca={ca}", "localhost", True),
        ("ssl_ca={ca}&ssl_cert={server}&ssl_key={key}", "localhost", True),
    ],
)
def test_a_connection_is_encrypted_as_the_mode_says(
    server: MariaServer,
    tls: Certificates,
    read: Callable[[Source], Reader],
    options: str,
    host: str,
    is_encrypted: bool,
) -> None:
    said = options.format(ca=tls.ca, server=tls.server, key=tls.key)
    rows = read(mysql(at(server, said, host), **CIPHER)).read("c").rows
    assert bool(rows[0]["v"]) is is_encrypted


@pytest.mark.parametrize(
    ("options", "host", "says", "hint"),
    [
        (
            "ssl_ca={other}",
            "localhost",
            "that is not trusted: .*self-signed",
            "ssl_ca",
        ),
        ("ssl_mode=verify_ca", "localhost", "shows a certificate that is not trusted", "ssl_ca"),
        ("ssl_mode=verify_identity", "localhost", "shows a certificate that is not trusted", "ssl_ca"),
        (
            "ssl_mode=verify_identity&ssl_ca={ca}",
            "127.0.0.1",
            "not trusted: .*not valid for '127.0.0.1'",
            "names this host",
        ),
        ("ssl_ca=/nowhere/ca.pem", "localhost", "cannot be asked: .*No such file", "PEM"),
        ("ssl_ca={key}", "localhost", "cannot be asked: ", "PEM"),
        ("ssl_mode=sometimes", "localhost", "`ssl_mode` is one of disabled, preferred", "mysql://"),
        ("ssl_mode=required&ssl_ca={ca}", "localhost", "`ssl_ca` goes with ssl_mode=verify_ca", "mysql://"),
        ("ssl_key={key}", "localhost", "`ssl_key` goes with `ssl_cert`", "mysql://"),
        ("ssl_mode=preferred&ssl_cert={ca}", "localhost", "`ssl_cert` needs ssl_mode=required", "mysql://"),
        ("ssl_verify_identity=true", "localhost", "`ssl_verify_identity` is no option; ssl_mode", "mysql://"),
    ],
)
def test_who_is_not_trusted_gets_no_password_and_the_reason_is_said(
    server: MariaServer, tls: Certificates, tmp_path: Path, options: str, host: str, says: str, hint: str
) -> None:
    said = options.format(ca=tls.ca, other=tls.other, key=tls.key)
    error = failure(mysql(at(server, said, host), **ONE), tmp_path)
    assert (error.code, error.retry) == ("LG-201", False)
    assert re.search(says, error.message)
    assert hint in str(error.hint)
    assert [secret for secret in CANARIES if secret in f"{error}{error.hint}"] == []


def test_a_server_that_offers_no_tls_is_refused_when_it_is_asked_for(
    mariadb_server: MariaServer, tmp_path: Path
) -> None:
    offered = mariadb_server.sql("show variables like 'have_ssl'").split()[1]
    assert offered == "DISABLED"
    name = mariadb_server.database("plain")
    error = failure(mysql(mariadb_server.uri(name) + "?ssl_mode=required", **ONE), tmp_path)
    assert "offers no TLS" in error.message
    assert not error.retry


@pytest.mark.parametrize("written", ["orders", "Orders", "TEST.ORDERS"])
def test_where_names_are_kept_in_lower_case_any_case_finds_a_table(
    server: MariaServer, read: Callable[[Source], Reader], written: str
) -> None:
    landed = read(mysql(at(server, ""), orders={"table": written})).read("orders")
    assert sorted(row["id"] for row in landed.rows) == [1, 2]


def test_where_names_are_kept_in_lower_case_a_star_takes_every_table(server: MariaServer, tmp_path: Path) -> None:
    whole = registry.adapter("sources", "mysql").whole
    for schema in ("test", "TEST"):
        found = mysql(at(server, ""), **ONE).discover(whole(schema=schema), tmp_path)
        assert (list(found), found["orders"]["key"]) == (["orders"], ["id"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["longtext", "longblob"])
def test_a_value_of_100_mb_arrives_whole_and_in_bounded_memory(
    server: MariaServer, read: Callable[[Source], Reader], tmp_path: Path, kind: str
) -> None:
    """Beside small ones, so that a window of rows breaks on it."""
    server.sql(
        f"drop table if exists big; create table big (id int primary key, v {kind}); insert into big values "
        f"(1, 'a'), (2, repeat('0123456789', {HUNDRED // 10})), (3, 'b')",
        "test",
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sizes: dict[int, Any] = {}
    for batch in mysql(at(server, ""), big={"table": "big"}).read(Reading("big", None, tmp_path, tmp_path, "bronze.b")):
        for portion in batch.portions:
            assert not isinstance(portion.rows, str)
            for rows in portion.rows:
                sizes |= lengths(rows)
            portion.close()
    assert sizes == {1: 1, 2: HUNDRED, 3: 1}
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    assert grown < 600  # MB: 220 to 270 on the machine where this was written


def lengths(rows: Any) -> dict[int, int]:
    """Return how long each row's value is, without a copy of it."""
    return dict(zip(rows["id"].to_pylist(), pc.binary_length(rows["v"]).to_pylist(), strict=True))
