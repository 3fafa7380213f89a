"""`lagoa doctor`: looks at project and lake for damage; it changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from lagoa.cli import screen
from lagoa.cli.settings import Settings, as_json, everywhere, selecting, with_settings


@click.command(short_help="Look for damage. Changes nothing.")
@selecting
@click.option("--verify", is_flag=True, help="Read every byte of every live file, and compare it with its hash.")
@as_json
@everywhere
@with_settings
def command(settings: Settings, select: tuple[str, ...], exclude: tuple[str, ...], verify: bool, as_json: bool) -> int:
    """Look at the project's files and at every table of the lake, and name what is damaged or could become so.

    Also named are personal columns of which a table's log tells values: they were declared after it was built.

    Ends with 1 when there is something to mend.
    """
    with settings.open() as project:
        names = project.built(select, exclude)
        findings = project.doctor(select, exclude, deep=verify)
    if as_json:
        told = [
            {"table": str(f.table), "code": f.code, "file": str(f.path), "what": settings.redact(f.what)}
            for f in findings
        ]
        screen.out_json({"ok": not findings, "tables": len(names), "every_byte": verify, "findings": told})
        return 1 if findings else 0
    looked = "every byte read" if verify else "logs, states and file sizes looked at"
    if not findings:
        screen.out(f"{screen.some(len(names), 'table')}, no damage; {looked}.")
        more = [] if verify else [("lagoa doctor --verify", "read every byte, too")]
        screen.following(settings, *more, ("lagoa show", "what the tables hold"))
        return 0
    tables = len({f.table for f in findings})
    found = screen.some(len(findings), "thing")
    screen.out(f"{found} to mend in {tables} of {screen.some(len(names), 'table')}; {looked}.")
    for finding in findings:
        screen.out()
        screen.out(f"{screen.bold(str(finding.table))}  {finding.code} {screen.lowered(finding.code)}")
        screen.out(f"  {settings.redact(finding.what)}")
        screen.out(screen.dim(f"  {_from(project.root, finding.path)}"))
    worst = findings[0].table.guarded
    if findings[0].code == "LG-311":
        screen.following(settings, (f"lagoa run --full -s {worst}", "write it without those values"))
        return 1
    screen.following(
        settings,
        (f"lagoa show {worst}", "its versions"),
        (f"lagoa restore {worst} VERSION", "go back to one that is whole"),
        (f"lagoa run --full -s {worst}", "or build it anew"),
    )
    return 1


def _from(root: Path, path: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path
