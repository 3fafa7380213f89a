"""Has an engine for a while, to ask about files that are looked at."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from lagoa import registry
from lagoa.ports import Engine, Session


@contextmanager
def engine_session() -> Iterator[Session]:
    """Have DuckDB for a while."""
    with tempfile.TemporaryDirectory(prefix="lagoa-", ignore_cleanup_errors=True) as folder:
        engine = cast("Engine", registry.adapter("engines", "duckdb")(threads=1, memory=None, folder=Path(folder)))
        try:
            with engine.session() as session:
                yield session
        finally:
            engine.close()
