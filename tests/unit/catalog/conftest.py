"""A project with filled tables, asked through the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagoa.ports import Engine, Session
from lagoa.testing.cove import Cove


@pytest.fixture
def cove(tmp_path: Path, engine: Engine, session: Session) -> Cove:
    return Cove(tmp_path, engine, session)
