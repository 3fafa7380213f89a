"""Which of the project's own modules a Python model imports, read and never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagoa.transform.modules import own_modules, same_python


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "lib/__init__.py": "",
        "lib/rate.py": "from . import deep\nfrom .deep import BASE\n",
        "lib/deep.py": "import lib.rate\nimport json\n",
        "alone.py": "raise SystemExit\n",
        "broken.py": "def (",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import json, pyarrow", []),
        ("import alone", ["alone.py"]),
        ("from lib import rate", ["lib/__init__.py", "lib/deep.py", "lib/rate.py"]),
        ("import lib.deep as d", ["lib/__init__.py", "lib/deep.py", "lib/rate.py"]),
        ("def model():\n    from lib.nothing import x", ["lib/__init__.py"]),
        ("import broken", ["broken.py"]),
        ("def (", []),
    ],
)
def test_what_is_imported_directly_or_through_others_is_found(root: Path, text: str, found: list[str]) -> None:
    assert list(own_modules(text, root)) == found


def test_comments_and_layout_do_not_make_another_program() -> None:
    assert same_python("x = 1  # one", "# two\nx=1")
    assert not same_python("x = 1", "x = 2")
    assert not same_python("x = 1", "x = (")
