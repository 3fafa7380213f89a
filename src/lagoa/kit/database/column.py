"""What is known of a database's column, whichever database it is."""

from __future__ import annotations

from typing import Any, Protocol


class Known(Protocol):
    """A column as the catalog knows it: `type` is the database's own word for its type."""

    @property
    def name(self) -> str:
        """Its name in the database."""

    @property
    def type(self) -> str:
        """Its type, in the database's word."""

    @property
    def required(self) -> bool:
        """Whether it can hold no null."""


class Column(Protocol):
    """A column on its way into a table: `wire` is its Arrow type as it arrives, `lands` the table's."""

    @property
    def name(self) -> str:
        """Its name in the table."""

    @property
    def found(self) -> Known:
        """What the catalog knows of it."""

    @property
    def wire(self) -> Any:
        """Its Arrow type on the way."""

    @property
    def lands(self) -> Any:
        """Its Arrow type in the table."""
