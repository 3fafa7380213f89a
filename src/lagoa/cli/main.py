"""The `lagoa` command: finds the subcommand, loads only that one, and turns every error into words and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn, TextIO

import click

from lagoa import __version__
from lagoa.cli import screen
from lagoa.cli.settings import Settings, everywhere
from lagoa.errors import CommandError, LagoaError, did_you_mean

COMMANDS = {
    "init": "Make a project: a small shop, or another example.",
    "validate": "Check every file of the project without touching the lake.",
    "plan": "Say what a run would do and why. Writes nothing.",
    "run": "Bring the lake up to date.",
    "test": "Test models: given rows in, expected rows out.",
    "query": "Ask the tables in SQL.",
    "show": "Show the project, a table, or what runs did.",
    "diff": "Compare a table between targets or versions.",
    "restore": "Put a table back to an earlier version.",
    "maintain": "Compact small files and remove what no version needs.",
    "doctor": "Look for damage. Changes nothing.",
}
"""The commands in the order in which a newcomer meets them, with their first line of help."""

FAILED, WRONG, INTERRUPTED = 1, 2, 130
"""What the process ends with: your data or a step failed; the project or the command is wrong; Ctrl-C."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's own signature
        """List the commands in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"lagoa.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is an error that names the closest."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            hint = did_you_mean(args[0], COMMANDS) or "`lagoa --help` lists the commands"
            raise CommandError("LG-601", f"there is no command `{args[0]}`", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as above
        """Write the list of commands from COMMANDS, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with:  lagoa init shop && cd shop && lagoa run",
)
@click.version_option(__version__, "--version", message="lagoa %(version)s")
@everywhere
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A lakehouse in a folder of plain files: plan it, run it, ask it."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 your data or a step failed, 2 the project or the command is wrong."""
    _never_fail_to_print(sys.stdout, sys.stderr)
    settings = Settings()
    try:
        code = invoke(list(sys.argv[1:] if args is None else args), settings)
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read our output has seen enough; without this Python complains again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    sys.exit(code)


def invoke(args: list[str], settings: Settings) -> int:
    """Run the command line; return the exit code after saying what went wrong."""
    try:
        found = cli.main(args, prog_name="lagoa", standalone_mode=False, obj=settings)
        return found if isinstance(found, int) else 0
    except LagoaError as error:
        return _told(error, settings)
    except click.ClickException as error:
        return _told(_as_ours(error), settings)
    except (KeyboardInterrupt, click.Abort):
        screen.error_line("stopped")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  # the last resort: no stack trace reaches a user who did not ask for it
        return _told(_as_bug(error, settings), settings)


def _told(error: LagoaError, settings: Settings) -> int:
    screen.show_error(error, settings)
    if settings.debug:
        screen.error_line(settings.redact("".join(traceback.format_exception(error))))
    return error.exit


def _as_ours(error: click.ClickException) -> LagoaError:
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path} --help" if context else "lagoa --help"
    message = error.format_message().strip()
    if isinstance(error, click.NoSuchOption):
        message, possible = f"there is no option `{error.option_name}`", error.possibilities or []
        hint = f"did you mean `{possible[0]}`?" if possible else hint
    return CommandError("LG-601", message[:1].lower() + message[1:].rstrip("."), hint=hint)


def _as_bug(error: Exception, settings: Settings) -> LagoaError:
    said = settings.redact(f"{type(error).__name__}: {error}".splitlines()[0])
    bug = LagoaError(
        "LG-605", f"Lagoa failed where it should not: {said}", hint="the same command with --debug shows where"
    )
    bug.__cause__ = error
    return bug


def _never_fail_to_print(*streams: TextIO) -> None:
    for stream in streams:
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
