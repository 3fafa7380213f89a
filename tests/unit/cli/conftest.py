"""A project with filled tables, asked through the real engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lagoa.cli.main import invoke
from lagoa.cli.settings import Settings
from lagoa.ports import Engine, Session
from lagoa.registry import adapter
from lagoa.testing.cove import Cove
from lagoa.testing.mouth import Lagoa, Said


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made: Engine = adapter("engines", "duckdb")(2, "1GB", tmp_path_factory.mktemp("engine"))
    yield made
    made.close()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with engine.session() as session:
        yield session


@pytest.fixture
def cove(tmp_path: Path, engine: Engine, session: Session) -> Cove:
    return Cove(tmp_path, engine, session)


@pytest.fixture
def lagoa(capfdbinary: pytest.CaptureFixture[bytes]) -> Lagoa:
    """Run a command line in this process."""

    def run(*args: str | Path) -> Said:
        capfdbinary.readouterr()
        code = invoke([str(a) for a in args], Settings())
        sys.stdout.flush()
        captured = capfdbinary.readouterr()
        return Said(code, captured.out.decode(), captured.err.decode())

    return run
