"""Every error becomes words and an exit code, and help answers at once."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lagoa import __version__
from lagoa.cli import main as module
from lagoa.cli.main import COMMANDS
from lagoa.testing.cove import Cove
from lagoa.testing.mouth import Lagoa


def shell(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lagoa", *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        check=False,
    )


def test_help_names_every_command_and_loads_none_of_what_they_need() -> None:
    heavy = "duckdb pyarrow deltalake sqlglot pydantic rich yaml lagoa.app"
    code = (
        "import sys; from lagoa.cli.main import main\n"
        "try: main(['--help'])\n"
        f"finally: print([m for m in '{heavy}'.split() if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_of_its_own(lagoa: Lagoa, name: str) -> None:
    said = lagoa(name, "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: lagoa {name}")
    assert "--debug" in said.out
    assert "-C, --project" in said.out


@pytest.mark.parametrize("name", ["validate", "plan", "run", "query", "show", "maintain", "doctor"])
def test_what_is_read_can_be_had_as_json(lagoa: Lagoa, name: str) -> None:
    assert "--json" in lagoa(name, "--help").out


@pytest.mark.parametrize("name", ["run", "restore", "maintain"])
def test_what_acts_can_be_tried_first(lagoa: Lagoa, name: str) -> None:
    assert "--dry-run" in lagoa(name, "--help").out


def test_the_version_is_data(lagoa: Lagoa) -> None:
    said = lagoa("--version")
    assert (said.code, said.out, said.err) == (0, f"lagoa {__version__}\n", "")


@pytest.mark.parametrize(
    ("args", "message", "hint"),
    [
        (["qurey"], "there is no command `qurey`", "did you mean `query`?"),
        (["xyz"], "there is no command `xyz`", "`lagoa --help` lists the commands"),
        (["plan", "--ful"], "there is no option `--ful`", "did you mean `--full`?"),
        (["query"], "missing argument 'SQL'", "lagoa query --help"),
        (
            ["init", "x", "--example", "ship"],
            "invalid value for '--example': 'ship' is not one of",
            "lagoa init --help",
        ),
    ],
)
def test_a_wrong_command_says_what_is_right_and_ends_with_2(
    lagoa: Lagoa, args: list[str], message: str, hint: str
) -> None:
    said = lagoa(*args)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith(f"error[LG-601]: {message}")
    assert said.err.endswith(f"  hint: {hint}\n")


def test_a_folder_without_a_project_is_said_so(lagoa: Lagoa, tmp_path: Path) -> None:
    said = lagoa("-C", tmp_path, "plan")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error[LG-112]: there is no lagoa.yml in {tmp_path.resolve()}\n")
    assert "lagoa init NAME" in said.err
    assert "there is no folder " in lagoa("-C", tmp_path / "nowhere", "plan").err


def test_the_project_may_be_named_before_or_after_the_command(lagoa: Lagoa, cove: Cove) -> None:
    assert lagoa("-C", cove.root, "validate").code == 0
    assert lagoa("validate", "-C", cove.root).code == 0
    assert lagoa("-C", cove.root / "nowhere", "validate", "--project", cove.root).code == 0


def test_a_bug_is_one_line_unless_debugged(lagoa: Lagoa, cove: Cove, monkeypatch: pytest.MonkeyPatch) -> None:
    validate = importlib.import_module("lagoa.cli.validate")

    def broken(*_: object) -> int:
        raise ZeroDivisionError("the tide\nis out")

    monkeypatch.setattr(validate, "_checks", broken)
    said = lagoa("-C", cove.root, "validate")
    assert said.code == 1
    assert said.err.splitlines()[0] == "error[LG-605]: Lagoa failed where it should not: ZeroDivisionError: the tide"
    assert "Traceback" not in said.err
    assert "Traceback" in lagoa("-C", cove.root, "validate", "--debug").err


def test_a_bug_that_carries_a_secret_shows_none(lagoa: Lagoa, cove: Cove, monkeypatch: pytest.MonkeyPatch) -> None:
    (cove.root / ".env").write_text("SHOP_URL=postgresql://ana:canary-81b2@db/shop\n")
    source = "type: postgres\nconnection: ${secret:shop_url}\nstreams: {a: {table: a}}\n"
    (cove.root / "sources/shop.yml").write_text(source)
    validate = importlib.import_module("lagoa.cli.validate")

    def broken(*_: object) -> int:
        raise ConnectionError("password canary-81b2 refused")

    monkeypatch.setattr(validate, "_checks", broken)
    said = lagoa("-C", cove.root, "validate", "--debug")
    assert "password *** refused" in said.err
    assert "canary" not in said.err + said.out


def test_ctrl_c_is_one_word(lagoa: Lagoa, cove: Cove, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("lagoa.cli.validate"), "_checks", interrupted)
    said = lagoa("-C", cove.root, "validate")
    assert (said.code, said.out, said.err) == (module.INTERRUPTED, "", "\nstopped\n")


def test_a_reader_that_leaves_early_is_no_error(cove: Cove) -> None:
    cove.fill(50_000)
    command = f"{sys.executable} -m lagoa -C '{cove.root}' query 'from silver.customers' -f csv"
    done = subprocess.run(f"{command} | head -1", shell=True, capture_output=True, text=True, check=False)
    assert done.stdout == "id,cpf,state,spent\n"
    assert "rror" not in done.stderr


def test_pipes_and_no_color_get_no_colour(cove: Cove) -> None:
    cove.fill()
    for done in (shell("-C", cove.root, "show"), shell("-C", cove.root, "plan", NO_COLOR="1", FORCE_COLOR="1")):
        assert done.returncode == 0
        assert "\x1b" not in done.stdout + done.stderr


def test_a_console_without_unicode_gets_what_it_can_show(cove: Cove) -> None:
    cove.fill()
    done = shell("-C", cove.root, "query", "select null as a, 'e' as b", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == ["?  ?", "?  e"]
