"""What may be imported: light starts, walls between rooms, few dependencies, few exceptions to the types."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("duckdb", "pyarrow", "deltalake", "sqlglot", "boto3", "adbc_driver_manager", "pandas", "numpy")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _loaded(code: str, names: tuple[str, ...]) -> list[str]:
    """Run code in a process of its own; say which of the named modules it loaded."""
    tail = f"\nimport sys; print('loaded:', *(m for m in {names!r} if m in sys.modules))"
    environ = {"PYTHONPATH": str(ROOT / "src"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True, env=environ)
    return done.stdout.rpartition("loaded:")[2].split()


def test_importing_lagoa_loads_nothing_heavy() -> None:
    assert _loaded("import lagoa", (*HEAVY, "pydantic", "yaml", "click", "rich")) == []


@pytest.mark.parametrize("module", ["lagoa.errors", "lagoa.spec.project", "lagoa.ports", "lagoa.registry"])
def test_what_is_declared_loads_nothing_heavy(module: str) -> None:
    assert _loaded(f"import {module}", HEAVY) == []


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["query", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"from lagoa.cli.main import main\ntry: main({arguments!r})\nexcept SystemExit as e: assert not e.code"
    assert _loaded(code, (*HEAVY, "pydantic", "yaml")) == []


def test_a_heavy_import_would_be_noticed() -> None:
    assert _loaded("import lagoa, sqlglot", HEAVY) == ["sqlglot"]


def _contracts(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or "lint-imports"
    environ = {"PYTHONPATH": str(cwd / "src"), "PATH": ""}
    return subprocess.run([command, "--no-cache", *arguments], cwd=cwd, capture_output=True, text=True, env=environ)


def test_rooms_import_only_what_lies_below_them() -> None:
    done = _contracts()
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("spec/names.py", "import lagoa.lake", "Layers"),
        ("plan/step.py", "import lagoa.adapters.secrets.file", "Nobody imports an adapter"),
        ("adapters/secrets/file.py", "import lagoa.adapters.secrets.environment", "Adapters never import each other"),
        ("spec/declared.py", "import lagoa.spec.check", "No cycles"),
        ("ports.py", "import duckdb", "Declaration and ports stay light"),
    ],
)
def test_a_broken_wall_would_be_noticed(tmp_path: Path, file: str, line: str, contract: str) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "examples")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    broken = tmp_path / "src" / "lagoa" / file
    broken.write_text(broken.read_text("utf-8") + f"\n{line}\n", "utf-8")
    done = _contracts(cwd=tmp_path)
    assert done.returncode == 1
    assert any(contract in said and "BROKEN" in said for said in done.stdout.splitlines()), done.stdout


def test_there_are_few_direct_dependencies() -> None:
    assert len(PROJECT["project"]["dependencies"]) <= 12


IGNORE = re.compile(r"#\s*type:\s*ignore(?P<code>\[[\w, -]+\])?(?P<rest>.*)")


def ignores(text: str) -> list[tuple[bool, bool]]:
    """Find each `type: ignore`: whether it names a code, and whether it gives a reason."""
    return [(bool(m["code"]), "#" in m["rest"]) for m in IGNORE.finditer(text)]


def test_the_type_checker_is_silenced_rarely_and_never_without_a_reason() -> None:
    ours = [p for folder in ("src", "tests", "bench", "docs") for p in sorted((ROOT / folder).rglob("*.py"))]
    files = [p for p in ours if "work" not in p.relative_to(ROOT).parts]
    found = {p: ignores(p.read_text("utf-8")) for p in files if p != Path(__file__).resolve()}
    bare = [str(path.relative_to(ROOT)) for path, marks in found.items() for mark in marks if not all(mark)]
    assert bare == []
    assert sum(len(marks) for marks in found.values()) <= 20


def test_a_bare_ignore_would_be_noticed() -> None:
    mark = "x = 1  # type: " + "ignore"
    assert ignores(f"{mark}\n{mark}[misc]\n{mark}[misc] # because") == [(False, False), (True, False), (True, True)]
