"""Files in a folder: CSV and TSV however dirty, JSON and Parquet, whole or as they arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self

import pyarrow as pa
from pydantic import Field, field_validator, model_validator

from lagoa.errors import MissingExtra, Place, SourceError
from lagoa.kit.bundle import Noted
from lagoa.kit.column_names import Renames
from lagoa.kit.containers.members import expanded
from lagoa.kit.containers.streams import bare
from lagoa.kit.delimited.dialect import Dialect
from lagoa.kit.delimited.read import Delimited, Text
from lagoa.kit.dictionary.declared import DictionaryFile
from lagoa.kit.dictionary.told import Dictionaries
from lagoa.kit.encoding import canonical
from lagoa.kit.excel.address import RANGE, area
from lagoa.kit.excel.read import Excel
from lagoa.kit.excel.rows import Layout, Sheet
from lagoa.kit.fixed.read import FixedWidth, Ruled
from lagoa.kit.fixed.slots import fits, slots
from lagoa.kit.fixed.stored import Stored
from lagoa.kit.json_records.read import JsonRecords
from lagoa.kit.landing import Found, find, is_pattern, levels, literal_folder, printable
from lagoa.kit.parquet_files import ParquetFiles
from lagoa.kit.pieces import Scratch
from lagoa.kit.shape import Shape
from lagoa.kit.spelled import called_as_they_land, shaped, spelling
from lagoa.kit.types import from_duckdb, same_columns
from lagoa.kit.values import IMPLIED
from lagoa.kit.xml.records import XmlRecords
from lagoa.ports import Batch, Json, Portion, Reading, Source
from lagoa.spec.column import StreamColumn
from lagoa.spec.declared import Declared
from lagoa.spec.stream import Stream

Format = Literal["csv", "tsv", "json", "ndjson", "parquet", "excel", "xml", "fixed"]
_ENDINGS: dict[str, Format] = {
    "csv": "csv",
    "txt": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "json": "json",
    "ndjson": "ndjson",
    "jsonl": "ndjson",
    "parquet": "parquet",
    "pq": "parquet",
    "xml": "xml",
    **dict.fromkeys(("xlsx", "xlsm", "xls", "xlsb", "ods"), "excel"),
}
_Mark = Annotated[str, Field(min_length=1, max_length=100)]
_BATCH_BYTES, _BATCH_FILES = 1 << 30, 1000


class FileOptions(Declared):
    """How files are written; said of the source, it holds for every stream that does not say otherwise."""

    path: str | None = None
    """Source: the folder, and maybe a pattern for all streams. Stream: the pattern under that folder, where `*` is
    part of a name, `**` any folders, `{level}` a name that becomes a column, `{stream}` the stream's name."""
    member: str | None = None
    """Which members of an archive (.zip, .tar) are read, in the words of `path`; all of them when left out."""
    format: Format | None = None
    """csv, tsv, json, ndjson, parquet, excel, xml or fixed; told by the file's ending when left out."""
    delimiter: str | None = Field(None, min_length=1, max_length=4)
    """What stands between fields: `,` unless said otherwise, a tab for tsv."""
    quote: str | None = Field(None, max_length=1)
    """What stands around a field that holds a delimiter; '' when there is none."""
    escape: str | None = Field(None, max_length=1)
    """What stands before a quote inside quotes; the quote itself when left out."""
    comment: _Mark | tuple[_Mark, ...] | None = None
    """A line that starts with it, or with one of them, is passed over: `"#"`, `["#", "Total"]`."""
    header: bool | Annotated[int, Field(ge=0, le=10)] | None = None
    """Whether the first record names the columns, or how many do, whose texts are joined; true when left out."""
    names: tuple[str, ...] | None = None
    """The columns' names, one for each column, instead of the header's."""
    rename: Mapping[str, str] | None = None
    """Other names for some columns: {spelling in the file: name}."""
    dictionary: DictionaryFile | None = None
    """A file of the project that says what columns are called, what they hold, their types, whether they are personal:
    its path, or a mapping with `path:` and more."""
    skip: int | None = Field(None, ge=0)
    """How many lines stand before the header or the first record."""
    skip_last: int | None = Field(None, ge=0, le=1000)
    """How many lines at the end (of a sheet: rows) are no records: totals, notes."""
    sheet: str | Annotated[int, Field(ge=1)] | None = None
    """Excel: the sheet's name, its number, or a pattern such as `20*`; the first visible one when left out."""
    range: str | None = Field(None, pattern=RANGE)
    """Excel: where the table stands, its header included: `B4:H200`, `B4:H`, `B:H`; the whole sheet when left out."""
    merged: Literal["first", "fill"] | None = None
    """Excel: the value of merged cells stands in the first of them, or in all."""
    encoding: str | None = None
    """auto, utf-8, latin-1, cp1252, utf-16, …"""
    decimal: str | None = Field(None, min_length=1, max_length=1)
    """The decimal separator of declared numbers; `.` when left out."""
    thousands: str | None = Field(None, min_length=1, max_length=1)
    """The thousands separator of declared numbers; none when left out."""
    null_values: tuple[str, ...] | None = None
    """Texts that mean null, quoted or not. An empty field without quotes always does."""
    trim: bool | None = None
    """Whether blanks around values go away."""
    date_format: str | None = None
    """How declared dates are written, in strptime's words: '%d/%m/%Y'."""
    timestamp_format: str | None = None
    """How declared timestamps are written: '%d/%m/%Y %H:%M'."""
    records: str | None = Field(None, pattern=r"^\$(\.[^.\[\]]+)*$")
    """JSON documents: where the list of records is, such as $.data.items. XML: the elements that are records, from the
    root on, such as $.nfeProc.NFe; the root's children when left out."""
    lines: str | None = Field(None, min_length=1)
    """Fixed width and CSV: what lines look like that are records, by `?` (any character) and `*`: `1*`, `|C100|*`."""
    record_length: int | None = Field(None, ge=1, le=1 << 20)
    """Fixed width: the bytes of a record, when no line ends stand between records."""
    changed: Literal["refuse", "reload"] | None = None
    """append: when a file that was loaded has other bytes now: refuse the run, or load it as a new file."""
    allow_missing: bool | None = None
    """Whether it is fine that no file is there."""

    @field_validator("range")
    @classmethod
    def _goes_forward(cls, value: str | None) -> str | None:
        area(value)
        return value

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        return None if value is None else canonical(value)


class FileColumn(StreamColumn):
    """A column of a file; of a file of fixed width it says where it stands."""

    start: int | None = Field(None, ge=1)
    """Fixed width: its first character, counted from 1; after the column before when left out."""
    width: int | None = Field(None, ge=1)
    """Fixed width: how many characters it has; of a number that is stored in binary, how many bytes."""
    stored: Stored | None = None
    """Fixed width: how a mainframe stores its number: packed (COMP-3), zoned (the sign in the last digit), binary
    (COMP, with a sign) or unsigned. The type's decimals are implied."""

    @model_validator(mode="after")
    def _decimals_are_implied(self) -> Self:
        if self.stored is not None:
            if self.decimal not in (None, IMPLIED):
                raise ValueError(f"a number that is stored {self.stored} has no decimal separator")
            object.__setattr__(self, "decimal", IMPLIED)
        return self


class FileStream(Stream, FileOptions):
    """Files with the same columns, which land in one table."""

    columns: Mapping[str, FileColumn] = Field(default_factory=dict)
    """What is known of its columns."""

    @model_validator(mode="after")
    def _columns_are_called_as_they_land(self) -> Self:
        called_as_they_land(self, self.rename or {})
        for name, column in self.columns.items():
            if column.type is not None:
                spelling(name, column, self)
        return self

    @model_validator(mode="after")
    def _places_fit(self) -> Self:
        if self.format == "fixed" or any(
            column.width or column.start or column.stored for column in self.columns.values()
        ):
            slots(_slots(self))
        return self


class Files(Source, FileOptions):
    """Reads files of a folder: CSV and TSV however dirty, JSON, NDJSON and Parquet, compressed or not."""

    streams: Mapping[str, FileStream]
    """What is read from it, by name; each lands in bronze.<source>_<stream>."""

    @model_validator(mode="after")
    def _binary_numbers_have_records(self) -> Self:
        for name in self.streams:
            stream = self._stream(name)
            if any(column.stored for column in stream.columns.values()):
                fits(name, slots(_slots(stream)), stream.record_length, stream.encoding or "auto")
        return self

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read new files; see the port. The cursor is {file: [size, hash]}."""
        stream = self._stream(reading.stream)
        found = self._files(reading.stream, reading.project)
        held: dict[str, list[Any]] = dict(reading.since or {})
        if stream.mode == "replace":
            yield from self._replace(stream, found, reading)
            return
        fresh, notes = self._fresh(stream, found, held)
        known = reading.held
        for group in _groups(fresh):
            noted = Noted()
            batch = self._batch(stream, group, reading, noted, known)
            batch.cursor = partial(_remember, held, group, noted)
            batch.notes = noted.notes
            noted.notes[:0] = notes
            notes = []
            yield batch
            before = known if known is not None else pa.schema([])
            known = pa.schema([*before, *(f for f in batch.schema if f.name not in before.names)])
            held = _remember(held, group, noted)

    def check(self, stream: str, project: Path) -> None:
        """Say whether the stream's files are there."""
        self._files(stream, project)

    def completed(self, project: Path, at: Callable[[tuple[str | int, ...]], Place]) -> Self:
        """Return the source with the names and words of its dictionaries. Raises ProjectErrors."""
        told = Dictionaries(project, at, _Book, FileColumn)
        streams = dict(self.streams)
        for name, stream in self.streams.items():
            whole = self._stream(name)
            if whole.dictionary is not None:
                where = ("streams", name, "dictionary") if stream.dictionary else ("dictionary",)
                streams[name] = told.tell(name, stream, whole.dictionary, where, whole.renamed, whole)
            elif whole.rename:
                streams[name] = stream.model_copy(update={"rename": whole.rename})
        told.raise_all()
        return self.model_copy(update={"streams": streams})

    # ------------------------------------------------------------ which files
    def _stream(self, name: str) -> FileStream:
        """Return the stream with the source's options where it has none of its own."""
        stream = self.streams[name]
        options = [n for n in FileOptions.model_fields if n != "path" and getattr(stream, n) is None]
        return stream.model_copy(update={n: getattr(self, n) for n in options})

    def _place(self, name: str, project: Path) -> tuple[Path, str]:
        """Return the folder that is never left, and the pattern under it."""
        own, shared = self.streams[name].path, self.path or "."
        if is_pattern(shared):
            folder, pattern = literal_folder(shared)
        else:
            folder, pattern = shared, f"{{stream}}.{self.streams[name].format or self.format or 'csv'}"
        if own is not None:
            pattern = own
            if Path(own).is_absolute():
                folder, pattern = literal_folder(own)
        return project / Path(folder).expanduser(), pattern.replace("{stream}", name)

    def _files(self, name: str, project: Path) -> list[Found]:
        folder, pattern = self._place(name, project)
        stream = self._stream(name)
        archived = find(folder, pattern)
        found = expanded(archived, stream.member)
        if not found and not stream.allow_missing:
            what = f"is called {pattern}" if not archived else f"holds a member called {stream.member}"
            raise SourceError(
                "LG-203",
                f"no file in {folder} {what}",
                hint=f"check `{'member' if archived else 'path'}:`; `allow_missing: true` if that is fine",
            )
        return found

    def _fresh(self, stream: FileStream, found: Sequence[Found], held: Json) -> tuple[list[Found], list[str]]:
        """Return the files that are new or have changed, and notes."""
        fresh, notes = [], []
        for file in found:
            known = held.get(file.name)
            if known is not None and known[0] == file.size and file.digest() == known[1]:
                continue
            if known is not None and stream.mode == "append" and stream.changed != "reload":
                raise SourceError(
                    "LG-209",
                    f"{printable(file.name)} was loaded with {known[0]} bytes and has {file.size} other ones now",
                    hint="deliver news in new files; or `changed: reload` loads it again as a new file, "
                    "`mode: merge` updates rows by key, `mode: replace` reads everything each time",
                )
            if file.grew():
                notes.append(f"{printable(file.name)} is still being written; it is left for the next run")
                continue
            fresh.append(file)
        return fresh, notes

    def _replace(self, stream: FileStream, found: list[Found], reading: Reading) -> Iterator[Batch]:
        if not found or (reading.since is not None and _same(found, reading.since)):
            return
        noted = Noted()
        batch = self._batch(stream, found, reading, noted, reading.held)
        batch.cursor = partial(_remember, {}, found, noted)
        batch.notes = noted.notes
        yield batch

    # ------------------------------------------------------------ what they hold
    def _batch(
        self, stream: FileStream, files: Sequence[Found], reading: Reading, noted: Noted, known: pa.Schema | None
    ) -> Batch:
        """Return the files' batch; `known` are the table's columns, None: it has none yet."""
        format = self._format(stream, files, reading, noted)
        guessed = format.guessed(files) if isinstance(format, JsonRecords) else None
        shape, said = _shaped(stream, files, guessed or {})
        # a guess that is no news to the table lets nobody be told of columns what is not so
        if guessed is None or said or (known is not None and not same_columns(shape.schema, known)):
            shape, said = _shaped(stream, files, format.schema(files))
            noted.notes += said
            return Batch(format.portions(files, shape), shape.schema)
        batch = Batch(format.portions(files, shape), shape.schema)

        def again() -> bool:
            if not (isinstance(format, JsonRecords) and format.outgrown):
                return False
            shape, said = _shaped(stream, files, format.schema(files))
            noted.notes += said
            batch.portions, batch.schema = format.portions(files, shape), shape.schema
            return True

        batch.again = again
        return batch

    def _format(self, stream: FileStream, files: Sequence[Found], reading: Reading, noted: Noted) -> FileFormat:
        kind = stream.format or _by_ending(files)
        rename, encoding, scratch = stream.renamed, stream.encoding or "auto", Scratch(reading.folder)
        if kind == "parquet":
            duck = _Duck(reading.threads)
            return ParquetFiles(reading.folder, noted, duck.rows, duck.columns, rename)
        if kind == "fixed":
            return FixedWidth(_ruled(stream), scratch, noted)
        if kind == "xml":
            path = tuple((stream.records or "$").split(".")[1:])
            return XmlRecords(scratch, noted, lambda _: [], True, path, encoding, rename)
        if kind in ("json", "ndjson"):
            path = tuple((stream.records or "$").split(".")[1:])
            document = kind == "json" or bool(path)
            return JsonRecords(scratch, noted, _Duck(reading.threads).rows, document, path, encoding, rename)
        if kind == "excel":
            return Excel(_layout(stream), reading.folder, noted, _Book)
        quote = '"' if stream.quote is None else stream.quote
        dialect = Dialect(
            delimiter=stream.delimiter or ("\t" if kind == "tsv" else ","),
            quote=quote,
            escape=quote if stream.escape is None else stream.escape,
            comment=(stream.comment,) if isinstance(stream.comment, str) else stream.comment or (),
            header=_header(stream),
            skip=stream.skip or 0,
            skip_last=stream.skip_last or 0,
            lines=stream.lines or "",
        )
        names, nulls = stream.names or (), stream.null_values or ()
        return Delimited(Text(dialect, encoding, names, rename, nulls, bool(stream.trim)), scratch, noted)


class FileFormat(Protocol):
    """What a format of files does. `schema` is asked once, before `portions`."""

    def schema(self, files: Sequence[Found]) -> Mapping[str, Any]:
        """Return the columns of all files, with Arrow types, in order of appearance."""

    def portions(self, files: Sequence[Found], shape: Shape) -> Iterator[Portion]:
        """Yield the portions of the files."""


class _Duck:
    """A private DuckDB that answers questions about files."""

    def __init__(self, threads: int) -> None:
        import duckdb

        self._connection = duckdb.connect(config={"threads": threads})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def columns(self, sql: str) -> dict[str, tuple[str, Any]]:
        found = self._connection.sql(sql)
        return {name: (str(t), from_duckdb(t)) for name, t in zip(found.columns, found.types, strict=True)}


class _Book:
    """A workbook in the words of its driver. Raises OSError for what the driver cannot read."""

    def __init__(self, path: Path) -> None:
        try:
            import python_calamine
        except ImportError as error:
            raise MissingExtra("reading Excel files", "excel") from error
        self._driver = python_calamine
        self._book: Any = self._guarded(lambda: self._opened(path))

    def _opened(self, path: Path) -> Any:
        # by its path it is taken for what its name says; held in memory it is known by its bytes
        if path.suffix.lower() in (".xlsx", ".xlsm", ""):
            return self._driver.CalamineWorkbook.from_path(str(path))
        with path.open("rb") as file:
            return self._driver.CalamineWorkbook.from_filelike(file)

    def names(self) -> list[tuple[str, bool]]:
        kinds, shows = self._driver.SheetTypeEnum, self._driver.SheetVisibleEnum
        return [(s.name, s.visible == shows.Visible) for s in self._book.sheets_metadata if s.typ == kinds.WorkSheet]

    def sheet(self, name: str) -> Sheet:
        found: Sheet = self._guarded(lambda: self._book.get_sheet_by_name(name))
        return found

    def _guarded(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except (self._driver.CalamineError, OSError, ValueError) as error:
            raise OSError(str(error)) from error
        except BaseException as error:
            # how the driver, which is written in Rust, says that it met what it did not expect
            if type(error).__name__ != "PanicException":
                raise
            raise OSError("it is damaged") from error


def _layout(stream: FileStream) -> Layout:
    return Layout(
        sheet=stream.sheet,
        area=area(stream.range),
        header=_header(stream),
        skip=stream.skip or 0,
        skip_last=stream.skip_last or 0,
        fill_merged=stream.merged == "fill",
        names=stream.names or (),
        rename=stream.renamed,
        dropped=stream.dropped,
        null_values=stream.null_values or (),
        trim=bool(stream.trim),
    )


def _slots(stream: FileStream) -> Iterator[tuple[str, int | None, int | None, Stored | None]]:
    return ((name, column.start, column.width, column.stored) for name, column in stream.columns.items())


def _ruled(stream: FileStream) -> Ruled:
    return Ruled(
        slots=slots(_slots(stream)),
        encoding=stream.encoding or "auto",
        lines=stream.lines,
        record_length=stream.record_length,
        skip=stream.skip or 0,
        skip_last=stream.skip_last or 0,
        trim=stream.trim is not False,
        null_values=stream.null_values or (),
    )


def _header(stream: FileStream) -> int:
    """Return how many records name the columns."""
    return 1 if stream.header is None else int(stream.header)


def _by_ending(files: Sequence[Found]) -> Format:
    name = bare(files[0].name.lower()) if files else ""
    return _ENDINGS.get(name.rpartition(".")[2], "csv")


def _shaped(stream: FileStream, files: Sequence[Found], arrive: Mapping[str, Any]) -> tuple[Shape, list[str]]:
    """Return the shape of columns that arrive, and what people should know of it. Raises SourceError LG-206."""
    shape, missing = shaped(arrive, stream, stream, levels(files, arrive))
    places = stream.rename.places if isinstance(stream.rename, Renames) else {}
    # a dictionary speaks of more than what files have
    said = [f"column {n} is declared, but no file has it" for n in missing if n not in places]
    if places and arrive and not places.keys() & arrive.keys():
        said.append("no row of the dictionary is about a column of these files")
    return shape, said


def _same(found: Sequence[Found], held: Json) -> bool:
    return {f.name: f.size for f in found} == {n: v[0] for n, v in held.items()} and all(
        f.digest() == held[f.name][1] for f in found
    )


def _remember(held: Mapping[str, Any], files: Sequence[Found], noted: Noted) -> dict[str, Any]:
    return {**held, **{f.name: [f.size, noted.digests[f.name]] for f in files if f.name in noted.digests}}


def _groups(files: Sequence[Found]) -> Iterator[list[Found]]:
    """Cut files into batches that one commit holds."""
    group: list[Found] = []
    size = 0
    for file in files:
        if group and (size + file.size > _BATCH_BYTES or len(group) >= _BATCH_FILES):
            yield group
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield group


Adapter = Files
