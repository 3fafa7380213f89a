"""Turns what pydantic says of a wrong value into errors at the very key or value, in a user's words."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lagoa.errors import ProjectError, ProjectErrors, did_you_mean
from lagoa.project.yaml import Document, Where
from lagoa.spec.secret import Secret

Noun = TypeVar("Noun", bound=BaseModel)

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping (`key: value`)",
    "mapping_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "model_attributes_type": "a mapping (`key: value`)",
}


class Findings(list[ProjectError]):
    """All that is wrong so far: a mistake in one file does not hide those in the others."""

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Keep the errors of a part that could not be read, and go on after it."""
        try:
            yield
        except ProjectErrors as several:
            self.extend(several.errors)
        except ProjectError as one:
            self.append(one)

    def raise_all(self) -> None:
        """Raise ProjectErrors, sorted by file and line, when anything was found."""
        if self:
            raise ProjectErrors(sorted(self, key=_place))


def _place(error: ProjectError) -> tuple[str, int, int]:
    place = error.place
    return (place.file, place.line or 0, place.column or 0) if place else ("", 0, 0)


def declared(cls: type[Noun], value: Any, document: Document, at: Where = (), skip: int = 0) -> Noun:
    """Make a declared noun of a value that stands at `at` in a document.

    `skip` is how many levels of the noun the user does not write (a check's `value`).
    Raises ProjectErrors (LG-101, LG-102, LG-113) with every mistake at its place.
    """
    try:
        return cls.model_validate({} if value is None else value)
    except ValidationError as error:
        raise ProjectErrors(_merged([_said(d, cls, document, at, skip) for d in error.errors()])) from None


def unknown_key(key: str, known: Iterable[str], document: Document, where: Where) -> ProjectError:
    """Say that a key means nothing, and which one may be meant."""
    known = list(known)
    hint = did_you_mean(key, known)
    if hint is None and (" " in key or key.endswith(".")):
        hint = "inside `{…}` a comma ends a text; put the text in quotes"
    if hint is None and known:
        hint = f"the keys here are {', '.join(f'`{k}`' for k in known)}"
    place = document.key(where)
    if place.text is not None and place.column is not None:
        # what stands beside a misspelt `password:` is not shown
        start = place.column - 1
        place = replace(place, text=place.text[: start + len(key)] + "…" * (len(place.text) > start + len(key) + 1))
    return ProjectError("LG-101", f"`{key}` is not a key here", place=place, hint=hint)


def keys_of(cls: type[BaseModel]) -> list[str]:
    """List the keys that a noun takes, as the user writes them."""
    return [field.alias or name for name, field in cls.model_fields.items()]


def found(value: Any) -> str:
    """Say what kind of value stands somewhere: 'the text abc', 'a list', 'nothing'."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= 60 else "a long text"
    return (
        "a list" if isinstance(value, (list, tuple)) else "a mapping" if isinstance(value, dict) else "something else"
    )


def _merged(errors: list[ProjectError]) -> list[ProjectError]:
    """Say one mistake once: a value that fits none of several types is one mistake."""
    by_place: dict[str, ProjectError] = {}
    for error in errors:
        by_place.setdefault(f"{error.place} {error.code}", error)
    return list(by_place.values())


def _said(details: ErrorDetails, cls: type[BaseModel], document: Document, at: Where, skip: int) -> ProjectError:
    loc, kind = details["loc"], details["type"]
    where = (*at, *loc[skip:])
    if kind == "extra_forbidden":
        return unknown_key(str(loc[-1]), _keys_at(cls, loc[:-1]), document, where)
    if kind == "missing":
        hint = f"add `{loc[-1]}:`"
        return ProjectError("LG-102", f"`{loc[-1]}` is missing", place=document.key(where[:-1]), hint=hint)
    name = next((str(part) for part in reversed(where) if isinstance(part, str)), "the file")
    if isinstance(details["input"], Secret):
        return ProjectError(
            "LG-113",
            f"`{name}` takes no ${{secret:…}}: its value is shown in plans and logs",
            place=document.at(where),
            hint="use ${env:…} for what is not secret",
        )
    message, advice = _wrong(name, details)
    # a mapping begins at its first key, which is not what is wrong with it as a whole
    place = document.key(where) if isinstance(details["input"], dict) else document.at(where)
    return ProjectError("LG-102", message, place=place, hint=advice)


def _wrong(name: str, details: ErrorDetails) -> tuple[str, str | None]:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind in _EXPECTED:
        hint = "put it in quotes" if kind == "string_type" and isinstance(value, (int, float)) else None
        return f"`{name}` is {found(value)}, but must be {_EXPECTED[kind]}", hint
    if kind in ("literal_error", "enum"):
        options = str(context.get("expected", "")).replace("'", "`")
        words = [word.strip(" `") for word in options.replace(" or ", ",").split(",")]
        return f"`{name}` is {found(value)}, but must be {options}", did_you_mean(str(value), words)
    if kind == "string_pattern_mismatch":
        return f"`{name}` is {found(value)}, which does not fit the pattern {context.get('pattern')}", None
    message = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"`{name}`: {message[:1].lower()}{message[1:]}", None


def _keys_at(cls: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """List the keys that are known where an unknown one stands, by walking down the types."""
    here: Any = cls
    for part in loc:
        here = _below(here, part)
    noun = next((t for t in _alternatives(here) if isinstance(t, type) and issubclass(t, BaseModel)), None)
    return keys_of(noun) if noun else []


def _below(annotation: Any, part: str | int) -> Any:
    for option in _alternatives(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel):
            for name, field in option.model_fields.items():
                if part in (name, field.alias):
                    return field.annotation
        elif get_args(option):
            values = [a for a in get_args(option) if a is not Ellipsis]
            return values[-1]
    return None


def _alternatives(annotation: Any) -> list[Any]:
    """Take a type apart: without Annotated, each member of a union, also behind an alias."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [option for member in get_args(annotation) for option in _alternatives(member)]
    return [annotation]
