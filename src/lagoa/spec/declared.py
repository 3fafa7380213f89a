"""The base of everything that a user declares, so that all of it is frozen and refuses unknown keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Declared(BaseModel):
    """A frozen noun; an unknown key is an error. The text below a field becomes the reference page.

    That text is read from the source when the reference is made, and a class is built when it is first used: both
    would otherwise be paid for by every command.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        defer_build=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )
