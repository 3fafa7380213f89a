"""The tutorial is true: its commands run in order, and say what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/start/first-lakehouse.md"
_VARYING = re.compile(r"\d+\.\d s|today \d\d:\d\d|\s+")


def steps() -> list[tuple[str, list[str]]]:
    """Read the page's console blocks: each command with the lines that it is shown to say."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.strip():
                found[-1][1].append(line)
    return found


def plain(line: str) -> str:
    return _VARYING.sub(" ", line).strip()


@pytest.mark.skipif(sys.platform == "win32", reason="the page speaks to a POSIX shell")
def test_every_command_of_the_tutorial_works_and_says_what_the_page_shows(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    folder = tmp_path
    assert len(steps()) >= 15
    for command, shown in steps():
        if command.startswith("cd "):
            folder = folder / command[3:]
            continue
        # python -m: a test must run the code of this tree, whatever `lagoa` is installed
        shell = command.replace("lagoa ", f"{sys.executable} -m lagoa ", 1) if command.startswith("lagoa ") else command
        done = subprocess.run(
            shell, shell=True, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": path}, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        said = plain(done.stdout + done.stderr)
        for line in shown:
            assert plain(line) in said, f"{command}\nshould say: {line}\nsaid:\n{done.stdout}{done.stderr}"
