"""Splits a model's or a check's file into its YAML header and its body, knowing where each begins."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

from lagoa.errors import Place, ProjectError
from lagoa.project.yaml import Document, read

# comments of one line may stand above the header, such as a licence
_OPENING = re.compile(r"(?:\s|--[^\n]*\n)*/\*")


@dataclass(frozen=True)
class Split:
    """A file in two parts. The body begins on line `body_line`; its columns are those of the file."""

    header: Document
    body: str
    body_line: int


def split_sql(text: str, file: str) -> Split:
    """Split a SQL file at the end of its leading block comment; without one the header is empty.

    Raises ProjectError LG-106 (a header that is not closed, or ends early) and LG-104 (it is not YAML).
    """
    opening = _OPENING.match(text)
    if opening is None:
        return Split(Document(None, file, 1, []), text, 1)
    start_line = text.count("\n", 0, opening.end()) + 1
    lines = text.split("\n")
    end = text.find("*/", opening.end())
    if end < 0:
        place = _point(text, opening.end() - 2, file, lines)
        raise ProjectError("LG-106", "the header is never closed", place=place, hint="end the header with `*/`")
    _no_comment_inside(text, opening.end(), end, file, lines)
    after = end + len("*/")
    _closes_once(text, after, file, lines)
    indent = " " * (opening.end() - text.rfind("\n", 0, opening.end()) - 1)  # so that columns are those of the file
    header = read(indent + text[opening.end() : end], file, start_line, lines[start_line - 1 :])
    if header.value is not None and not isinstance(header.value, dict):
        raise ProjectError(
            "LG-106",
            "a model's leading block comment is its header, and this one holds no `key: value`",
            place=_point(text, opening.end() - 2, file, lines),
            hint="begin the lines of an ordinary comment with `--`",
        )
    rest = text[after:]
    if not rest.partition("\n")[0].strip():
        rest = rest.partition("\n")[2]
        return Split(header, rest, text.count("\n", 0, len(text) - len(rest)) + 1)
    column = after - (text.rfind("\n", 0, after) + 1)
    return Split(header, " " * column + rest, text.count("\n", 0, after) + 1)


def _point(text: str, at: int, file: str, lines: list[str]) -> Place:
    line = text.count("\n", 0, at) + 1
    return Place(file, line, at - text.rfind("\n", 0, at), lines[line - 1])


def _no_comment_inside(text: str, start: int, end: int, file: str, lines: list[str]) -> None:
    inner = text.find("/*", start, end)
    if inner >= 0:
        raise ProjectError(
            "LG-106",
            "a `/*` stands inside the header, which a comment cannot hold",
            place=_point(text, inner, file, lines),
            hint="write the header's text without `/*` and `*/`",
        )


def _closes_once(text: str, after: int, file: str, lines: list[str]) -> None:
    """Notice a `*/` inside the header's text: what follows it would be read as SQL."""
    again = re.compile(r"\*/").search(text, after)
    if again is None:
        return
    # the body may hold comments of its own; only one that closes without opening tells of a header cut short
    opened = text.find("/*", after, again.start())
    quoted = text.count("'", after, again.start()) % 2 == 1
    if opened < 0 and not quoted:
        raise ProjectError(
            "LG-106",
            "the header ends here, before its last line: a `*/` stands inside its text",
            place=_point(text, after - 2, file, lines),
            hint="write the header's text without `*/`",
        )


def split_python(text: str, file: str) -> Split:
    """Split a Python file after its docstring; the header is what follows a line `---` inside it.

    Nothing is run. Raises ProjectError LG-115 (not Python) and LG-104 (the header is not YAML).
    """
    tree = parse_python(text, file)
    lines = text.split("\n")
    first = tree.body[0] if tree.body else None
    if ast.get_docstring(tree, clean=False) is None or first is None:
        return Split(Document(None, file, 1, []), text, 1)
    last = first.end_lineno or first.lineno
    body = "\n".join(lines[last:])
    inside = range(first.lineno, last)  # lines after the docstring's first, counted from 0
    mark = next((i for i in inside if lines[i].strip() == "---"), None)
    if mark is None:
        return Split(Document(None, file, 1, []), body, last + 1)
    header = lines[mark + 1 : last]
    if header:
        header[-1] = re.sub(r"(\"\"\"|'''|\"|').*$", "", header[-1])
    return Split(read("\n".join(header), file, mark + 2), body, last + 1)


def parse_python(text: str, file: str) -> ast.Module:
    """Parse Python without running it. Raises ProjectError LG-115 at the place that is wrong."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `\\d` in a user's text is no concern of the reader of a command
            return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        shown = text.split("\n")[line - 1] if line and line <= text.count("\n") + 1 else None
        message = error.msg if isinstance(error, SyntaxError) else "it holds a null byte"
        place = Place(file, line, getattr(error, "offset", None), shown)
        raise ProjectError("LG-115", f"the Python cannot be read: {message}", place=place) from None
