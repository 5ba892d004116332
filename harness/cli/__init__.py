"""The command line: one module a verb, imported only when its verb is called."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from importlib import metadata
from typing import cast

import click

from harness.cli.interrupts import end_at_once
from harness.cli.streams import discard_output, what_cannot_be_written, write_anything
from results.errors import ExitCode, StreamgaugeError

#: By which click knows that a shell asks for words.
VARIABLE = "_STREAMGAUGE_COMPLETE"
#: Each verb is the module of its name in this folder, which holds a command named ``command``.
VERBS = {
    "init": "Write a suite for an app, and ask it once each way.",
    "run": "Measure a suite and say what is best.",
    "ab": "Measure two git revisions of an app against each other, and gate the change.",
    "worker": "Make load for a run on another machine.",
    "plan": "Show what would be measured; start nothing.",
    "calibrate": "Measure the client's own error on this machine.",
    "doctor": "Say whether a response streams, and which layer holds it back.",
    "conform": "Ask servers how they treat streams.",
    "list": "List suites, servers and stored runs.",
    "show": "Show what a stored run holds.",
    "report": "Write the report on a stored run.",
    "export": "Write what a stored run found for other programs.",
    "compare": "Compare two stored runs, case by case.",
    "history": "Show ratios over many stored runs.",
    "completion": "Print what makes a shell complete words.",
}


class _LazyVerbs(click.Group):
    """Knows its verbs' names and lines of help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        if ctx.resilient_parsing:  # a shell asks for words, and does not want to wait for what runs them
            words = importlib.import_module(f"{__name__}.words")
            return cast("click.Command", words.declared(cmd_name, VERBS[cmd_name]))
        command = importlib.import_module(f"{__name__}.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not ctx.resilient_parsing and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"there is no verb {args[0]!r}; verbs are {', '.join(VERBS)}")
        return super().resolve_command(ctx, args)

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
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def cli() -> None:
    """Measure streamed HTTP responses: time to first byte, throughput, peak memory.

    Exit codes: 0 good, 1 a gate or a comparison says worse, 2 wrong usage or suite file, 3 the measurement
    failed or is invalid, 4 undecided under --strict, 130 interrupted (finished trials are kept).
    """


def main(words: list[str] | None = None) -> int:
    """Run the command line and return its exit code; the console script ends the process with it."""
    given = sys.argv[1:] if words is None else words
    debug = "--debug" in given  # wherever it stands: it is added to words that went wrong
    given = [word for word in given if word != "--debug"]
    write_anything()
    end_at_once()
    if VARIABLE in os.environ:  # a shell asks for words
        importlib.import_module(f"{__name__}.completion")
    try:
        code = cli.main(args=given, prog_name="streamgauge", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except (SystemExit, BrokenPipeError):
        # Click ends a closed pipe with code 1, which is the gate's word for "worse". Whoever read our
        # output has seen enough (| head).
        discard_output()
        return ExitCode.GOOD
    except (click.Abort, KeyboardInterrupt):
        click.echo("streamgauge: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  - whatever it is, Python's exit code 1 would mean "worse"
        return _told(error, debug=debug)


def _told(error: Exception, *, debug: bool) -> ExitCode:
    """Tell the error and return its exit code."""
    if debug:
        traceback.print_exception(error)
    if isinstance(error, click.exceptions.Exit):
        return ExitCode(error.exit_code)
    if isinstance(error, click.ClickException):
        error.show()
        return ExitCode.USAGE
    text = f"streamgauge: {error}"
    if isinstance(error, OSError) and (told := what_cannot_be_written(error)):
        discard_output()
        text = f"streamgauge: {told}"
    elif not isinstance(error, StreamgaugeError):
        text = (
            f"streamgauge: unexpected {type(error).__name__}: {error}. This is a fault of streamgauge; "
            "please report it with what --debug shows"
        )
    with contextlib.suppress(OSError):  # standard error may be what is broken
        click.echo(text, err=True)
    return error.exit_code if isinstance(error, StreamgaugeError) else ExitCode.INVALID
