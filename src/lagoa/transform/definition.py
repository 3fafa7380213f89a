"""What a model means, as text that a state keeps, so that any later run can say what changed."""

from __future__ import annotations

from typing import Any

from lagoa.project.model import Model, Project, same_checks
from lagoa.sql.parse import differences, same
from lagoa.transform.modules import own_modules, same_python

Definition = dict[str, Any]


def views_of(project: Project, model: Model) -> dict[str, str]:
    """Give the SQL of every view that the model reads, directly or through views, by name."""
    found: dict[str, str] = {}
    waiting = list(model.inputs)
    while waiting:
        name = waiting.pop()
        view = project.models.get(name)
        if view is not None and view.header.kind == "view" and str(name) not in found:
            found[str(name)] = view.body
            waiting += view.inputs
    return dict(sorted(found.items()))


def definition(project: Project, model: Model) -> Definition:
    """Write down what decides the model's rows; descriptions, owners and tags do not."""
    header = model.header
    return {
        "language": model.language,
        "kind": header.kind,
        "text": model.body,
        "key": list(header.key),
        "time": header.time,
        "grain": header.grain,
        "partition_by": list(header.partition_by),
        "types": {name: column.type for name, column in header.columns.items() if column.type},
        "personal": sorted(name for name, column in header.columns.items() if column.pii),
        "checks": project.deciding(model.name),
        "views": views_of(project, model),
        "modules": own_modules(model.body, project.root) if model.language == "python" else {},
        "inputs": dict(sorted(header.inputs.items())) or [str(i) for i in model.inputs],
    }


def changes(then: Definition, now: Definition) -> list[str]:
    """Say in words what changed between two definitions; nothing when they mean the same to today's parser."""
    said: list[str] = []
    if then.get("language") != now["language"]:
        said.append(f"the model is written in {now['language']} now")
    elif now["language"] == "sql" and not same(then.get("text", ""), now["text"]):
        said += differences(then.get("text", ""), now["text"]) or ["the query changed"]
    elif now["language"] == "python" and not same_python(then.get("text", ""), now["text"]):
        said.append("the code changed")
    said += _view_changes(then.get("views", {}), now["views"])
    said += _module_changes(then.get("modules", {}), now["modules"])
    for key, words in _PLAIN.items():
        if then.get(key) != now[key]:
            said.append(f"{words} changed")
    if not same_checks(then.get("checks", []), now["checks"]):
        said.append("its checks changed")
    if now["language"] == "python" and then.get("inputs") != now["inputs"]:
        said.append("its inputs changed")
    return said


_PLAIN = {
    "kind": "its kind",
    "key": "its key",
    "time": "its time",
    "grain": "its partitions of time",
    "partition_by": "its partitions",
    "types": "its declared types",
    "personal": "which columns are personal",
}


def _view_changes(then: dict[str, str], now: dict[str, str]) -> list[str]:
    said = [f"the view {name} changed" for name in now if name in then and not same(then[name], now[name])]
    said += [f"it reads the view {name} now" for name in now if name not in then]
    said += [f"it no longer reads the view {name}" for name in then if name not in now]
    return said


def _module_changes(then: dict[str, str], now: dict[str, str]) -> list[str]:
    if then.keys() != now.keys():
        return ["it imports other modules"]
    return [f"{name} changed" for name in now if not same_python(then[name], now[name])]
