"""What a connector says, line by line: messages of Airbyte's protocol, records that are none, and noise."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from lagoa.kit.json_records.strict import DOUBT, Judge

_DOUBT = re.compile(DOUBT)
_SHOWN = 500
"""Characters of a connector's words that a message shows."""
_KINDS = frozenset(("RECORD", "STATE", "LOG", "TRACE", "CONTROL", "SPEC", "CONNECTION_STATUS", "CATALOG"))
BROKEN = "BROKEN"
"""The kind of a line that was meant as a record and is no valid JSON."""

Message = tuple[str, Any]
"""A kind, and the whole message; of a broken record its line, as bytes."""


def clipped(text: object) -> str:
    """Return words on one line, and not too many of them."""
    line = " ".join(str(text).split())
    return line if len(line) <= _SHOWN else line[:_SHOWN] + " …"


@dataclass
class Heard:
    """Reads lines, and remembers what errors and notes are made of."""

    trace: dict[str, Any] | None = None
    """The first error that the connector has told of."""
    complaint: str = ""
    """What it last logged as an error."""
    noise: int = 0
    """How many lines were no messages."""
    first_noise: str = ""
    changed_config: bool = False
    statuses: list[str] = field(default_factory=list)
    """What it said of its stream's progress."""
    _judge: Judge = field(default_factory=Judge)

    def message(self, line: bytes) -> Message | None:
        """Return what a line says, None when that was only worth remembering."""
        if not line.strip():
            return None
        said = self._read(line)
        kind = said.get("type") if isinstance(said, dict) else None
        if kind not in _KINDS:
            if said is None and b'"RECORD"' in line:
                return BROKEN, line
            self.noise += 1
            self.first_noise = self.first_noise or clipped(line.decode("utf-8", "replace"))
            return None
        if kind == "STATE":
            said = json.loads(line)  # as it came: a record's long numbers become text
        if kind in ("LOG", "TRACE", "CONTROL"):
            self._remember(kind, said)
            return None
        return str(kind), said

    def _read(self, line: bytes) -> Any:
        try:
            text = line.decode()
            return self._judge.decoder.decode(text) if _DOUBT.search(text) else json.loads(text)
        except (ValueError, RecursionError):
            return None

    def _remember(self, kind: str, said: dict[str, Any]) -> None:
        inside = said.get(kind.lower())
        inside = inside if isinstance(inside, dict) else {}
        if kind == "CONTROL":
            self.changed_config = True  # never shown: it may hold new tokens
        elif kind == "LOG":
            if inside.get("level") in ("ERROR", "FATAL"):
                self.complaint = clipped(inside.get("message", ""))
        elif inside.get("type") == "ERROR" and self.trace is None:
            error = inside.get("error")
            self.trace = error if isinstance(error, dict) else {}
        elif inside.get("type") == "STREAM_STATUS" and isinstance(inside.get("stream_status"), dict):
            self.statuses.append(str(inside["stream_status"].get("status")))


def record_line(said: dict[str, Any]) -> bytes | None:
    """Return the data of a RECORD as one line of JSON; None when it has none."""
    record = said.get("record")
    data = record.get("data") if isinstance(record, dict) else None
    if not isinstance(data, dict):
        return None
    text = json.dumps(data, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: as it was escaped, to be set aside with its reason
        return json.dumps(data).encode()


def kept_state(said: dict[str, Any], name: str, namespace: str | None) -> dict[str, Any] | None:
    """Return what must be remembered of a STATE message: its kind and its content. None: another stream's."""
    state = said.get("state")
    if not isinstance(state, dict):
        return None
    kind = state.get("type") or "LEGACY"
    if kind == "GLOBAL":
        return {"type": kind, "global": state.get("global")}
    if kind != "STREAM":
        return {"type": "LEGACY", "data": state.get("data")}
    stream = state.get("stream")
    of = stream.get("stream_descriptor") if isinstance(stream, dict) else None
    of = of if isinstance(of, dict) else {}
    if of.get("name") != name or (of.get("namespace") or None) != namespace:
        return None
    return {"type": kind, "stream": stream}


def given_state(kept: dict[str, Any]) -> Any:
    """Return a remembered state as a connector takes it."""
    return kept["data"] if kept["type"] == "LEGACY" else [kept]


def counted(said: dict[str, Any]) -> int | None:
    """Return how many records a STATE message says were sent since the one before; None: it does not say."""
    state = said.get("state")
    found = next(
        (part.get("sourceStats") for part in (state, said) if isinstance(part, dict) and "sourceStats" in part), None
    )
    number = found.get("recordCount") if isinstance(found, dict) else None
    return int(number) if isinstance(number, int | float) else None
