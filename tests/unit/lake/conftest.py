"""The lake of a test, filled and read through the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lagoa.ports import Engine
from lagoa.testing.shore import Shore


@pytest.fixture
def shore(tmp_path: Path, engine: Engine) -> Iterator[Shore]:
    with engine.session() as session:
        yield Shore(tmp_path, session)
