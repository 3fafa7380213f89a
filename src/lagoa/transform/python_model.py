"""Runs a Python model: its function gets relations and returns anything Arrow-like."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pyarrow as pa

from lagoa.errors import LagoaError, Place, StepError
from lagoa.kit.text import quote
from lagoa.ports import Session, StagedFile
from lagoa.project.model import Model

T = TypeVar("T")
_RESULT = "_result"


def stage(
    session: Session, model: Model, root: Path, into: Path, partition_by: Sequence[str]
) -> tuple[list[StagedFile], Any]:
    """Call `model(**inputs)` and stage what it returns; give the files and their Arrow schema.

    Raises StepError LG-502 with the line of the user's file that raised.
    """
    function = _guarded(model, lambda: _load(model, root))
    inputs = {name: session.relation(table) for name, table in model.header.inputs.items()}
    result = _guarded(model, lambda: function(**inputs))
    _bind_result(session, model, result)
    declared = {name: column.type for name, column in model.header.columns.items() if column.type}
    names = session.schema(f"select * from {_RESULT}").names
    if missing := sorted(set(model.header.columns) - set(names)):
        raise StepError(
            "LG-502",
            f"`{model.name}` describes {', '.join(missing)}, which it does not return",
            place=Place(model.file, 1),
            hint=f"it returns {', '.join(names)}",
        )
    shown = ", ".join(f"{quote(n)}::{declared[n]} as {quote(n)}" if n in declared else quote(n) for n in names)
    query = f"select {shown} from {_RESULT}"
    schema = session.schema(query)
    return _guarded(model, lambda: session.stage(query, into, schema, partition_by)), schema


def _load(model: Model, root: Path) -> Callable[..., Any]:
    path = root / model.file
    spec = importlib.util.spec_from_file_location(f"lagoa_model_{model.name.layer}_{model.name.name}", path)
    if spec is None or spec.loader is None:
        raise StepError("LG-502", f"{model.file} cannot be imported", place=Place(model.file))
    module: ModuleType = importlib.util.module_from_spec(spec)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # a model imports the project's own modules
    spec.loader.exec_module(module)
    found: Callable[..., Any] = module.model
    return found


def _bind_result(session: Session, model: Model, result: Any) -> None:
    if type(result).__module__.partition(".")[0] in ("duckdb", "_duckdb"):
        result.create_view(_RESULT, replace=True)  # stays in this session: nothing is copied
    elif isinstance(result, pa.Table | pa.RecordBatchReader):
        session.bind(_RESULT, result)
    elif isinstance(result, pa.RecordBatch):
        session.bind(_RESULT, pa.Table.from_batches([result]))
    elif hasattr(result, "__arrow_c_stream__"):
        session.bind(_RESULT, pa.RecordBatchReader.from_stream(result))
    elif type(result).__module__.startswith("pandas."):
        session.bind(_RESULT, pa.Table.from_pandas(result, preserve_index=False))
    elif isinstance(result, list) and all(isinstance(row, dict) for row in result):
        session.bind(_RESULT, pa.Table.from_pylist(result))
    else:
        raise StepError(
            "LG-502",
            f"`{model.name}` returned {type(result).__name__}, which is not a table",
            place=Place(model.file),
            hint="return a DuckDB relation, an Arrow table or reader, or a data frame",
        )


def _guarded(model: Model, call: Callable[[], T]) -> T:
    try:
        return call()
    except LagoaError:
        raise
    except Exception as error:  # whatever the user's code raises is the user's to see
        frames = traceback.extract_tb(error.__traceback__)
        line = next((f.lineno for f in reversed(frames) if Path(f.filename).name == Path(model.file).name), None)
        lines = model.text.splitlines()
        text = lines[line - 1] if line and line <= len(lines) else None
        message = f"`{model.name}` raised {type(error).__name__}: {error}"
        raise StepError("LG-502", message, place=Place(model.file, line, None, text)) from error
