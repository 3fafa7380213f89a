"""The documents are true: their commands run and say what is shown, their files load, their links lead somewhere.

A page is worked through from top to bottom in an empty folder, as a reader would. In a ```console block `$ ` begins
a command, `> ` goes on with it, all else is what it says: a line `…` stands for lines that the page leaves out, and
times, durations and run ids may differ. A block whose first line is a comment with a file's name is that file.
`<!-- test: … -->` right above a block says more: `exit 1`, `database` (SQL for the test's PostgreSQL), `needs X`
(Python that runs when X is installed), `fragment` (a part of a file, shown alone).
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LISTED = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True)
PAGES = sorted(ROOT / name for name in LISTED.stdout.decode().splitlines() if (ROOT / name).is_file())
WORKED = [
    p
    for p in PAGES
    if p.parent == ROOT
    or (p.parent.name in ("start", "guides", "concepts") and "docs" in p.parts)
    or p.name == "selectors.md"
]
SERVER = "<!-- test: postgres -->"

_FENCE = re.compile(r"^\s*(```+)\s*([\w-]*)")
_MARK = re.compile(r"<!-- test: (.+?) -->")
_FILE = re.compile(r"(?:#|--) ((?:[\w.-]+/)*[\w-]*\.(?:yml|sql|py|env)|\.env)")
_LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)|(?:src|href|srcset)=\"([^\"]+)\"")
_INSTALLING = re.compile(r"(pip install|git clone|cd \w+$|make( |$)|sudo apt-get install|python3? -m venv|source |#)")
_PROGRESS = re.compile(r"(\S+: (published version|failed:|blocked:|skipped:)|\d[\d,]* rows? in # s)")
_VARYING = [
    (re.compile(r"\d{8}-\d{6}-\w{4}"), "RUN"),
    (re.compile(r"(today|\d{4}-\d\d-\d\d) \d\d:\d\d(:\d\d(\.\d+)?(\+00)?)?(?=\W|$)"), "WHEN"),
    (re.compile(r"\d+(\.\d+)? s\b"), "# s"),
    (re.compile(r"\d+(\.\d+)? [KMG]?B\b"), "# KB"),
    (re.compile(r"─+"), "─"),
    (re.compile(r"\s+"), " "),
]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its lines, what an HTML comment right above it says to this test."""

    language: str
    lines: list[str]
    mark: str
    line: int

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    @property
    def file(self) -> str | None:
        named = _FILE.fullmatch(self.lines[0].strip()) if self.lines else None
        return named[1] if named else None


@dataclass
class Command:
    """What a reader types, and the lines that the page shows for it."""

    text: str
    line: int
    shown: list[str] = field(default_factory=list)


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    lines = text.splitlines()
    at, mark = 0, ""
    while at < len(lines):
        opening = _FENCE.match(lines[at])
        if opening is None:
            found = _MARK.fullmatch(lines[at].strip())
            mark = found[1] if found else mark if not lines[at].strip() else ""
            at += 1
            continue
        end = next(i for i in range(at + 1, len(lines)) if lines[i].strip() == opening[1])
        yield Block(opening[2], lines[at + 1 : end], mark, at + 2)
        at, mark = end + 1, ""


def commands(block: Block) -> list[Command]:
    """Read a console block."""
    found: list[Command] = []
    for number, line in enumerate(block.lines, block.line):
        if line.startswith("$ "):
            found.append(Command(line[2:], number))
        elif line.startswith("> ") or line == ">":
            found[-1].text += "\n" + line[2:]
        elif line.strip():
            found[-1].shown.append(line)
    return found


def prose(text: str) -> str:
    """Return a page without its fenced blocks: what holds headings and links."""
    kept, fence = [], ""
    for line in text.splitlines():
        opening = _FENCE.match(line)
        if fence:
            fence = "" if line.strip() == fence else fence
        elif opening:
            fence = opening[1]
        else:
            kept.append(line)
    return "\n".join(kept)


def anchors(text: str) -> set[str]:
    """Name a page's headings as links do, by GitHub's rule."""
    found: set[str] = set()
    for heading in re.findall(r"(?m)^#{1,6} +(.+?)\s*$", prose(text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        base = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        slug = next(s for s in (base, *(f"{base}-{n}" for n in range(1, 100))) if s not in found)
        found.add(slug)
    return found


def links(text: str) -> list[str]:
    """List where a page's links lead."""
    return [a or b for a, b in _LINK.findall(re.sub(r"`[^`\n]*`", "`", prose(text)))]


# ---------------------------------------------------------------- what is shown against what is said
def plain(line: str) -> str:
    """Write a line without what differs from run to run."""
    for pattern, instead in _VARYING:
        line = pattern.sub(instead, line)
    return line.strip()


def untrue(shown: list[str], out: str, err: str) -> str | None:
    """Find the first line that a page shows wrongly, or leaves out without `…`; conversation may be left out."""
    said = [(line, False) for text in out.splitlines() if (line := plain(text))]
    said += [(line, True) for text in err.splitlines() if (line := plain(text)) and not _PROGRESS.match(line)]
    at, gap = 0, False
    for line in map(plain, shown):
        if line == "…":
            gap = True
            continue
        while at < len(said) and said[at][0] != line and (gap or said[at][1]):
            at += 1
        if at == len(said):
            return f"the page shows, but it is not said: {line}"
        if said[at][0] != line:
            return f"the page shows: {line}\nwhere it says:  {said[at][0]}"
        at, gap = at + 1, False
    left = [line for line, optional in said[at:] if not optional]
    return f"the page leaves out without a `…`: {left[0]}" if left and shown and not gap else None


class Reader:
    """Works through one page: keeps the folder and the environment from command to command."""

    def __init__(self, page: Path, folder: Path, environment: dict[str, str]) -> None:
        self.page, self.folder, self.environment = page, folder, environment
        tools = folder.parent / "tools"
        tools.mkdir()
        for name, runs in {"lagoa": "-m lagoa", "python": ""}.items():
            (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {runs} "$@"\n', encoding="utf-8")
            (tools / name).chmod(0o755)
        self.environment["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"
        self.environment["PYTHONPATH"] = str(ROOT / "src")  # this tree's code, whatever is installed
        self.kept = folder.parent / "kept"
        self.python: dict[str, Any] = {"__name__": "__main__"}
        self.wrote = False

    def work(self, block: Block) -> None:
        """Do what a block says."""
        if block.mark == "fragment":
            return
        if block.file is not None:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
            self.wrote = True
        elif block.language == "console":
            for command in commands(block):
                self.type(command, 1 if block.mark == "exit 1" else 0)
        elif block.language == "pycon" and find_spec(block.mark.removeprefix("needs ") or "sys"):
            self.try_out(block)

    def type(self, command: Command, code: int) -> None:
        """Type a command; it must end and say as the page shows."""
        script = f"{command.text}\ncode=$?\npwd >'{self.kept}'\nexit $code"
        ran = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        told = f"{self.page.name}:{command.line}: {command.text}"
        said = f"\n--- said\n{ran.stdout}{ran.stderr}"
        fails = any(line.startswith("error[") for line in command.shown)
        assert (ran.returncode != 0) if fails else (ran.returncode == code), f"{told}: exit {ran.returncode}{said}"
        wrong = untrue(command.shown, ran.stdout, ran.stderr)
        assert wrong is None, f"{told}\n{wrong}{said}"
        self.folder = Path(self.kept.read_text().rstrip("\n"))

    def try_out(self, block: Block) -> None:
        """Run a Python session as doctest does."""
        name = f"{self.page.name}:{block.line}"
        test = doctest.DocTestParser().get_doctest(block.text, self.python, name, str(self.page), block.line)
        heard: list[str] = []
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            doctest.DocTestRunner(optionflags=flags).run(test, out=heard.append, clear_globs=False)
        finally:
            os.chdir(here)
        self.python = test.globs
        assert not heard, "".join(heard)

    def load(self) -> None:
        """Load the project that the page's files make, with the real loader."""
        settings = self.folder / "lagoa.yml"
        if not settings.exists():
            settings.write_text("name: page\n", encoding="utf-8")
        ran = subprocess.run(
            [sys.executable, "-m", "lagoa", "validate"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, f"{self.page.name}: the files of this page do not load\n{ran.stderr}"


def _title(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.slow
@pytest.mark.parametrize("page", WORKED, ids=_title)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = page.read_text("utf-8")
    found = list(blocks(text))
    url = "postgresql://reader:secret@127.0.0.1:1/erp"
    if SERVER in text:
        server = request.getfixturevalue("postgres_server")
        database = server.database(f"docs_{page.stem}")
        url = server.uri(database)
        for block in found:
            if block.mark == "database":
                server.psql([], database, block.text)
    folder = tmp_path / "reader"
    folder.mkdir()
    quiet = {k: v for k, v in os.environ.items() if not k.startswith(("LAGOA_", "OLIST_", "PYTEST_"))}
    reader = Reader(page, folder, {**quiet, "ERP_URL": url})
    for block in found:
        if block.mark != "database":
            reader.work(block)
    if reader.wrote:
        reader.load()


@pytest.mark.parametrize("page", PAGES, ids=_title)
def test_what_stands_in_blocks_can_be_read(page: Path) -> None:
    for block in blocks(page.read_text("utf-8")):
        if block.language == "yaml":
            yaml.safe_load(block.text)
        if block.language == "sh":
            strange = [line for line in block.lines if line.strip() and not _INSTALLING.match(line)]
            assert strange == [], f"{page.name}:{block.line}: a `sh` block is not run; make it `console`"


@pytest.mark.parametrize("page", PAGES, ids=_title)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text("utf-8")), f"{page.name}: {link}: no such heading"


def test_every_page_is_reached_from_the_first() -> None:
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for link in links(page.read_text("utf-8")):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.is_file():
                waiting.append(target)
    lost = [_title(p) for p in PAGES if p not in seen and "src" not in p.parts]
    assert lost == []


@pytest.mark.parametrize("picture", sorted((ROOT / "docs/pictures").glob("*.svg")), ids=lambda p: p.name)
def test_a_picture_fetches_nothing(picture: Path) -> None:
    text = picture.read_text("utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org/)|url\((?!#)|@import", text)


# ---------------------------------------------------------------- the test itself can fail
def test_a_line_that_is_not_said_is_noticed() -> None:
    assert untrue(["a", "b"], "a\nb\n", "") is None
    assert untrue(["a", "…", "d"], "a\nb\nc\nd\n", "") is None
    assert untrue(["took 0.1 s today 10:00"], "took 12.5 s today 11:59", "") is None
    assert untrue(["a"], "a\n", "\nNext: lagoa run\n") is None
    assert "where it says" in (untrue(["a", "c"], "a\nb\nc\n", "") or "")
    assert "not said" in (untrue(["a", "…", "x"], "a\nb\n", "") or "")
    assert "leaves out" in (untrue(["a"], "a\nb\n", "") or "")


def test_a_broken_block_or_link_is_noticed() -> None:
    page = "# A `b` c\n<!-- test: exit 1 -->\n```console\n$ a\nsaid\n> b\n```\n[x](y.md#z) ![p](q.svg)\n"
    (block,) = blocks(page)
    assert (block.language, block.mark, block.line) == ("console", "exit 1", 4)
    assert [(c.text, c.shown) for c in commands(block)] == [("a\nb", ["said"])]
    assert anchors(page) == {"a-b-c"}
    assert links(page) == ["y.md#z", "q.svg"]
