"""Canary secrets are planted wherever a secret may stand, and no byte that Lagoa writes or prints may hold one."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

QUICK = "import lagoa.run.execute as e; e.FIRST_WAIT = 0.01; from lagoa.cli.main import main; main()"
"""Lagoa with short pauses between its tries: what is written and printed is the same."""
CANARY = "c4n4ry p@ss/w%rd'\"é"
URL = f"postgresql://boss:{quote(CANARY, safe='')}@127.0.0.1:9/erp?connect_timeout=2"


def spellings() -> list[bytes]:
    """Every way in which the canary might show."""
    plain = [
        CANARY,
        quote(CANARY, safe=""),
        quote(CANARY),
        json.dumps(CANARY)[1:-1],
        repr(CANARY)[1:-1],
        "c4n4ry",
    ]
    return [p.encode() for p in plain] + [base64.b64encode(CANARY.encode())]


def leaks(data: bytes) -> list[bytes]:
    return [s for s in spellings() if s in data]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("sources", "models/silver", "landing"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "lagoa.yml").write_text("name: canary\n")
    (tmp_path / "sources/erp.yml").write_text(
        "type: postgres\nconnection: ${secret:erp_url}\nstreams:\n  orders: {table: public.orders}\n"
    )
    (tmp_path / "sources/land.yml").write_text("type: files\npath: landing\nstreams:\n  a: {path: a.csv}\n")
    (tmp_path / "landing/a.csv").write_text("id,v\n1,x\n")
    (tmp_path / "models/silver/a.sql").write_text("select * from bronze.land_a")
    (tmp_path / "models/silver/o.sql").write_text("select * from bronze.erp_orders")
    return tmp_path


def lagoa(root: Path, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", QUICK, *words, "-C", str(root)],
        capture_output=True,
        env={**os.environ, **(env or {})},
    )


@pytest.mark.parametrize("place", ["environment", "dotenv", "file"])
def test_a_secret_shows_in_no_byte_that_is_written_or_printed(
    project: Path, place: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    env: dict[str, str] = {}
    if place == "environment":
        env["ERP_URL"] = URL
    elif place == "dotenv":
        (project / ".env").write_text(f"ERP_URL='{URL}'\n")
    else:
        folder = tmp_path_factory.mktemp("secrets")
        (folder / "erp_url").write_text(URL)
        env["LAGOA_SECRETS_DIR"] = str(folder)
    commands = [
        ["validate"],
        ["plan"],
        ["plan", "--json"],
        ["run", "--debug"],
        ["run", "--json"],
        ["show"],
        ["show", "silver.a", "--json"],
        ["query", "select * from history.events", "--format", "csv"],
        ["doctor"],
    ]
    failed = False
    for words in commands:
        done = lagoa(project, *words, env=env)
        assert not leaks(done.stdout), words
        assert not leaks(done.stderr), words
        failed = failed or (words[0] == "run" and b"LG-201" in done.stderr)
    assert failed, "the database was never asked, so nothing was proven"
    for path in project.rglob("*"):
        if path.is_file() and path.name != ".env":
            assert not leaks(path.read_bytes()), path


def test_a_password_written_into_the_source_file_is_hidden_too(project: Path) -> None:
    text = (project / "sources/erp.yml").read_text().replace("${secret:erp_url}", f'"{URL}"')
    (project / "sources/erp.yml").write_text(text)
    done = lagoa(project, "run", "--debug")
    assert not leaks(done.stdout + done.stderr)
    for path in [*(project / ".lagoa").rglob("*"), *(project / "lake").rglob("*")]:
        assert not path.is_file() or not leaks(path.read_bytes()), path


def test_a_secret_outside_a_secret_field_is_refused_without_showing_it(project: Path) -> None:
    (project / "sources/land.yml").write_text("type: files\npath: ${secret:erp_url}\nstreams:\n  a: {path: a.csv}\n")
    done = lagoa(project, "validate", env={"ERP_URL": URL})
    assert done.returncode == 2
    assert b"sources/land.yml:2" in done.stderr
    assert not leaks(done.stdout + done.stderr)
