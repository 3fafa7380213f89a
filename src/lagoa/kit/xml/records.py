"""XML files become portions: the elements at a path are records, read twice as they stream by, never as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lagoa.errors import SourceError
from lagoa.kit.bundle import SMALL, Bundle, Record
from lagoa.kit.column_names import column_names
from lagoa.kit.json_records.read import JsonRecords
from lagoa.kit.json_records.structure import arrow, settled
from lagoa.kit.landing import Found, printable
from lagoa.kit.pieces import LONGEST_LINE, Opened
from lagoa.kit.shape import Shape
from lagoa.kit.xml.element import Collector, Kind
from lagoa.kit.xml.parse import Handlers, Malformed, Parser
from lagoa.ports import Portion

_STEP = 1 << 16


@dataclass
class XmlRecords(JsonRecords):
    """The XML format. `path`: the names of the elements from the root to a record; (): the root's children."""

    _root: Kind = field(default_factory=Kind)
    _broken: dict[str, Malformed] = field(default_factory=dict)

    def schema(self, files: Sequence[Found]) -> dict[str, Any]:
        """Read all records once and return their columns: text, structs and lists. Raises SourceError LG-206."""
        self._root, self._broken = Kind(), {}
        for found in files:
            seen = Kind()
            try:
                for _, element in self._elements(found):
                    seen.learn(element)
            except Malformed as error:
                self._broken[found.name] = error
            else:
                self._root.merge(seen)
        self._structure = {key: settled(kind) for key, kind in self._root.fields().items()}
        first = printable(files[0].name) if files else ""
        names = column_names(list(self._structure), first, self.rename)
        self._keys = dict(zip(self._structure, names, strict=True))
        return {self._keys[key]: arrow(kind) for key, kind in self._structure.items()}

    def portions(self, files: Sequence[Found], shape: Shape) -> Iterator[Portion]:
        """Yield the portions of some files, in order; `schema` was asked before."""
        bundle = Bundle()
        for found in files:
            for records in self._records_of(found):
                bundle.take(found, iter(records), b"\x01")
                if bundle.size >= SMALL:
                    yield self._bundled(bundle, shape)
                    bundle = Bundle()
        if bundle.files:
            yield self._bundled(bundle, shape)

    def _records_of(self, found: Found) -> Iterator[list[Record]]:
        """Yield a file's records by the thousand; a file that is not well-formed is refused as a whole."""
        broken = self._broken.get(found.name)
        if broken is not None:
            self._note(found)
            yield [Record(broken.line, b"", str(broken))]
            return
        records: list[Record] = []
        try:
            for line, element in self._elements(found, noted=True):
                text = json.dumps(self._root.value(element), ensure_ascii=False)
                records.append(Record(line, text.encode()))
                if len(records) >= 1000:
                    yield records
                    records = []
        except Malformed as error:
            name = printable(found.name)
            raise SourceError("LG-209", f"{name} changed while it was read", hint="run again", retry=True) from error
        yield records

    def _note(self, found: Found) -> None:
        memory = memoryview(bytearray(_STEP))
        with Opened(found) as opened:
            while opened.fill(memory):
                pass
            self.noted.done(opened)

    def _elements(self, found: Found, noted: bool = False) -> Iterator[tuple[int, Any]]:
        """Yield line and element of each record. Raises Malformed."""
        collector = Collector(self.path)
        handlers = Handlers(collector.start, collector.end, collector.text)
        parser = Parser(handlers, None if self.encoding == "auto" else self.encoding)
        collector.line = lambda: parser.line
        memory, since = memoryview(bytearray(_STEP)), 0
        with Opened(found, hashed=noted) as opened:
            while count := opened.fill(memory):
                parser.feed(bytes(memory[:count]))
                since = 0 if collector.ready else since + count
                if since > LONGEST_LINE:
                    raise Malformed(f"it has a record of more than {LONGEST_LINE >> 20:,} MB", parser.line)
                yield from collector.taken()
            parser.feed(b"", last=True)
            yield from collector.taken()
            if not collector.found:
                raise Malformed(f"nothing stands at ${''.join('.' + name for name in self.path)}", 1)
            if noted:
                self.noted.done(opened)
