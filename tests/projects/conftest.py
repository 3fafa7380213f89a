"""Whole projects, run by the command as a newcomer would, in this process to spare its start-up."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lagoa.cli.main import invoke
from lagoa.cli.settings import Settings
from lagoa.testing.mouth import Lagoa, Said


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder in which commands run; a test may make a project in it and go on inside."""
    return tmp_path


@pytest.fixture
def lagoa(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lagoa:
    """Run a command line: lagoa("run", folder="shop", OLIST_DATA=...)."""
    for brought in ("OLIST_DATA", "CNPJ_DATA", "GA4_DATA"):
        monkeypatch.delenv(brought, raising=False)

    def run(*args: str, folder: str = ".", **env: str) -> Said:
        with monkeypatch.context() as patched:
            patched.chdir(home / folder)
            for name, value in env.items():
                patched.setenv(name, value)
            capfd.readouterr()
            code = invoke(list(args), Settings())
            sys.stdout.flush()
            captured = capfd.readouterr()
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture
def ask(lagoa: Lagoa) -> Callable[..., list[dict[str, Any]]]:
    """Query a project of the test: ask("shop", "from gold.x")."""

    def rows(folder: str, sql: str, **env: str) -> list[dict[str, Any]]:
        said = lagoa("query", sql, "--json", folder=folder, **env)
        assert said.code == 0, said.err
        found: list[dict[str, Any]] = json.loads(said.out)
        return found

    return rows
