"""The postgres source over TLS: `sslmode` is libpq's, and a server that is not trusted is not one that is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.adapters.sources.certificates import Certificates, certificates

from lagoa import registry
from lagoa.errors import SourceError
from lagoa.ports import Reading, Source
from lagoa.testing.postgres import PASSWORD, PostgresServer
from lagoa.testing.sources import Reader

SETTINGS = ("ssl", "ssl_cert_file", "ssl_key_file")


@pytest.fixture(scope="module")
def tls(postgres_server: PostgresServer) -> Iterator[Certificates]:
    """Turn TLS on, and off again when the tests of this file are done."""
    with certificates() as made:
        key = made.owned(postgres_server.folder.stat().st_uid)
        for name, value in zip(SETTINGS, ("on", made.server, key), strict=True):
            postgres_server.sql(f"alter system set {name} = '{value}'")
        postgres_server.sql("select pg_reload_conf()")
        yield made
        for name in SETTINGS:
            postgres_server.sql(f"alter system reset {name}")
        postgres_server.sql("select pg_reload_conf()")


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[[Source], Reader]]:
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    yield lambda source: Reader(source, tmp_path, engine, tmp_path / "scratch")
    engine.close()


def source(server: PostgresServer, tls: Certificates, options: str, host: str) -> Source:
    uri = server.uri().replace("127.0.0.1", host) + "?" + options.format(ca=tls.ca, other=tls.other)
    query = "select ssl as is_encrypted from pg_stat_ssl where pid = pg_backend_pid()"
    made: Source = registry.adapter("sources", "postgres")(
        type="postgres", connection=uri, streams={"tls": {"query": query}}
    )
    return made


@pytest.mark.parametrize(
    ("options", "host", "is_encrypted"),
    [
        ("sslmode=disable", "localhost", False),
        ("", "localhost", True),
        ("sslmode=require", "127.0.0.1", True),
        ("sslmode=verify-ca&sslrootcert={ca}", "127.0.0.1", True),
        ("sslmode=verify-full&sslrootcert={ca}", "localhost", True),
    ],
)
def test_a_connection_is_encrypted_as_the_mode_says(
    postgres_server: PostgresServer,
    tls: Certificates,
    read: Callable[[Source], Reader],
    options: str,
    host: str,
    is_encrypted: bool,
) -> None:
    landed = read(source(postgres_server, tls, options, host)).read("tls")
    assert [row["is_encrypted"] for row in landed.rows] == [is_encrypted]


@pytest.mark.parametrize(
    ("options", "host", "says"),
    [
        ("sslmode=verify-full&sslrootcert={ca}", "127.0.0.1", "does not match host name"),
        ("sslmode=verify-full&sslrootcert={other}", "localhost", "certificate verify failed"),
        ("sslmode=verify-ca&sslrootcert={other}", "127.0.0.1", "certificate verify failed"),
        ("sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "localhost", "root certificate file"),
        ("sslmode=sometimes", "localhost", "invalid sslmode value"),
    ],
)
def test_who_is_not_trusted_is_refused_and_the_reason_is_said(
    postgres_server: PostgresServer, tls: Certificates, tmp_path: Path, options: str, host: str, says: str
) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        list(source(postgres_server, tls, options, host).read(Reading("tls", None, tmp_path, tmp_path, "bronze.x")))
    assert (caught.value.code, caught.value.retry) == ("LG-201", False)
    assert "sslrootcert" in str(caught.value.hint)
    assert PASSWORD not in f"{caught.value}{caught.value.hint}"


def test_a_server_that_offers_no_tls_is_refused_when_it_is_needed(
    postgres_server: PostgresServer, tls: Certificates, tmp_path: Path
) -> None:
    postgres_server.sql("alter system set ssl = off")
    postgres_server.sql("select pg_reload_conf(), pg_sleep(0.3)")
    try:
        wanted = source(postgres_server, tls, "sslmode=require", "localhost")
        with pytest.raises(SourceError, match="server does not support SSL") as caught:
            list(wanted.read(Reading("tls", None, tmp_path, tmp_path, "bronze.x")))
    finally:
        postgres_server.sql("alter system set ssl = on")
        postgres_server.sql("select pg_reload_conf(), pg_sleep(0.3)")
    assert (caught.value.code, caught.value.retry) == ("LG-201", False)
