"""Writes the pages of docs/reference/ that come from the code; `--check` only says which are stale."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

from lagoa.cli.main import cli
from lagoa.errors import CODES
from lagoa.plan.format import PlanForm
from lagoa.ports import Check, Source
from lagoa.project.schema import as_text, described, reachable, schema, schemas
from lagoa.registry import adapter, names
from lagoa.spec.check import CheckHeader, CheckSpec
from lagoa.spec.declared import Declared
from lagoa.spec.model import ModelHeader
from lagoa.spec.project import ProjectFile
from lagoa.spec.trial import Trial

REFERENCE = Path(__file__).parent / "reference"
_NOTE = "<!-- Written by docs/generate.py from the code; edit the code and run `make docs`. -->"
_PORTS = {
    "sources": "What `type:` in a file of `sources/` names.",
    "checks": "What stands under `checks:`, beside a column or for a whole table.",
    "engines": "What `engine:` of a target names.",
    "secrets": "Where `${secret:name}` is looked for, in this order: environment, file, then others by name.",
}
_GROUPS = {
    "1": "The project's files",
    "2": "Sources",
    "3": "The lake",
    "4": "Checks",
    "5": "Runs",
    "6": "The command",
}
Schema = dict[str, Any]


def pages() -> dict[Path, str]:
    """Make every page, by its path."""
    made = {"commands": commands(), "keys": keys(), "errors": errors(), "adapters": adapters()}
    found = {REFERENCE / f"{name}.md": "\n".join(lines).rstrip() + "\n" for name, lines in made.items()}
    found[REFERENCE / "plan-format.md"] = "\n".join(plan_format()).rstrip() + "\n"
    for name, content in {**schemas(), "plan.json": schema(PlanForm, "A plan")}.items():
        found[REFERENCE / "schemas" / name] = as_text(content)
    return found


def stale() -> list[Path]:
    """List the pages that are not as the code would write them now."""
    return [path for path, text in pages().items() if not path.is_file() or path.read_text("utf-8") != text]


# ---------------------------------------------------------------- commands
def commands() -> list[str]:
    """Write a section for each command with its options."""
    lines = ["# Commands", "", _NOTE, "", (cli.help or "").strip(), ""]
    lines += ["Exit codes: 0 done, 1 your data or a step failed, 2 the project or the command is wrong.", ""]
    context = click.Context(cli, info_name="lagoa", **cli.context_settings)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is not None:
            lines += _command(name, command, click.Context(command, info_name=name, parent=context))
    return lines


def _command(name: str, command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f"## lagoa {name}", "", "```", f"{context.command_path} {usage}".rstrip(), "```", "")
    yield from (_plain(command.help or command.short_help or ""), "")
    options = [record for p in command.get_params(context) if (record := p.get_help_record(context))]
    if options:
        yield from _table(("Option", "Meaning"), ((_code(option), words) for option, words in options))


def _plain(text: str) -> str:
    """Turn click's marks for its own layout into Markdown."""
    paragraphs = cleandoc(text).split("\n\n")
    return "\n\n".join(f"```\n{cleandoc(p[2:])}\n```" if p.startswith("\b\n") else cleandoc(p) for p in paragraphs)


# ---------------------------------------------------------------- keys
def keys() -> list[str]:
    """Write the keys of every file."""
    lines = ["# Keys of every file", "", _NOTE, ""]
    lines += [
        "An editor that knows JSON Schema completes these files: put",
        "`# yaml-language-server: $schema=` and the address of a file of [schemas/](schemas) on the first line.",
        "",
    ]
    lines += _noun_section("lagoa.yml", ProjectFile, "")
    for name in names("sources"):
        lines += _noun_section(f"sources/*.yml with `type: {name}`", adapter("sources", name), "")
        if (whole := adapter("sources", name).whole) is not None:
            lines += [f"### {whole.__name__}", "", (whole.__doc__ or "").strip(), "", *_keys(whole)]
    lines += _noun_section("The header of a model", ModelHeader, "models/**/*.sql and *.py")
    lines += ["## A check", "", (CheckSpec.__doc__ or "").strip(), ""]
    lines += _table(
        ("Key", "Type", "Meaning"),
        [
            (
                "*kind*",
                "depends on the kind",
                "What is checked; the kinds are listed under [adapters](adapters.md#checks).",
            ),
            ("`on_fail`", "`block`, `quarantine` or `warn`", "What happens to rows that break it; `block` by default."),
            ("`name`", "text", "What reports call it; column and kind by default."),
            ("`where`", "SQL", "Only rows for which this holds are judged."),
        ],
    )
    lines += _noun_section("The header of a file in checks/", CheckHeader, "checks/*.sql")
    lines += _noun_section("A test", Trial, "tests/**/*.yml")
    return lines


def _noun_section(title: str, noun: type[Any], where: str) -> list[str]:
    lines = [f"## {title}", ""] + ([f"`{where}`", ""] if where else [])
    for cls in reachable(noun):
        if cls is CheckSpec:
            continue
        if cls is not noun:
            lines += [f"### {cls.__name__}", ""]
        lines += [(cls.__doc__ or "").strip().replace("\n    ", "\n"), ""]
        lines += _keys(cls)
    return lines


def _keys(cls: type[Any]) -> Iterator[str]:
    whole = schema(cls, cls.__name__)
    words: dict[str, str] = described(cls)
    required = set(whole.get("required", []))
    rows = []
    for name, field in cls.model_fields.items():
        key = field.alias or name
        part = whole["properties"][key]
        default = "required" if key in required else _default(part)
        rows.append((f"`{key}`", _type(part), default, words.get(name, "")))
    return _table(("Key", "Type", "Default", "Meaning"), rows)


def _type(part: Schema) -> str:
    """Say a JSON Schema in a user's words."""
    if "$ref" in part:
        return str(part["$ref"]).rpartition("/")[2]
    if "enum" in part or "const" in part:
        return ", ".join(f"`{value}`" for value in part.get("enum", [part.get("const")]))
    if "anyOf" in part:
        options = [_type(option) for option in part["anyOf"] if option.get("type") != "null"]
        return (
            "a check"
            if any("on_fail" in o.get("properties", {}) for o in part["anyOf"])
            else " or ".join(dict.fromkeys(options))
        )
    kind = part.get("type")
    if kind == "array":
        return f"list of {_type(part.get('items', {}))}"
    if kind == "object":
        values = part.get("additionalProperties")
        return f"mapping of names to {_type(values)}" if isinstance(values, dict) else "mapping"
    simple = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return simple.get(str(kind), "any value")


def _default(part: Schema) -> str:
    value = part.get("default")
    if value is None or value == [] or value == {}:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


# ---------------------------------------------------------------- the plan
def plan_format() -> list[str]:
    """Write the keys of a plan."""
    lines = ["# The format of a plan", "", _NOTE, ""]
    lines += [
        "`lagoa plan --json` prints it, `lagoa plan --out FILE` writes it, and `lagoa run --plan FILE` carries it out;",
        "its JSON Schema is [plan.json](schemas/plan.json). `steps` is empty when there is nothing to do but to ask",
        "the sources. New keys may come; a key that goes or changes its meaning makes another `format`.",
        "",
        "Steps without `conditional` are all carried out; of those with it, the ones for which there are rows.",
        "Nothing else is written. `run --plan` refuses ([LG-507](errors.md#lg-507)) when a table that the plan looked",
        "at, or a definition, is another one than then.",
        "",
    ]
    for cls in reachable(PlanForm):
        lines += [f"## {_form(cls)}", "", (cls.__doc__ or "").strip(), ""]
        lines += _table(("Key", "Type", "Meaning"), _plan_keys(cls))
    return lines


def _form(cls: type[Any]) -> str:
    return cls.__name__.removesuffix("Form").lower()


def _plan_keys(cls: type[Any]) -> Iterator[tuple[str, ...]]:
    whole, words = schema(cls, cls.__name__), described(cls)
    for name in cls.model_fields:
        yield f"`{name}`", _plan_type(whole["properties"][name]), words[name]


def _plan_type(part: Schema) -> str:
    options = [option for option in part.get("anyOf", [part]) if option.get("type") != "null"]
    said = " or ".join(_type(option) for option in options)
    for form in reachable(PlanForm):
        said = said.replace(form.__name__, f"[{_form(form)}](#{_form(form)})")
    return said + (" or null" if len(options) < len(part.get("anyOf", [part])) else "")


# ---------------------------------------------------------------- errors
def errors() -> list[str]:
    """Write every error code with what to do about it."""
    lines = [
        "# Errors",
        "",
        _NOTE,
        "",
        "Each error has a code that stays the same, a place and, where one is known, a hint.",
        "",
    ]
    for digit, title in _GROUPS.items():
        lines += [f"## {title}", ""]
        for code, (name, advice) in CODES.items():
            if code.startswith(f"LG-{digit}"):
                lines += [f"### {code}", "", f"**{name}.** {advice}", ""]
    return lines


# ---------------------------------------------------------------- adapters
def adapters() -> list[str]:
    """Write what can be plugged in and is there."""
    lines = ["# Adapters", "", _NOTE, ""]
    lines += [
        "One file each, named as it is written in YAML. Other packages add more by entry points `lagoa.<port>`.",
        "",
    ]
    for port, words in _PORTS.items():
        lines += [f"## {port.capitalize()}", "", words, ""]
        for name in names(port):
            lines += [f"### {port}/{name}", "", *_adapter(adapter(port, name)), ""]
    return lines


def _adapter(cls: type[Any]) -> Iterator[str]:
    yield " ".join((cls.__doc__ or "").strip().split())
    if issubclass(cls, Source):
        own = [f"`{k}`" for k in cls.model_fields if k not in Source.model_fields]
        yield ""
        keys = f"Its own keys: {', '.join(own)}; all are in [keys](keys.md)." if own else "It has no keys of its own."
        yield f"{keys} Rows land {cls.guarantee}."
    elif issubclass(cls, Check):
        stands = "under the table's `checks:`" if cls.place == "table" else "beside a column"
        value = _type(schema(cls, "check")["properties"].get("value", {}))
        yield ""
        yield f"Stands {stands}; takes {'an optional value' if value == 'any value' else value}; judges {_judged(cls)}."
    elif issubclass(cls, Declared):
        yield ""
        yield from _keys(cls)


def _judged(cls: type[Check]) -> str:
    return "each row by itself" if cls.reads == "row" else "the table as it would become"


# ---------------------------------------------------------------- Markdown
def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def _code(text: str) -> str:
    return f"`{text}`"


def main() -> int:
    """Write the pages, or with `--check` only compare; return 1 when a page was stale."""
    if "--check" in sys.argv[1:]:
        found = stale()
        for path in found:
            sys.stderr.write(f"stale: {path.relative_to(REFERENCE.parent.parent)}; run `make docs`\n")
        return 1 if found else 0
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
