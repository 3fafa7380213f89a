"""A stream of an Airbyte connector, as declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from lagoa.kit.spelled import called_as_they_land
from lagoa.kit.values import declared_type
from lagoa.spec.stream import Stream


class AirbyteStream(Stream):
    """A stream of the connector's catalog."""

    name: str | None = None
    """What the catalog calls it, when that differs from the stream's name: Account History."""
    namespace: str | None = None
    """The catalog's namespace, where streams of one name stand in several."""
    rename: Mapping[str, str] = Field(default_factory=dict)
    """Other names for columns: {_source: origin}."""

    @model_validator(mode="after")
    def _can_be_followed(self) -> Self:
        if self.mode == "replace" and self.cursor is not None:
            raise ValueError("mode: replace reads everything and takes no `cursor:`")
        called_as_they_land(self, self.rename)
        for name, column in self.columns.items():
            if column.type is not None:
                try:
                    declared_type(column.type)
                except ValueError as error:
                    raise ValueError(f"columns.{name}.type: {error}") from error
        return self
