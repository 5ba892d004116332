"""The command line: one module a verb, imported only when its verb is called."""

from __future__ import annotations

import importlib
import os
import sys
from importlib import metadata

import click

from results.errors import ExitCode, StreamgaugeError

#: Each verb is the module of its name in this folder, which holds a command named ``command``.
VERBS = {
    "run": "Measure a suite and say what is best.",
    "plan": "Show what would be measured; start nothing.",
    "list": "List suites, servers and stored runs.",
    "show": "Show what a stored run holds.",
}


class _LazyVerbs(click.Group):
    """Knows its verbs' names and lines of help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"{__name__}.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"streamgauge {metadata.version('streamgauge')}")
        ctx.exit()


@click.group(cls=_LazyVerbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Measure streamed HTTP responses: time to first byte, throughput, peak memory.

    Exit codes: 0 good, 1 a gate says worse, 2 wrong usage or suite file, 3 the measurement failed or is
    invalid, 130 interrupted (finished trials are kept).
    """


def main(words: list[str] | None = None) -> int:
    """Run the command line and return its exit code; the console script ends the process with it."""
    given = sys.argv[1:] if words is None else words
    try:
        code = cli.main(args=given, prog_name="streamgauge", standalone_mode=False)
        return int(code or 0)
    except StreamgaugeError as error:
        if "--debug" in given:
            raise
        click.echo(f"streamgauge: {error}", err=True)
        return error.exit_code
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.Abort:
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except BrokenPipeError:
        # Whoever read our output has seen enough (| head); Python must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.GOOD
