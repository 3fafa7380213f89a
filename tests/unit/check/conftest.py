"""A session of the real engine, and files staged by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lagoa.ports import Engine, Session
from lagoa.registry import adapter


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made: Engine = adapter("engines", "duckdb")(2, "1GB", tmp_path_factory.mktemp("engine"))
    yield made
    made.close()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with engine.session() as session:
        yield session
