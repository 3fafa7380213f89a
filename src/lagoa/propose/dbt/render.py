"""Asks the sandbox to render, and ends it when it takes too long."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from threading import Timer
from typing import Any

from lagoa.errors import MissingExtra
from lagoa.propose.dbt.nouns import Dbt

PATIENCE = 10.0
"""Seconds that one template may take."""


class Failed(Exception):
    """A template cannot be rendered; `line` is the line of its file when it is known.

    `needs` is the table whose columns it asks for, when that is why.
    """

    def __init__(self, words: str, line: int | None = None, needs: str | None = None) -> None:
        super().__init__(words)
        self.line, self.needs = line, needs


@dataclass(frozen=True)
class Rendered:
    """What a template became, what it configured, the variables that it read and what it asked on its way."""

    text: str
    config: dict[str, Any] = field(default_factory=dict)
    strange: tuple[str, ...] = ()
    """What it configured with values that are no plain data."""
    used: dict[str, Any] = field(default_factory=dict)
    told: tuple[str, ...] = ()


class Renderer:
    """Renders the templates of a dbt project, one after the other, in a process of its own."""

    def __init__(
        self, dbt: Dbt, refs: Mapping[str, str], sources: Mapping[str, str], patience: float = PATIENCE
    ) -> None:
        if find_spec("jinja2") is None:
            raise MissingExtra("reading a dbt project", "dbt")
        macros = [m.__dict__ for m in dbt.macros]
        self._start = {
            "name": dbt.name,
            "dialect": dbt.dialect or "duckdb",
            "target": dbt.target,
            "variables": dbt.variables,
            "chosen": dict(dbt.chosen),
            "macros": macros,
            "refs": dict(refs),
            "sources": dict(sources),
        }
        self._known: dict[str, list[tuple[str, str]]] = {}
        self._learned: dict[str, list[tuple[str, str]]] = {}
        self._patience = patience
        self._process: subprocess.Popen[str] | None = None

    def text(self, text: str, file: str = "", line: int = 1, **more: Any) -> Rendered:
        """Render a text; `more` may give name, config and this. Raises Failed."""
        if "{" not in text:
            return Rendered(text.strip("\n"))
        return self._ask({"text": text, "file": file, "line": line, **more})

    def learn(self, table: str, columns: Mapping[str, str]) -> None:
        """Let templates know the columns of a table, each with its type."""
        self._learned[table] = list(columns.items())

    def macro(self, name: str, arguments: Mapping[str, Any]) -> Rendered:
        """Call a macro, named as `package.macro` or, when it is the project's own, `macro`. Raises Failed."""
        return self._ask({"macro": name, "arguments": dict(arguments)})

    def tree(self, value: Any) -> Any:
        """Render every text inside a value of YAML; what cannot be rendered stays as it is."""
        if isinstance(value, dict):
            return {k: self.tree(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.tree(v) for v in value]
        if not isinstance(value, str) or "{{" not in value:
            return value
        try:
            text = self.text(value).text
        except Failed:
            return value
        return {"True": True, "False": False}.get(text, text)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ask(self, job: Mapping[str, Any]) -> Rendered:
        process = self._running()
        job = {**job, "learned": self._learned}
        self._known |= self._learned
        self._learned = {}
        timer = Timer(self._patience, process.kill)
        timer.start()
        try:
            answer = _exchange(process, job)
        finally:
            timer.cancel()
        if answer is None:
            self.close()
            raise Failed(f"it takes longer than {self._patience:g} s, or more memory than is good")
        if "error" in answer:
            raise Failed(answer["error"], answer["line"], answer["needs"])
        strange, told = tuple(answer.pop("strange")), tuple(answer.pop("told"))
        return Rendered(**answer, strange=strange, told=told)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "lagoa.propose.dbt.sandbox"],  # -P: no Python of the project's folder
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )
            _send(self._process, {**self._start, "columns": self._known})
        return self._process


def _send(process: subprocess.Popen[str], value: Any) -> None:
    if process.stdin is not None:
        process.stdin.write(json.dumps(value, default=str) + "\n")
        process.stdin.flush()


def _exchange(process: subprocess.Popen[str], job: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        _send(process, job)
        line = process.stdout.readline() if process.stdout is not None else ""
    except OSError:
        return None
    return json.loads(line) if line.endswith("\n") else None


@contextmanager
def rendering(
    dbt: Dbt, refs: Mapping[str, str], sources: Mapping[str, str], patience: float = PATIENCE
) -> Iterator[Renderer]:
    """Have a renderer for a while. Raises MissingExtra when Jinja is not installed."""
    renderer = Renderer(dbt, refs, sources, patience)
    try:
        yield renderer
    finally:
        renderer.close()
