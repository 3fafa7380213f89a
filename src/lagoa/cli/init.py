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
    "customer-360": ("gold.customer_360", "A made-up bank, day by day: faults, corrections, each customer whole."),
    "olist": ("gold.customer_360", "Real orders of Brazilian e-commerce; you name its folder in OLIST_DATA."),
}
"""The projects that Lagoa ships: the table to look at first, and what each shows."""

_FOLDER = Path(__file__).resolve().parent.parent / "examples"
_IGNORED = ".env\n.lagoa/\nlake/\n"


@click.command(short_help="Make a project.")
@click.argument("name", type=click.Path(path_type=Path))
@click.option(
    "--example", type=click.Choice(list(EXAMPLES)), default="shop", show_default=True, help="What to start from."
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
    from_dbt: Path | None,
    dialect: str | None,
    layers: tuple[str, ...],
    variables: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a project in the new folder NAME: from an example, or from a dbt project.

    \b
    Examples:
      shop          a small shop that runs offline at once
      northwind     three tenants with the same eight files, one table per kind
      customer-360  a made-up bank; BANK_TODAY says which day it is there
      olist         real Brazilian e-commerce; its data is yours to bring, in OLIST_DATA
    """
    folder = settings.project / name
    _refuse_what_is_there(folder)
    if from_dbt is not None:
        from lagoa.cli.init_dbt import from_project

        if ctx.get_parameter_source("example") is ParameterSource.COMMANDLINE:
            raise CommandError("LG-601", "--example and --from-dbt exclude each other", hint="give one of them")
        from_project(settings, folder, from_dbt, dialect, layers, variables, as_json)
        _make_its_own(folder)
        return
    _for_dbt_alone(ctx)
    copied = _copy(example, folder)
    _make_its_own(folder)
    screen.say(settings, f"Made {folder}/ from the {example} example: {screen.some(copied + 1, 'file')}.")
    screen.say(settings, screen.dim(EXAMPLES[example][1]))
    first = [(f"cd {folder}", "")]
    if example == "olist":
        first.append(("export OLIST_DATA=<folder>", "the folder that holds Olist's CSV files"))
    screen.following(
        settings,
        *first,
        ("lagoa run", "read the files, build every table"),
        (f'lagoa query "select * from {EXAMPLES[example][0]} limit 10"', ""),
    )


def _for_dbt_alone(ctx: click.Context) -> None:
    for option in ("dialect", "layers", "variables", "as_json"):
        if ctx.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            words = {"layers": "layer", "variables": "var", "as_json": "json"}.get(option, option)
            raise CommandError("LG-601", f"--{words} goes with --from-dbt", hint="add --from-dbt, or leave it out")


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
