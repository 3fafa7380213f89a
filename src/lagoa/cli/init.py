"""`lagoa init`: a new project in a new folder, which runs at once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click
from click.core import ParameterSource

from lagoa.cli import screen
from lagoa.cli.settings import Settings, as_json, everywhere, with_settings
from lagoa.errors import CommandError

EXAMPLES = {
    "shop": ("gold.revenue_by_month", "A small Brazilian shop: CSV and JSON files, checks, a Python model."),
    "northwind": ("gold.revenue_by_tenant", "Three tenants with the same eight files, one table per kind."),
    "customer-360": (
        "gold.customer_360",
        "A made-up bank, day by day: faults, corrections, each customer whole.",
    ),
    "olist": ("gold.customer_360", "Real orders of Brazilian e-commerce; you name its folder in OLIST_DATA."),
    "cnpj": ("gold.cnpj", "Receita Federal's register of companies; you name the folder of its zips in CNPJ_DATA."),
    "ga4": ("gold.sessions", "Google Analytics 4 events as BigQuery exports them; you name their folder in GA4_DATA."),
}
"""The projects that Lagoa ships: the table to look at first, and what each shows."""

_BROUGHT = {
    "olist": ("OLIST_DATA", "the folder that holds Olist's CSV files"),
    "cnpj": ("CNPJ_DATA", "the folder that holds Receita Federal's zips"),
    "ga4": ("GA4_DATA", "the folder that holds the export's NDJSON files"),
}
"""Examples whose data the user brings: the variable that names its folder, and what that holds."""
_FOLDER = Path(__file__).resolve().parent.parent / "examples"
_IGNORED = ".env\n.lagoa/\nlake/\n"


@click.command(short_help="Make a project.")
@click.argument("name", type=click.Path(path_type=Path))
@click.option(
    "--example", type=click.Choice(list(EXAMPLES)), default="shop", show_default=True, help="What to start from."
)
@click.option(
    "--from", "origin", metavar="WHERE", help="Look at files, a URL or an API's OpenAPI document; or take preset:NAME."
)
@click.option("--from-dbt", metavar="DIR", type=click.Path(path_type=Path), help="Translate the dbt project in DIR.")
@click.option("--dialect", metavar="SQL", help="dbt: the SQL of its models; its profile tells otherwise.")
@click.option("--layer", "layers", multiple=True, metavar="FOLDER=LAYER", help="dbt: silver or gold, by folder or tag.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="dbt: the value of a variable.")
@as_json
@everywhere
@with_settings
@click.pass_context
def command(
    ctx: click.Context,
    settings: Settings,
    name: Path,
    example: str,
    origin: str | None,
    from_dbt: Path | None,
    dialect: str | None,
    layers: tuple[str, ...],
    variables: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a project in the new folder NAME: from an example, from what exists, or from a dbt project.

    With --from, NAME may also be a project that is there, which then gets one source more.

    \b
    Examples:
      shop          a small shop that runs offline at once
      northwind     three tenants with the same eight files, one table per kind
      customer-360  a made-up bank; BANK_TODAY says which day it is there
      olist         real Brazilian e-commerce; its data is yours to bring, in OLIST_DATA
      cnpj          Brazil's register of companies; its zips are yours to bring, in CNPJ_DATA
      ga4           Google Analytics 4 events into sessions; yours to bring, in GA4_DATA
    """
    folder = settings.project / name
    _refuse_two_ways(ctx)
    if origin is not None:
        from lagoa.cli.init_from import follow, from_what_exists

        if not (folder / "lagoa.yml").is_file():
            _refuse_what_is_there(folder)
        if new := from_what_exists(settings, folder, origin, as_json):
            _make_its_own(folder)
        follow(settings, folder, new)
        return
    _refuse_what_is_there(folder)
    if from_dbt is not None:
        from lagoa.cli.init_dbt import from_project

        from_project(settings, folder, from_dbt, dialect, layers, variables, as_json)
        _make_its_own(folder)
        return
    _from_example(settings, folder, example)


def _from_example(settings: Settings, folder: Path, example: str) -> None:
    """Copy an example into a new folder and say what may come next."""
    copied = _copy(example, folder)
    _make_its_own(folder)
    screen.say(settings, f"Made {folder}/ from the {example} example: {screen.some(copied + 1, 'file')}.")
    screen.say(settings, screen.dim(EXAMPLES[example][1]))
    first = [(f"cd {folder}", "")]
    if example in _BROUGHT:
        variable, what = _BROUGHT[example]
        first.append((f"export {variable}=<folder>", what))
    screen.following(
        settings,
        *first,
        ("lagoa run", "read the files, build every table"),
        (f'lagoa query "select * from {EXAMPLES[example][0]} limit 10"', ""),
    )


def _refuse_two_ways(ctx: click.Context) -> None:
    """Refuse what excludes each other, and options of another way than the chosen one."""
    given = {o for o in ctx.params if ctx.get_parameter_source(o) is ParameterSource.COMMANDLINE}
    ways = [way for way in ("example", "origin", "from_dbt") if way in given]
    called = {"origin": "from", "from_dbt": "from-dbt", "layers": "layer", "variables": "var", "as_json": "json"}
    if len(ways) > 1:
        one, two = (f"--{called.get(way, way)}" for way in ways[:2])
        raise CommandError("LG-601", f"{one} and {two} exclude each other", hint="give one of them")
    for option in ("dialect", "layers", "variables", "as_json"):
        if option in given and "from_dbt" not in given and (option != "as_json" or "origin" not in given):
            with_ = "--from-dbt" if option != "as_json" else "--from or --from-dbt"
            words = f"--{called.get(option, option)} goes with {with_}"
            raise CommandError("LG-601", words, hint="add it, or leave it out")


def _make_its_own(folder: Path) -> None:
    """Give a new project its folder's name, and tell git what is none of its business."""
    settings_file = folder / "lagoa.yml"
    text = settings_file.read_text(encoding="utf-8")
    settings_file.write_text(
        re.sub(r"(?m)^name: .*$", f"name: {_project_name(folder)}", text, count=1), encoding="utf-8"
    )
    (folder / ".gitignore").write_text(_IGNORED, encoding="utf-8")


def _refuse_what_is_there(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        kind = "is not empty" if folder.is_dir() else "is a file"
        raise CommandError(
            "LG-603", f"{folder} is there already and {kind}", hint="choose another name or an empty folder"
        )


def _copy(example: str, folder: Path) -> int:
    source = _FOLDER / example
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "lake", ".lagoa")
    try:
        # contents only: what an installation keeps read-only must not be so in the user's project
        shutil.copytree(source, folder, ignore=ignored, copy_function=shutil.copyfile, dirs_exist_ok=True)
    except OSError as error:
        raise CommandError("LG-603", f"cannot write {folder}: {error.strerror or error}") from error
    for path in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        path.chmod(0o755)
    return sum(path.is_file() for path in folder.rglob("*"))


def _project_name(folder: Path) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]+", "-", folder.resolve().name).strip("-")[:80] or "project"
