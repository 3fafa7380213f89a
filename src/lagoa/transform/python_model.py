"""Runs a Python model: its function gets relations and returns anything Arrow-like."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from lagoa.errors import LagoaError, LakeError, Place, StepError
from lagoa.kit import user_code
from lagoa.kit.declared_types import arrow_types
from lagoa.ports import Session, StagedFile
from lagoa.project.model import Model
from lagoa.spec.spelling import spelled
from lagoa.transform.sql_model import declared

T = TypeVar("T")
_RESULT = "_result"
_IS_HERE = f"select 1 from duckdb_views() where view_name = '{_RESULT}' and database_name = current_database()"


def columns_of(session: Session, model: Model, root: Path, scratch: Path) -> pa.Schema:
    """Call `model(**inputs)`, keep what it returns in the session, and give the columns of the model's table.

    Raises StepError LG-502 with the line of the user's file that raised.
    """
    function = _guarded(model, lambda: _load(model, root))
    inputs = {name: session.relation(table) for name, table in model.header.inputs.items()}
    result = _guarded(model, lambda: function(**inputs))
    _guarded(model, lambda: _bind_result(session, model, result, scratch))
    return declared(session, model, _guarded(model, lambda: session.schema(f"select * from {_RESULT}")))


def stage(session: Session, model: Model, schema: pa.Schema, into: Path) -> list[StagedFile]:
    """Stage what the function returned in the types of `schema`; a value that would be lost is an error."""
    partition_by = spelled(model.header, schema.names).partition_by
    return _guarded(model, lambda: session.stage(f"select * from {_RESULT}", into, schema, partition_by))


def _load(model: Model, root: Path) -> Callable[..., Any]:
    """Run the model's file."""
    module = user_code.load(root / model.file, root, f"lagoa_model_{model.name.layer}_{model.name.name}")
    if module is None:
        raise StepError("LG-502", f"{model.file} cannot be imported", place=Place(model.file))
    found: Callable[..., Any] = module.model
    return found


def _bind_result(session: Session, model: Model, result: Any, scratch: Path) -> None:
    if type(result).__module__.partition(".")[0] in ("duckdb", "_duckdb"):
        result.create_view(_RESULT, replace=True)  # stays in this session: nothing is copied
        if not session.rows(_IS_HERE):
            _spool(session, result.to_arrow_reader(), scratch)  # the user asked another DuckDB
    elif isinstance(result, pa.Table):
        session.bind(_RESULT, result)
    elif isinstance(result, pa.RecordBatch):
        session.bind(_RESULT, pa.Table.from_batches([result]))
    elif hasattr(result, "__arrow_c_stream__"):
        _spool(session, pa.RecordBatchReader.from_stream(result), scratch)
    elif type(result).__module__.startswith("pandas."):
        session.bind(_RESULT, pa.Table.from_pandas(result, preserve_index=False))
    elif isinstance(result, list) and all(isinstance(row, dict) for row in result):
        session.bind(_RESULT, pa.Table.from_pylist(result) if result else _no_rows(session, model))
    else:
        raise StepError(
            "LG-502",
            f"`{model.name}` returned {type(result).__name__}, which is not a table",
            place=Place(model.file),
            hint="return a DuckDB relation, an Arrow table or reader, a data frame or a list of dicts",
        )


def _spool(session: Session, rows: pa.RecordBatchReader, scratch: Path) -> None:
    """Take rows that flow only once to disk: they may come from this very session, and their errors are Python's."""
    scratch.mkdir(parents=True, exist_ok=True)
    file = scratch / "returned.arrow"
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)
    kept = pa.ipc.open_file(pa.memory_map(str(file)))
    batches = (kept.get_batch(i) for i in range(kept.num_record_batches))
    session.bind(_RESULT, pa.RecordBatchReader.from_batches(rows.schema, batches))


def _no_rows(session: Session, model: Model) -> pa.Table:
    """Give an empty list the columns that the header declares: by itself it has none."""
    types = {name: column.type for name, column in model.header.columns.items() if column.type}
    if not types:
        raise StepError(
            "LG-502",
            f"`{model.name}` returned an empty list, which does not say what its columns are",
            place=Place(model.file),
            hint="declare their types under `columns:`, or return an Arrow table",
        )
    return pa.schema(list(arrow_types(session, types, model.file, model.text).items())).empty_table()


def _guarded(model: Model, call: Callable[[], T]) -> T:
    """Call the user's code; whatever it raises, an exit included, is the user's to see."""
    try:
        return call()
    except (StepError, LakeError) as error:
        place = Place(model.file, 1) if error.place is None or error.place.file != model.file else error.place
        message = error.message if f"`{model.name}`" in error.message else f"`{model.name}`: {error.message}"
        raise StepError(error.code, message, place=place, hint=error.hint) from error
    except LagoaError:
        raise
    except (Exception, SystemExit) as error:
        line, said = user_code.line_and_words(model.file, error)
        lines = model.text.splitlines()
        text = lines[line - 1] if line and line <= len(lines) else None
        message = f"`{model.name}` raised {said}"
        raise StepError("LG-502", message, place=Place(model.file, line, None, text)) from error
