"""One connector: spec, check, discover and read, with what goes wrong said in our words and without its secrets."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lagoa.errors import SourceError, did_you_mean
from lagoa.kit.airbyte.launch import Launch
from lagoa.kit.airbyte.messages import Heard, Message, clipped
from lagoa.kit.airbyte.process import LineTooLong, Process, surroundings
from lagoa.kit.patience import Patience
from lagoa.kit.redact import Redactor

_CONFIG = "look at `config:`; `lagoa run` goes on after the last state that was published"
_AGAIN = "run again: it goes on after the last state that was published"


@dataclass
class Connector:
    """A connector. `home` is where its program runs; what it is told lies in private files below `scratch`."""

    label: str
    launch: Launch
    home: Path
    scratch: Path
    config: Mapping[str, Any]
    redact: Redactor
    patience: Callable[[Callable[[], Exception]], Patience]
    """Makes the patience that waits for it, from what is raised when it is silent for too long."""
    notes: list[str] = field(default_factory=list)
    heard: Heard = field(default_factory=Heard)

    def spec(self) -> dict[str, Any]:
        """Return what its configuration must be, as a JSON schema. Raises SourceError."""
        said = self._one("SPEC", ["spec"], {})
        spec = said.get("spec")
        schema = spec.get("connectionSpecification") if isinstance(spec, dict) else None
        return schema if isinstance(schema, dict) else {}

    def check(self) -> None:
        """Let it say whether its system can be reached with the configuration. Raises SourceError LG-201."""
        self._fits(self.spec())
        said = self._one("CONNECTION_STATUS", ["check"], {"config": self.config}).get("connectionStatus")
        said = said if isinstance(said, dict) else {}
        if said.get("status") != "SUCCEEDED":
            raise self.error(
                "LG-201", f"cannot be reached: {clipped(said.get('message', 'it does not say why'))}", _CONFIG
            )

    def catalog(self) -> list[dict[str, Any]]:
        """Return its streams, as its catalog describes them. Raises SourceError."""
        found = self._one("CATALOG", ["discover"], {"config": self.config}).get("catalog")
        streams = found.get("streams") if isinstance(found, dict) else None
        if not isinstance(streams, list):
            raise self.error("LG-202", "gave a catalog without streams", _CONFIG)
        return [one for one in streams if isinstance(one, dict) and isinstance(one.get("name"), str)]

    def read(self, configured: Mapping[str, Any], state: Any) -> Iterator[Message]:
        """Give the records and states of one stream, in order. Raises SourceError, Stopped."""
        told = {"config": self.config, "catalog": {"streams": [configured]}}
        if state is not None:
            told["state"] = state
        yield from self._run(["read"], told)
        if "STARTED" in self.heard.statuses and "COMPLETE" not in self.heard.statuses:
            raise self.error("LG-202", "ended without saying that the stream is complete", _AGAIN, retry=True)

    # ------------------------------------------------------------ errors
    def error(self, code: str, said: str, hint: str, retry: bool = False) -> SourceError:
        """Make an error of ours; no secret of the configuration is in it."""
        return SourceError(code, self.redact(f"{self.label} {said}"), hint=hint, retry=retry)

    def _fits(self, schema: Mapping[str, Any]) -> None:
        asked, known = schema.get("required"), schema.get("properties")
        missing = [name for name in asked if name not in self.config] if isinstance(asked, list) else []
        if missing:
            raise self.error(
                "LG-201", f"needs {', '.join(f'`{n}`' for n in missing)} in `config:`", "add what is missing"
            )
        if not isinstance(known, dict) or schema.get("additionalProperties") is not False:
            return
        odd = [name for name in self.config if name not in known]
        if odd:
            hint = did_you_mean(odd[0], known) or f"it takes {', '.join(known)}"
            raise self.error("LG-201", f"takes no `{odd[0]}` in `config:`", hint)

    def _late(self, seconds: float) -> SourceError:
        return self.error(
            "LG-202", f"has said nothing for {seconds:g} seconds", "raise `idle_timeout:` if it may", retry=True
        )

    def _ended(self, code: int, said: str) -> SourceError | None:
        """Return why a program that has ended failed; None when it did not."""
        trace = self.heard.trace
        if trace is not None:
            words = clipped(trace.get("message") or trace.get("internal_message") or "an error without words")
            kind = trace.get("failure_type")
            if kind == "config_error":
                return self.error("LG-201", f"says: {words}", _CONFIG)
            return self.error("LG-202", f"says: {words}", _AGAIN, retry=kind == "transient_error")
        if code == 0:
            return None
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        last = said.splitlines()[-1] if said else ""
        words = self.heard.complaint or clipped(last) or self.heard.first_noise
        return self.error("LG-202", f"{how}{': ' + words if words else ', and did not say why'}", _AGAIN)

    # ------------------------------------------------------------ the program
    def _one(self, kind: str, command: list[str], told: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] | None = None
        for said, message in self._run(command, told):
            if said == kind:
                found = message
        if found is None:
            words = f": {self.heard.first_noise}" if self.heard.first_noise else ""
            raise self.error("LG-202", f"answered `{command[0]}` without a {kind} message{words}", "is it a connector?")
        return found

    def _run(self, command: list[str], told: Mapping[str, Any]) -> Iterator[Message]:
        self.heard = Heard()
        with tempfile.TemporaryDirectory(dir=self.scratch, prefix="airbyte-") as folder:
            private, mode = Path(folder), self.launch.readable
            files = {name: _written(private / f"{name}.json", content, mode) for name, content in told.items()}
            with self.launch.started(command, files) as arguments:
                process = self._started(arguments, private)
                try:
                    yield from self._messages(process)
                    failed = self._ended(process.ended(), process.said())
                finally:
                    process.close()
        self._note()
        if failed is not None:
            raise failed

    def _messages(self, process: Process) -> Iterator[Message]:
        try:
            for line in process.lines():
                message = self.heard.message(line)
                if message is not None:
                    yield message
        except LineTooLong:
            said = "wrote a line of more than 128 MB"
            raise self.error("LG-202", said, "is it a connector?") from None

    def _started(self, arguments: list[str], private: Path) -> Process:
        environ = {**surroundings(os.environ, *self.launch.passed), "TMPDIR": str(private), "PYTHONUNBUFFERED": "1"}
        seconds = self.patience(lambda: SourceError("LG-202", "")).seconds
        try:
            return Process(arguments, self.home, environ, self.patience(lambda: self._late(seconds)))
        except OSError as error:
            hint = "`command:` names the connector's program, when it is not called as its package"
            raise self.error("LG-201", f"cannot be started: {error.strerror}: {arguments[0]}", hint) from None

    def _note(self) -> None:
        if self.heard.noise:
            first = self.redact(self.heard.first_noise)
            self.notes.append(f"{self.heard.noise:,} lines of {self.label} were no messages; the first: {first}")
        if self.heard.changed_config:
            self.notes.append(f"{self.label} changed its configuration (a new token?), which is not kept")


def _written(path: Path, content: Any, mode: int) -> Path:
    """Write what a connector is told, into a folder that is the user's alone."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, mode)  # whatever the umask
        json.dump(content, file)
    return path
