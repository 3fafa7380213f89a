"""How a stream of a REST API is declared: where it is asked, how its answers are read, how its news are told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from lagoa.kit.column_names import column_name
from lagoa.kit.encoding import canonical
from lagoa.kit.http.paging import Paging
from lagoa.kit.http.path import JsonCondition, JsonPath
from lagoa.kit.spelled import called_as_they_land, spelling
from lagoa.spec.duration import Duration
from lagoa.spec.stream import Names, Stream

CURSOR = "{cursor}"
"""What stands in `params:` and `body:` for the highest cursor value that was seen."""
_FIELD = re.compile(r"\{([a-z_][a-z0-9_]*)\.([^{}]+)\}")


class HttpStream(Stream):
    """A list of records that a server gives."""

    path: str = ""
    """Where it is, below the source's `url:`; `/orders/{orders.id}/items` asks once for each row of the stream
    `orders`, and each record gets the column `orders_id`."""
    method: Literal["GET", "POST"] = "GET"
    """How it is asked."""
    params: Mapping[str, str | int | float | bool | tuple[str | int, ...]] = Field(default_factory=dict)
    """Query parameters. One that says `{cursor}` gets the highest cursor value seen, and is left out before."""
    body: Mapping[str, Any] | None = None
    """What is sent as JSON with POST; `{cursor}` stands in it as in `params:`."""
    format: Literal["json", "ndjson", "csv"] = "json"
    """How answers are written."""
    records: JsonPath | None = None
    """json: where the records are, such as $.data.items, or $[*].rows for the rows of each element."""
    allow_missing: bool = False
    """json: whether it is fine that nothing stands at `records`, as servers leave out an empty list."""
    error_if: tuple[JsonCondition, ...] | None = None
    """json: what makes an answer an error though its status is 200: $.error, `$.status = error`, `$.ok != true`.
    When left out: [$.error, $.errors]."""
    empty_on: tuple[int, ...] = ()
    """Statuses that mean `no records`, such as 404 of a child that has none."""
    paging: Paging | None = None
    """How the list comes in pages; without it, one answer holds everything."""
    lag: int | Duration = 0
    """How far below the last cursor value is asked again, for rows that come late: 15m, 1000."""
    start: str | int | None = None
    """What `{cursor}` is before any value was seen."""
    rename: Mapping[str, str] = Field(default_factory=dict)
    """Other names for some columns: {spelling in the answer: name}."""
    delimiter: str | None = Field(None, min_length=1, max_length=4)
    """csv: what stands between fields; `,` unless said otherwise."""
    encoding: str | None = None
    """csv, ndjson: auto, utf-8, latin-1, …; told by the answer, or by its bytes, when left out."""
    decimal: str | None = Field(None, min_length=1, max_length=1)
    """The decimal separator of declared numbers; `.` when left out."""
    thousands: str | None = Field(None, min_length=1, max_length=1)
    """The thousands separator of declared numbers; none when left out."""
    date_format: str | None = None
    """How declared dates are written, in strptime's words: '%d/%m/%Y'."""
    timestamp_format: str | None = None
    """How declared timestamps are written."""
    null_values: Names = ()
    """csv: texts that mean null. An empty field without quotes always does."""
    trim: bool = False
    """csv: whether blanks around values go away."""

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        return None if value is None else canonical(value)

    @model_validator(mode="after")
    def _is_readable(self) -> Self:
        if "://" in self.path or ".." in self.path.split("/"):
            raise ValueError("path: it stands below `url:`; another server is another source")
        if self.body is not None and self.method != "POST":
            raise ValueError("`body:` goes with method: POST")
        if self.paging and self.paging.send == "body" and self.method != "POST":
            raise ValueError("`send: body` goes with method: POST")
        if self.format == "csv" and (self.cursor or self.fields()):
            raise ValueError("format: csv takes no `cursor:` and no fields of another stream in its `path:`")
        if self.format != "json":
            self._refuse_json_words()
        if len({stream for stream, _ in self.fields()}) > 1:
            raise ValueError("path: its fields are those of one stream; a child carries its parent's (items.orders_id)")
        return self

    def _refuse_json_words(self) -> None:
        paths = self.paging and (
            self.paging.next or self.paging.more or self.paging.total_pages or self.paging.total_rows
        )
        if self.records or self.error_if or self.allow_missing or paths:
            raise ValueError(f"format: {self.format} has no paths; pages come by `page`, `offset` or `link`")

    @model_validator(mode="after")
    def _cursor_says_what_is_new(self) -> Self:
        if self.mode == "append" and self.cursor is None:
            raise ValueError("mode: append needs `cursor:`, the field that tells new rows")
        if self.mode == "replace" and self.cursor is not None:
            raise ValueError("mode: replace reads everything and takes no `cursor:`")
        if self.cursor is None and (self.asks_since or self.lag or self.start is not None):
            raise ValueError("`{cursor}`, `lag:` and `start:` go with `cursor:`")
        return self

    @model_validator(mode="after")
    def _columns_are_called_as_they_land(self) -> Self:
        called_as_they_land(self, self.rename)
        for name, column in self.columns.items():
            if column.type is not None:
                spelling(name, column, self)
        if self.cursor is not None:
            object.__setattr__(self, "cursor", self.lands_as(self.cursor))
        if self.deletes is not None and self.deletes.column is not None:
            marks = self.deletes.model_copy(update={"column": self.lands_as(self.deletes.column)})
            object.__setattr__(self, "deletes", marks)
        return self

    def lands_as(self, field: str) -> str:
        """Return the name of the column that a field of a record becomes."""
        return column_name(self.rename.get(field, field))

    def fields(self) -> list[tuple[str, str]]:
        """Return the streams and fields that its path names."""
        return _FIELD.findall(self.path)

    @property
    def parent(self) -> str | None:
        """The stream for each of whose rows it is asked."""
        return next((stream for stream, _ in self.fields()), None)

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the path with the parent's values, by field."""
        return _FIELD.sub(lambda found: values[found[2]], self.path)

    @property
    def asks_since(self) -> bool:
        """Whether the server is asked for what is new alone."""
        return CURSOR in f"{dict(self.params)}{self.body}"
