"""A project with filled tables, asked through the real engine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lagoa.cli.main import invoke
from lagoa.cli.settings import Settings
from lagoa.ports import Engine, Session
from lagoa.testing.cove import Cove
from lagoa.testing.mouth import Lagoa, Said


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
