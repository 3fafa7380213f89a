"""Renders Jinja in a process of its own, where a template can neither reach the machine nor take it for long.

It reads JSON from stdin, a line to begin with and a line for each job, and answers each by a line on stdout.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from lagoa.propose.dbt.column_macros import Written
from lagoa.propose.dbt.macros import DBT, DBT_UTILS, Returned
from lagoa.propose.dbt.modules import MODULES, column_type
from lagoa.propose.dbt.relations import Column, ColumnsNeeded, Relation, Unrenderable, columns_of

_MEMORY = 1 << 30
_LONGEST = 1_000_000
"""Letters that a template may become."""


class Names(dict[str, Any]):
    """Names behind a dot (`dbt_utils.star`); one that is not there says what is missing."""

    def __init__(self, words: str, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self.words = words

    def __missing__(self, name: str) -> Any:
        raise Unrenderable(f"`{self.words}.{name}` is not known without a database")


class Config:
    """`config(…)`: notes what is configured, and gives nothing to the text."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given

    def __call__(self, *several: Mapping[str, Any], **named: Any) -> str:
        """Take what is configured, as names or as a mapping."""
        for mapping in (*several, named):
            self.given.update(mapping)
        return ""

    def get(self, name: str, default: Any = None, **_: Any) -> Any:
        """Return what is configured under a name."""
        return self.given.get(name, default)

    def require(self, name: str, **_: Any) -> Any:
        """Return what must be configured under a name."""
        if name not in self.given:
            raise Unrenderable(f"`config.require('{name}')` finds nothing")
        return self.given[name]

    meta_get = get


class Variables:
    """`var(…)`: the project's variables; each use is remembered."""

    def __init__(self, known: Mapping[str, Any], used: dict[str, Any]) -> None:
        self.known, self.used = known, used

    def __call__(self, name: str, default: Any = Unrenderable) -> Any:
        """Return a variable's value, or the default."""
        if name not in self.known and default is Unrenderable:
            raise Unrenderable(f"`var('{name}')` has no value; give it one with `--var {name}=…`")
        value = self.known.get(name, default)
        self.used[name] = value
        return value

    def has_var(self, name: str) -> bool:
        """Say whether a variable has a value."""
        return name in self.known


class Sandbox:
    """One project's templates: its macros are compiled once, each job is rendered in turn."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        self.start = start
        self.columns: dict[str, list[list[str]]] = dict(start["columns"])
        self.environment = SandboxedEnvironment(
            undefined=StrictUndefined, extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"]
        )
        self.environment.filters.update(as_text=str, as_bool=bool, as_native=lambda x: x, as_number=float)
        self.names: dict[str, Any] = {}
        self.job: dict[str, Any] = {}
        self.used: dict[str, Any] = {}
        self.told: list[str] = []
        self.packages: dict[str, dict[str, Any]] = {}
        for macro in start["macros"]:
            self.packages.setdefault(macro["package"], {})[macro["name"]] = self._macro(macro)
        self.own = self.packages.get(start["name"], {})

    # ------------------------------------------------------------ macros
    def _macro(self, macro: Mapping[str, Any]) -> Callable[..., Any]:
        """Make a macro that can be called; it is compiled when it first is."""
        ready: list[Any] = []

        def call(*arguments: Any, **named: Any) -> Any:
            if not ready:
                template = self._template(macro["text"], macro["file"], macro["line"])
                ready.append(getattr(template.make_module(self.names, shared=True), "lagoa__" + macro["name"]))
            try:
                return ready[0](*arguments, **named)
            except Returned as returned:
                return returned.value

        return call

    def _template(self, text: str, file: str, line: int) -> Template:
        code = self.environment.compile("\n" * (line - 1) + text, file, file)
        return Template.from_code(self.environment, code, self.names)

    def _dispatch(self, name: str, macro_namespace: str | None = None) -> Callable[..., Any]:
        """Find the macro for this dialect: the project's own first, then the package's."""
        places = [self.own, self.packages.get(macro_namespace or "", {})]
        for prefix in (self.start["dialect"] + "__", "default__"):
            for place in places:
                if prefix + name in place:
                    found: Callable[..., Any] = place[prefix + name]
                    return found
        ours: Any = (DBT if macro_namespace in (None, "dbt") else DBT_UTILS).get(name)
        if ours is None:
            raise Unrenderable(f"no macro `{name}` is there for {self.start['dialect']}")
        bound: Callable[..., Any] = self._bound({name: ours})[name]
        return bound

    def _bound(self, ours: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
        written = Written(self.start["dialect"], self._columns)
        return {name: _with(written, function) for name, function in ours.items()}

    # ------------------------------------------------------------ what a template may name
    def _known(self) -> dict[str, Any]:
        job, start = self.job, self.start
        config = Config(dict(job.get("config") or {}))
        target = Names("target", {"name": start["target"], "type": start["dialect"], "profile_name": start["name"]})
        target |= {"schema": "lagoa", "database": "lagoa", "threads": 1}
        dbt = self._bound(DBT)
        utils = self._bound(DBT_UTILS)
        missing = self.packages.get("dbt_utils", {})
        known = {
            **{name: self.environment.globals[name] for name in ("range", "dict", "namespace", "cycler", "joiner")},
            **dbt,
            **_WORDS,
            "config": config,
            "ref": self._ref,
            "source": self._source,
            "var": Variables(start["variables"], self.used),
            "env_var": self._environment_variable,
            "is_incremental": self._first_time,
            "flags": Names("flags", {"FULL_REFRESH": True, "WHICH": "build"}),
            "target": target,
            "project_name": start["name"],
            "model": Names("model", {"name": job.get("name"), "config": config.given, "alias": job.get("name")}),
            "exceptions": Names("exceptions", {"raise_compiler_error": _refuse, "warn": self._warn}),
            "adapter": self._adapter(dbt["quote"]),
            "api": Names("api", {"Column": Names("api.Column", {"translate_type": column_type})}),
            "modules": Names("modules", MODULES),
            "dbt": Names("dbt", dbt),
            "dbt_utils": Names("dbt_utils", {**missing, **utils}),
        }
        for package, macros in self.packages.items():
            if package not in ("dbt", "dbt_utils"):
                known[package] = Names(package, macros)
        # what a project calls by these names itself may ask for dbt's own
        known["builtins"] = Names("builtins", {name: known[name] for name in ("ref", "source", "config")})
        known |= self.own
        if job.get("this"):
            known["this"] = Relation(job["this"])
        return known

    def _adapter(self, quote: Callable[..., Any]) -> Names:
        asked = {"dispatch": self._dispatch, "quote": quote, "get_columns_in_relation": self._columns}
        return Names("adapter", asked)

    def _columns(self, relation: Any) -> list[Column]:
        return columns_of(self.columns, relation)

    def _ref(self, *names: str, v: Any = None, version: Any = None) -> Relation:
        wanted = version if v is None else v
        found = self.start["refs"].get(names[-1] if wanted is None else f"{names[-1]}.v{wanted}")
        if found is None:
            written = f"'{names[-1]}'" if wanted is None else f"'{names[-1]}', v={wanted}"
            raise Unrenderable(f"`ref({written})`: nothing of that name became a table here")
        return Relation(found)

    def _source(self, source: str, table: str) -> Relation:
        found = self.start["sources"].get(f"{source}.{table}")
        if found is None:
            raise Unrenderable(f"`source('{source}', '{table}')` is declared nowhere")
        return Relation(found)

    def _first_time(self) -> bool:
        self.told.append("is_incremental")
        return False

    def _environment_variable(self, name: str, default: str | None = None) -> str:
        value = self.start["chosen"].get(name, default)
        if value is None:
            words = f"`env_var('{name}')` has no default, and a model does not depend on where it runs"
            raise Unrenderable(f"{words}; give it a value with `--var {name}=…`")
        self.told.append(f"`env_var('{name}')` is {value!r} here")
        return str(value)

    def _warn(self, text: str) -> str:
        self.told.append(f"warning: {text}")
        return ""

    # ------------------------------------------------------------ jobs
    def render(self, job: dict[str, Any]) -> dict[str, Any]:
        """Render one job: its text, or with `macro` a call of a macro by its name."""
        self.job, self.used, self.told = job, {}, []
        self.columns |= job.pop("learned", {})
        self.names.clear()
        self.names |= self._known()
        try:
            if "macro" in job:
                package, _, name = job["macro"].rpartition(".")
                macro = self.packages.get(package or self.start["name"], {})[name]
                text = str(macro(**{k: _relation(v) for k, v in job["arguments"].items()}))
            else:
                text = self._template(job["text"], job["file"], job["line"]).render(self.names)
        except Exception as error:  # noqa: BLE001 - whatever a template does wrong is told at its line
            needs = error.table if isinstance(error, ColumnsNeeded) else None
            return {"error": _words(error), "line": _line(error, job.get("file", "")), "needs": needs}
        if len(text) > _LONGEST:
            return {"error": f"the rendered text has more than {_LONGEST:,} letters", "line": None, "needs": None}
        config = {k: v for k, v in self.names["config"].given.items() if _plain(v)}
        strange = sorted(set(self.names["config"].given) - set(config))
        used = {k: v if _plain(v) else str(v) for k, v in self.used.items()}
        return {"text": text.strip("\n"), "config": config, "strange": strange, "used": used, "told": self.told}


def _with(written: Written, function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments, **named: function(written, *arguments, **named)


def _relation(value: Any) -> Any:
    return Relation(value["relation"]) if isinstance(value, dict) and "relation" in value else value


def _return(value: Any = None) -> None:
    raise Returned(value)


def _nothing(*_: Any, **__: Any) -> str:
    return ""


def _refuse(text: str = "", *_: Any) -> None:
    raise Unrenderable(f"the project itself refuses: {text}")


def _unique(value: Any, default: Any = None) -> Any:
    try:
        return set(value)
    except TypeError:
        return default


def _needs_database(name: str) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> None:
        raise Unrenderable(f"`{name}` needs the database")

    return call


_WORDS: Mapping[str, Any] = {
    "return": _return,
    "log": _nothing,
    "print": _nothing,
    "debug": _nothing,
    "should_full_refresh": lambda: True,
    "should_store_failures": lambda: False,
    "execute": True,
    "fromjson": json.loads,
    "local_md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "tojson": json.dumps,
    "fromyaml": yaml.safe_load,
    "toyaml": yaml.safe_dump,
    "set": _unique,
    "set_strict": _unique,
    "zip": lambda *several: list(zip(*several, strict=False)),
    "run_query": _needs_database("run_query"),
    "statement": _needs_database("statement"),
    "load_result": _needs_database("load_result"),
    "load_relation": _needs_database("load_relation"),
}
"""What means the same in every template."""


def _plain(value: Any) -> bool:
    with contextlib.suppress(TypeError, ValueError):
        json.dumps(value)
        return True
    return False


def _words(error: Exception) -> str:
    if isinstance(error, UndefinedError):
        return f"{error} without a database, and no macro here or in dbt_packages/ is called so"
    if isinstance(error, (Unrenderable, TemplateError)):
        return str(error)
    if isinstance(error, RecursionError):
        return "a macro calls itself without end"
    if isinstance(error, MemoryError):
        return "it takes too much memory"
    return f"{type(error).__name__}: {error}"


def _line(error: Exception, file: str) -> int | None:
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    lines = [line for name, line in _frames(error.__traceback__) if name == file]
    return lines[0] if lines else None


def _frames(trace: TracebackType | None) -> Iterator[tuple[str, int]]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next


def main() -> None:
    """Answer jobs until stdin ends."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on Windows; the time limit holds there, too
        import resource  # noqa: PLC0415 - it is not everywhere

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    sandbox = Sandbox(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        answer = sandbox.render(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
