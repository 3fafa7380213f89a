"""What is written about the code is true: codes, pages, public names, rooms; and nothing tells of a machine."""

from __future__ import annotations

import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import lagoa
from lagoa.errors import CODES, LagoaError

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "lagoa"
CODE = re.compile(r"LG-\d{3}")


def _texts(folder: Path, pattern: str) -> dict[Path, str]:
    return {path: path.read_text("utf-8") for path in sorted(folder.rglob(pattern)) if "examples" not in path.parts}


# ---------------------------------------------------------------- error codes
def test_every_code_that_is_used_exists_and_every_code_that_exists_is_used() -> None:
    used: set[str] = set()
    for path, text in _texts(SOURCE, "*.py").items():
        if path != SOURCE / "errors.py":
            used |= set(CODE.findall(text))
    raised_by_errors = set(CODE.findall(inspect.getsource(sys.modules["lagoa.errors"]).partition("\nclass ")[2]))
    assert used - CODES.keys() == set()
    assert CODES.keys() - used - raised_by_errors == set()


def test_documents_speak_only_of_codes_that_exist() -> None:
    files = {**_texts(ROOT / "docs", "*.md"), **{p: p.read_text("utf-8") for p in ROOT.glob("*.md")}}
    assert {
        str(p): set(CODE.findall(t)) - CODES.keys() for p, t in files.items() if set(CODE.findall(t)) - CODES.keys()
    } == {}


def test_an_unknown_code_cannot_be_raised() -> None:
    with pytest.raises(ValueError, match="LG-999"):
        LagoaError("LG-999", "a message")


# ---------------------------------------------------------------- the reference
def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_reference", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_reference_is_fresh() -> None:
    assert [str(path.relative_to(ROOT)) for path in _generator().stale()] == [], "run `make docs`"


def test_a_stale_page_would_be_noticed(tmp_path: Path) -> None:
    generator = _generator()
    setattr(generator, "REFERENCE", tmp_path)  # noqa: B010  # a module of no known type
    for path, text in generator.pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("LG-103", "LG-301"), "utf-8")
    assert generator.stale() == [tmp_path / "errors.md"]


# ---------------------------------------------------------------- public names and rooms
def test_every_public_name_is_there_and_listed() -> None:
    assert lagoa.__all__ == sorted(lagoa.__all__)
    assert set(lagoa.__all__) == set(lagoa._HOMES)
    for name in lagoa.__all__:
        found = getattr(lagoa, name)
        assert found.__name__ == name
        assert found.__doc__, f"lagoa.{name} says nothing of itself"
    assert set(lagoa.__all__) <= set(dir(lagoa))


def test_a_name_that_is_not_public_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pipeline'"):
        lagoa.Pipeline  # noqa: B018  # reading it is the test


def test_the_architecture_tells_of_every_room() -> None:
    told = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rooms = [path.name for path in sorted(SOURCE.iterdir()) if (path / "__init__.py").is_file()]
    rooms += [path.name for path in sorted(SOURCE.glob("*.py")) if not path.name.startswith("__")]
    assert [room for room in rooms if room not in told] == []


def test_the_changelog_tells_of_this_version() -> None:
    told = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert lagoa.__version__ in told or "Unreleased" in told


# ---------------------------------------------------------------- machines
_MACHINE = re.compile(
    r"(?<![\w.}])/(?:work|root|home/\w+|Users/\w+|tmp|var/folders)/[\w.-]|(?:index-url|artifactory|nexus/repository)"
)
_TEXTS = {".py", ".md", ".toml", ".yml", ".yaml", ".sql", ".txt", ".json", ".cfg", ".ini", ".sh", ""}


def machine_paths(text: str) -> list[str]:
    """Find what holds on one machine only: its folders, its package registry."""
    return [match[0] for match in _MACHINE.finditer(text)]


def test_no_tracked_file_tells_of_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in _TEXTS and path.is_file() and path != Path(__file__).resolve():
            paths = machine_paths(path.read_text("utf-8", errors="replace"))
            if paths:
                found[name] = paths
    assert found == {}


@pytest.mark.parametrize("text", ["see /work/x", "cp a /tmp/b", "'/home/ana/x'", "--index-url x", "/root/.cache"])
def test_a_machine_s_path_would_be_noticed(text: str) -> None:
    assert machine_paths(text)


@pytest.mark.parametrize("text", ["bench/work/x", "${HOME}/work/x", "a/tmp/b", "https://example.com/work"])
def test_other_paths_are_no_machine_s(text: str) -> None:
    assert not machine_paths(text)
