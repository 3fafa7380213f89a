"""A source as proposed: what is said of it, and why, written as the file that a person goes on editing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lagoa.kit.landing import printable
from lagoa.propose.yaml_lines import as_yaml

_WIDE, _REASONS = 110, 56
_ORDER = (
    *("path", "member", "table", "mode", "key", "cursor", "format", "records", "encoding", "delimiter", "quote"),
    *("escape", "skip"),
)
_SHOWN = 50
"""How many files that were left out the source's file names."""


@dataclass(frozen=True)
class Column:
    """A column as proposed: what is said of it in YAML, and why."""

    name: str
    said: Mapping[str, Any]
    why: str = ""


@dataclass
class Stream:
    """A stream as proposed. `said` holds its keys but `columns`, `why` the reason for some of them."""

    name: str
    said: dict[str, Any]
    columns: list[Column] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)
    about: list[str] = field(default_factory=list)
    rows: int = 0
    files: int = 0
    width: int = 0
    """How many columns it has."""

    @property
    def personal(self) -> list[str]:
        """Name its columns with personal data."""
        return [c.name for c in self.columns if "pii" in c.said]


@dataclass
class Proposed:
    """A source as proposed: its streams, its file's text, and the files that it leaves out, with the reason."""

    name: str
    said: Mapping[str, Any]
    """The keys of the source but `streams`."""
    streams: list[Stream] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        """Write the source's file."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "# Proposed by `lagoa init --from` from what is there; the reasons stand beside what it says."
        yield "# It is yours now: correct what is wrong, and let the comments go."
        yield from _said(self.said, {}, "")
        for name, why in self.left_out[:_SHOWN]:
            yield f"# left out: {printable(name)}: {' '.join(printable(why).split())}"
        if len(self.left_out) > _SHOWN:
            yield f"# … and {len(self.left_out) - _SHOWN:,} more"
        yield "streams:"
        for nth, stream in enumerate(self.streams):
            if nth:
                yield ""
            yield from _stream(stream)

    def to_json(self) -> dict[str, Any]:
        """Write what is proposed, for programs."""
        streams = [
            {
                "name": s.name,
                "lands": f"bronze.{self.name}_{s.name}",
                "files": s.files,
                "rows": s.rows,
                **{k: v for k, v in s.said.items() if k in ("path", "member", "table", "mode", "key")},
                "columns": [{"name": c.name, **c.said, **({"why": c.why} if c.why else {})} for c in s.columns],
                "why": s.why,
            }
            for s in self.streams
        ]
        left = [{"file": name, "why": why} for name, why in self.left_out]
        return {"source": self.name, "file": f"sources/{self.name}.yml", "streams": streams, "left_out": left}


# ---------------------------------------------------------------- text
def _stream(stream: Stream) -> Iterator[str]:
    for words in stream.about:
        yield f"  # {words}"
    yield f"  {stream.name}:"
    said = {k: stream.said[k] for k in (*_ORDER, *stream.said) if k in stream.said}
    yield from _said(said, stream.why, "    ")
    if stream.columns:
        yield "    columns:"
        columns = {column.name: dict(column.said) for column in stream.columns}
        yield from _said(columns, {column.name: column.why for column in stream.columns}, "      ", flow=True)


def _said(said: Mapping[str, Any], why: Mapping[str, str], indent: str, flow: bool = False) -> Iterator[str]:
    """Write keys, each with its reason behind it; the reasons stand below each other as far as they can."""
    written: list[tuple[str, str]] = []
    for key, value in said.items():
        lines = [_flow(key, value)] if flow or not isinstance(value, (dict, list)) else _block(key, value)
        reason = " ".join(printable(why.get(key, "")).split())
        if len(lines) > 1 and reason:
            written.append((f"# {reason}:", ""))
            reason = ""
        written += [(line, reason if not nth else "") for nth, line in enumerate(lines)]
    wide = max((len(line) for line, reason in written if reason and len(line) <= _REASONS), default=0)
    for line, reason in written:
        yield f"{indent}{line.ljust(wide)}  # {reason}" if reason else f"{indent}{line}"


def _flow(key: str, value: Any) -> str:
    """Write a key and its value on one line, however long; JSON is YAML."""
    return f"{_scalar(key)}: {_inline(value)}"


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(_flow(k, v) for k, v in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_inline, value))}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    text = as_yaml({"x": [value]}, width=1 << 20)[len("x: [") :].rstrip("\n")
    return text[:-1] if text.endswith("]") else json.dumps(value, ensure_ascii=False)


def _block(key: str, value: Any) -> list[str]:
    one = as_yaml({key: value}, width=1 << 20).rstrip("\n")
    if len(one) <= _WIDE and "\n" not in one:
        return [one]
    return as_yaml({key: value}, width=_WIDE).rstrip("\n").split("\n")
