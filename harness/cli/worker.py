"""``streamgauge worker``: lend this machine's load to a run on another one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from harness.cli.alone import telling_of_others
from harness.cli.checked import Duration
from harness.cli.crew import given_token
from harness.loading.crew import PORT
from harness.loading.lending import Lent, LentProcess, lend
from harness.loading.reference import reference
from harness.programs.cores import split_cores
from harness.programs.ports import parted
from harness.programs.private_folder import private_folder
from harness.programs.processes import Processes, own_environment
from results.errors import ExitCode, Interrupted, MeasurementError, UsageError
from scenarios.specification import authority_of
from scenarios.workers.settings import TOKEN_VARIABLE

_LOOK_EVERY_S = 0.1


@click.command("worker")
@click.option("--master", metavar="HOST[:PORT]", required=True, help="Where the run listens.")
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="By so many load processes."
)
@click.option(
    "--token-file", type=click.Path(path_type=Path), help=f"The run's token (default: {TOKEN_VARIABLE})."
)
@click.option(
    "--patience", type=Duration(), default="2m", show_default=True, help="End when the run is silent so long."
)
def command(master: str, processes: int, token_file: Path | None, patience: float) -> int:
    """Make load for a run on another machine, from the start of the run to its end."""
    host, port = _address(master)
    token = given_token(token_file)
    if token is None:
        raise UsageError(
            f"no token: set {TOKEN_VARIABLE} to the one that the run has told, or name a --token-file"
        )
    cores = split_cores(processes)
    with (
        telling_of_others(),
        private_folder() as folder,
        Processes(folder) as owned,
        reference(owned, folder, cores.server) as server,
    ):
        lent = Lent(host, port, token, cores.load, patience, reference_port=server.port)
        click.echo(f"lending {_counted(processes)} to the run at {authority_of(host, port)}", err=True)
        started = [
            lend(lent, number, processes=owned, folder=folder, environment=own_environment())
            for number in range(processes)
        ]
        try:
            return _followed(started)
        except KeyboardInterrupt:
            raise Interrupted(
                "interrupted; the run at the other end is a worker short, and goes on when one comes back"
            ) from None


def _followed(started: list[LentProcess]) -> int:
    """Tell what becomes of them until all have ended; the worst of their exit codes."""
    trials = dict.fromkeys((item.name for item in started), 0)
    requests = dict.fromkeys(trials, 0)
    codes: dict[str, int] = {}
    said: set[str] = set()
    while len(codes) < len(started):
        for item in started:
            ended = item.process.returncode  # first: what it told before its end is not to be missed
            for told in item.told():
                if told["event"] == "trial":
                    trials[item.name] += 1
                    requests[item.name] += told["requests"]
                else:
                    if told["event"] == "ended":
                        said.add(item.name)
                    _say(item.name, told, f"{trials[item.name]} trials, {requests[item.name]:,} requests")
            if ended is not None and item.name not in codes:
                codes[item.name] = ended
                if item.name not in said:
                    how = f"was killed (signal {-ended})" if ended < 0 else f"ended with code {ended}"
                    raise MeasurementError(
                        f"{item.name} {how}; if nobody did that on purpose, look for an out-of-memory kill "
                        f"(dmesg). Its last words:\n{item.process.output_tail()}"
                    )
        time.sleep(_LOOK_EVERY_S)
    return max(codes.values(), key=lambda code: (code != ExitCode.GOOD, code))


def _say(name: str, told: Mapping[str, Any], did: str) -> None:
    if told["event"] == "joined":
        click.echo(f"{name}: joined, as worker {told['worker']}", err=True)
    elif told["event"] == "ended":
        click.echo(f"{name}: {told['why']}; {did}", err=True)


def _counted(processes: int) -> str:
    return f"{processes} load process{'es' if processes > 1 else ''}"


def _address(given: str) -> tuple[str, int]:
    """The master's host and port. Raises UsageError."""
    try:
        return parted(given, PORT)
    except ValueError as error:
        raise UsageError(
            f"--master {given}: {error}; give a host, or HOST:PORT, as the run has told it"
        ) from error
