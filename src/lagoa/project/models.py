"""Reads `models/**` and `checks/*.sql`: header, query and what they read. Nothing of the user's is run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from lagoa.errors import Place, ProjectError, closest, did_you_mean
from lagoa.project.gates import tables_of
from lagoa.project.graph import Node
from lagoa.project.header import Split, parse_python, split_python, split_sql
from lagoa.project.kinds import fits_its_kind, no_history
from lagoa.project.model import CustomCheck, Model
from lagoa.project.reading import Mention, Reading, text_of
from lagoa.project.words import declared
from lagoa.project.yaml import Document
from lagoa.spec.check import CheckHeader
from lagoa.spec.model import HISTORY, ModelHeader
from lagoa.spec.names import TableName
from lagoa.sql.parse import Query


@dataclass(frozen=True)
class _File:
    """A model's or a check's file on its way."""

    name: TableName
    file: str
    text: str
    split: Split


def read_models(reading: Reading) -> tuple[list[Model], list[Node]]:
    """Read every model; what is wrong goes to the findings, and the model is left out."""
    models: list[Model] = []
    nodes: list[Node] = []
    for name, path in reading.tree.models:
        with reading.findings.catching():
            model, node = _model(reading, name, path)
            models.append(model)
            nodes.append(node)
    return models, nodes


def _model(reading: Reading, name: TableName, path: Path) -> tuple[Model, Node]:
    file = reading.tree.relative(path)
    is_sql = path.suffix == ".sql"
    text = text_of(path, file, "LG-105" if is_sql else "LG-115")
    split = split_sql(text, file) if is_sql else split_python(text, file)
    raw = _File(name, file, text, split)
    query = None
    with reading.findings.catching():  # a header and a query can be wrong at once
        query = _query(reading, raw, f"`{name}` reads") if is_sql else None
    header = _header(reading, raw)
    if is_sql:
        _fits_the_query(header, query, split.header)
        inputs = query.tables if query else ()
    else:
        inputs = _python_inputs(reading, raw, header)
    checked = tables_of(reading, name, split.header, (), header)
    model = Model(name, file, header, "sql" if is_sql else "python", text, split.body, split.body_line, query, inputs)
    node = Node(
        name=name,
        kind=header.kind,
        place=Place(file),
        inputs=tuple(dict.fromkeys(table.guarded for table in inputs)),
        checked_against=checked,
        owner=header.owner,
        tags=header.tags,
    )
    return model, node


_ADVICE = {
    "reads outside": "let a source read it, and name the source's table here",
    "read as a file": "let a source of type `files` read it, and name the source's table here",
    "not a query": "write one query; its rows become the table",
    "several statements": "write one query; parts of it can be named by `with`",
    "no query": "write the query below the header",
}


def _query(reading: Reading, raw: _File, words: str) -> Query:
    query = reading.cache.parse(raw.split.body, raw.file, raw.split.body_line)
    if query.trouble:
        message, line, column = query.trouble
        hint = next((advice for part, advice in _ADVICE.items() if part in message), None)
        raise ProjectError("LG-114", message, place=query.place(line, column), hint=hint)
    for reference in query.references:
        if not reference.is_function:
            place = query.place(reference.line, reference.column)
            reading.mentions.append(Mention(raw.name, reference.written, place, words))
    return query


def _no_references(reading: Reading, document: Document) -> None:
    """A header takes no ${…}: what a table is must not depend on where it runs."""
    for where, text in _texts(document.value, ()):
        if "${env:" in text or "${secret:" in text:
            message = "a header takes no ${…}: what a table is does not depend on where it runs"
            reading.findings.append(ProjectError("LG-113", message, place=document.at(where)))


def _texts(value: object, where: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        return [(where, value)]
    if isinstance(value, dict):
        return [found for k, v in value.items() for found in _texts(v, (*where, k))]
    if isinstance(value, list):
        return [found for i, v in enumerate(value) for found in _texts(v, (*where, i))]
    return []


def _header(reading: Reading, raw: _File) -> ModelHeader:
    document = raw.split.header
    _no_references(reading, document)
    header = declared(ModelHeader, document.value, document)
    fits_its_kind(header, document, raw.file)
    return header


def _fits_the_query(header: ModelHeader, query: Query | None, document: Document) -> None:
    """Notice a header that speaks of columns which the query does not give."""
    if header.inputs:
        message = "`inputs` is for Python models; the tables of a SQL model are found in its query"
        raise ProjectError("LG-101", message, place=document.key(("inputs",)))
    if query is None or query.columns is None:
        return
    given = {column.lower() for column in query.columns}
    if header.kind == "scd2":
        no_history(query.columns, document)
        given |= set(HISTORY)
    for where, column in [
        *((("columns", c), c) for c in header.columns),
        *((("key",), c) for c in header.key),
        *((("time",), c) for c in ([header.time] if header.time else [])),
        *((("partition_by",), c) for c in header.partition_by),
    ]:
        if column.lower() not in given:
            hint = did_you_mean(column, query.columns) or f"it gives {', '.join(query.columns)}"
            message = f"the query gives no column `{column}`"
            raise ProjectError("LG-102", message, place=document.key(where), hint=hint)


def _python_inputs(reading: Reading, raw: _File, header: ModelHeader) -> tuple[TableName, ...]:
    document = raw.split.header
    function = _function(raw)
    parameters = _parameters(function, raw)
    for name in header.inputs:
        if name not in parameters:
            message = f"`inputs` names `{name}`, which is no parameter of model()"
            place = document.key(("inputs", name))
            raise ProjectError("LG-115", message, place=place, hint=did_you_mean(name, parameters))
    for name in parameters:
        if name not in header.inputs:
            message = f"model() takes `{name}`, which `inputs:` in the header does not name"
            hint = f"add `inputs: {{{name}: layer.table}}` below a line `---` in the docstring"
            raise ProjectError("LG-115", message, place=_at(function, raw), hint=hint)
    for name, table in header.inputs.items():
        place = document.at(("inputs", name))
        reading.mentions.append(Mention(raw.name, table, place, f"`{raw.name}` reads"))
    known = (m.table for m in reading.mentions if m.by == raw.name)
    return tuple(dict.fromkeys(table for table in known if table is not None))


def _function(raw: _File) -> ast.FunctionDef:
    tree = parse_python(raw.text, raw.file)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "model":
            return node
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "model":
            raise ProjectError("LG-115", "model() is async, which nothing awaits", place=_at(node, raw))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    near = closest("model", names)
    hint = f"rename `{near}` to `model`" if near else "define `def model(...)` that returns the table's rows"
    raise ProjectError("LG-115", "the file defines no function `model`", place=Place(raw.file), hint=hint)


def _parameters(function: ast.FunctionDef, raw: _File) -> list[str]:
    arguments = function.args
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        message = "model() takes its tables by name: no *args, **kwargs or positional-only parameters"
        raise ProjectError("LG-115", message, place=_at(function, raw))
    return [argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)]


def _at(node: ast.FunctionDef | ast.AsyncFunctionDef, raw: _File) -> Place:
    return Place(raw.file, node.lineno, node.col_offset + 1, raw.text.split("\n")[node.lineno - 1])


# ---------------------------------------------------------------- checks/*.sql
def read_checks(reading: Reading, views: set[TableName]) -> list[CustomCheck]:
    """Read every file of `checks/`; what is wrong goes to the findings."""
    checks: list[CustomCheck] = []
    for name, path in reading.tree.checks.items():
        with reading.findings.catching():
            checks.append(_custom_check(reading, name, path, views))
    return checks


def _custom_check(reading: Reading, name: str, path: Path, views: set[TableName]) -> CustomCheck:
    file = reading.tree.relative(path)
    text = text_of(path, file, "LG-105")
    split = split_sql(text, file)
    raw = _File(TableName("checks", name), file, text, split)
    query = None
    with reading.findings.catching():
        query = _query(reading, raw, f"the check `{name}` reads")
    _no_references(reading, split.header)
    header = declared(CheckHeader, split.header.value, split.header)
    tables = query.tables if query else ()
    table = _guarded(reading, header, split.header, tables, name)
    if table in views:
        message = f"`{table}` is a view: it holds no rows that could be checked before they are published"
        raise ProjectError("LG-402", message, place=split.header.at(("table",)))
    return CustomCheck(name, file, header, table, split.body, split.body_line, tables)


def _guarded(
    reading: Reading, header: CheckHeader, document: Document, tables: tuple[TableName, ...], name: str
) -> TableName:
    """Find the table that a check guards: the one named, or the only one read."""
    if header.table is not None:
        mention = Mention(
            TableName("checks", name), header.table, document.at(("table",)), f"the check `{name}` guards"
        )
        reading.mentions.append(mention)
        if mention.table is not None:
            return mention.table
        # the mention itself is reported with its hint at the end
        return TableName("checks", name)
    if len(tables) == 1:
        return tables[0]
    read = f"reads {len(tables)} tables" if tables else "reads no table"
    message = f"`table` is missing: the query {read}, so which one it guards must be said"
    hint = f"begin the file with `/* table: {tables[0] if tables else 'silver.orders'} */`"
    raise ProjectError("LG-102", message, place=document.key(()), hint=hint)
