"""Settings: .env, and the environment over lagoa.yml."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagoa.errors import ProjectError, ProjectErrors
from lagoa.project.config import environment, read_dotenv
from lagoa.project.load import load

DOTENV = """\
# comment
PLAIN=value
export EXPORTED=yes
SPACED = around
COMMENTED=value # a comment
HASH=a#b
SINGLE='it is $literal \\n # kept'
DOUBLE="two\\nlines and a \\"quote\\"" # comment
EMPTY=
MULTI="first
second"
"""


def test_dotenv_knows_quotes_comments_and_export() -> None:
    assert read_dotenv(DOTENV) == {
        "PLAIN": "value",
        "EXPORTED": "yes",
        "SPACED": "around",
        "COMMENTED": "value",
        "HASH": "a#b",
        "SINGLE": "it is $literal \\n # kept",
        "DOUBLE": 'two\nlines and a "quote"',
        "EMPTY": "",
        "MULTI": "first\nsecond",
    }


@pytest.mark.parametrize(("text", "line"), [("A=1\nhunter2\n", 2), ('A="hunter2\nB=1\n', 1)])
def test_a_wrong_line_of_dotenv_is_told_without_showing_it(text: str, line: int) -> None:
    with pytest.raises(ProjectError) as caught:
        read_dotenv(text)
    assert caught.value.place is not None
    assert (caught.value.place.line, caught.value.place.text) == (line, None)
    assert "hunter2" not in str(caught.value)


def test_the_process_s_environment_wins_over_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    assert environment(tmp_path, {"A": "process"}) == {"A": "process", "B": "file"}


def _project(root: Path) -> Path:
    (root / "lagoa.yml").write_text("name: loja\ntargets:\n  aws-prod: {lake: a, threads: 2}\n")
    return root


def test_the_environment_wins_over_the_project_file(tmp_path: Path) -> None:
    variables = {"LAGOA__TARGETS__AWS_PROD__LAKE": "b", "LAGOA__TARGETS__AWS_PROD__MEMORY": "2GB"}
    project = load(_project(tmp_path), "aws-prod", variables)
    assert project.lake == tmp_path / "b"
    assert (project.target.memory, project.target.threads) == ("2GB", 2)


def test_a_variable_of_dotenv_wins_over_the_file_and_loses_to_the_process(tmp_path: Path) -> None:
    root = _project(tmp_path)
    (root / ".env").write_text("LAGOA__TARGETS__LOCAL__LAKE=from_dotenv\n")
    assert load(root, None, {}).lake == root / "from_dotenv"
    assert load(root, None, {"LAGOA__TARGETS__LOCAL__LAKE": "process"}).lake == root / "process"


def test_a_wrong_variable_is_named_as_the_place_of_the_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectErrors) as caught:
        load(_project(tmp_path), None, {"LAGOA__TARGETS__LOCAL__THREADS": "many"})
    assert str(caught.value.place) == "environment variable LAGOA__TARGETS__LOCAL__THREADS"
    assert "must be a whole number" in caught.value.message


def test_an_unknown_key_in_a_variable_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProjectErrors) as caught:
        load(_project(tmp_path), None, {"LAGOA__TARGETS__LOCAL__LAEK": "x"})
    assert caught.value.code == "LG-101"
    assert caught.value.hint == "did you mean `lake`?"
