"""How exact the first byte's instant is: by kernel stamp, by event loop, and in Locust's own figure.

The truth is the reference server's own (`targets.reference_server`), on another core. The load runs in
`tests.bench.clock_load`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.table import amount
from analysis.trial.calibration import joined
from harness.loading.merging import corrected
from harness.loading.reference import ReferenceServer, reference
from harness.programs.cores import Cores, split_cores
from harness.programs.processes import Processes, own_environment
from harness.trials.calibrate import SCHEDULES, Schedule
from results.calibration import Answers, ServerTruth
from results.metrics import Unit
from results.records import COLUMN, unpack_requests
from tests.bench.tables import parser, publish, table

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 3
SECONDS = 3.0
#: The share of the time before the connections are made and all users are under way.
WARMUP = 0.2
COMPANION_US = 2000
WORK_US = {20: 500, 100: 100}
#: What was asked of the kernel stamps, at the median.
TARGETS_NS = {(1, False): 0.1e6, (100, True): 0.5e6}
COLUMNS = ("kernel stamp", "event loop", "Locust's figure")

CAPTION = f"""Error of TTFB against the reference server's own truth: median / p95 / p99 over the requests of
{{how}}, ours and Locust's in turn, without the first {WARMUP:.0%} of each. The first byte is sent 10 ms after
the request was read; where the server keeps on sending, {SCHEDULES[Answers.ON].chunks - 1} more pieces
follow, 1 ms apart.

- *Busy*: a single user has a companion greenlet that holds the loop {COMPANION_US / 1000:g} ms at a time.
  Of several users, each works after each response, {WORK_US[20] / 1000:g} ms with 20 users and
  {WORK_US[100] / 1000:g} ms with 100: together 10 ms for each response of each.
- *Kernel stamp* and *event loop*: the same requests, by the stamp of the arrival and by the clock after the
  read.
- *Locust's figure*: `response_time` of FastHttpUser's client with `stream=True`, against the server's time
  from the request to the first byte; the request's way to the server is in it.
- *Requests* and the share of a *core*: ours, and Locust's."""

Errors = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Setting:
    """So many users, on a loop that is idle between responses or never, on one kind of server."""

    users: int
    busy: bool
    answers: Answers

    @property
    def load(self) -> str:
        """The users and their loop, in words."""
        return f"{self.users}, {'busy' if self.busy else 'idle'}"

    @property
    def server(self) -> str:
        """The server, in words."""
        return "answers once" if self.answers is Answers.ONCE else "keeps on sending"

    @property
    def schedule(self) -> Schedule:
        """How the server answers."""
        return SCHEDULES[self.answers]

    @property
    def work_us(self) -> int:
        """How long each of several users works after each response."""
        return WORK_US[self.users] if self.busy and self.users > 1 else 0

    @property
    def companion_us(self) -> int:
        """What keeps the loop of a single user busy."""
        return COMPANION_US if self.busy and self.users == 1 else 0


@dataclass(slots=True)
class Found:
    """The errors (ns) of all rounds by column, and the share of a core that each client used."""

    errors: dict[str, list[Errors]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    cpu: dict[str, list[float]] = field(default_factory=lambda: {"timed": [], "locust": []})


@dataclass(frozen=True, slots=True)
class Bench:
    """One reference server, and loads that run against it one after another."""

    processes: Processes
    server: ReferenceServer
    folder: Path
    cores: Cores
    seconds: float

    def measure(self, setting: Setting, found: Found) -> None:
        """One round of a setting: ours, then Locust's."""
        message, packed = self._load(setting, "timed")
        requests = corrected(unpack_requests(bytearray(packed)), message)
        truth = self.server.truth()
        ours, order = joined(requests, truth)
        kept = counted(truth)[order]
        before = truth.first_before_ns[order]
        first, lag = ours[:, COLUMN["first_body_ns"]], ours[:, COLUMN["client_lag_ns"]]
        found.errors["kernel stamp"].append(np.abs(first - before)[kept])
        found.errors["event loop"].append(np.abs(first + np.maximum(lag, 0) - before)[kept])
        found.cpu["timed"].append(message["cpu"])

        message, packed = self._load(setting, "locust")
        truth = self.server.truth()
        kept = counted(truth)
        found.errors["Locust's figure"].append(
            np.abs(locust_times_ns(packed, truth) - own_times_ns(truth))[kept]
        )
        found.cpu["locust"].append(message["cpu"])

    def _load(self, setting: Setting, client: str) -> tuple[dict[str, Any], bytes]:
        output = self.folder / "records"
        load = {
            "client": client,
            "port": self.server.port,
            "path": setting.schedule.path,
            "users": setting.users,
            "seconds": self.seconds,
            "work_us": setting.work_us,
            "companion_us": setting.companion_us,
            "body": setting.schedule.body.decode(),
            "output": str(output),
        }
        child = self.processes.start(
            [sys.executable, "-m", "tests.bench.clock_load", json.dumps(load)],
            cwd=ROOT,
            env=own_environment(),
            output=self.folder / "load.log",
            cpus=self.cores.load,
        )
        code = child.wait(60 + 2 * self.seconds)
        child.stop()
        if code != 0:
            raise SystemExit(f"the load of {setting} ended with {code}:\n{child.output_tail()}")
        line, _, packed = output.read_bytes().partition(b"\n")
        return json.loads(line), packed


def counted(truth: ServerTruth) -> npt.NDArray[np.bool_]:
    """The requests after the warm-up."""
    begun, ended = truth.received_ns.min(), truth.received_ns.max()
    after: npt.NDArray[np.bool_] = truth.received_ns >= begun + WARMUP * (ended - begun)
    return after


def own_times_ns(truth: ServerTruth) -> Errors:
    """How long the server took from the request to its first byte."""
    times: Errors = truth.first_before_ns - truth.received_ns
    return times


def locust_times_ns(packed: bytes, truth: ServerTruth) -> Errors:
    """Locust's response times in the order of the truth. Raises SystemExit where the requests differ."""
    rows = np.frombuffer(packed, dtype="<i8").reshape(-1, 3)
    times = {(port, turn): time for port, turn, time in rows.tolist()}
    keys = list(zip(truth.connection.tolist(), truth.turn.tolist(), strict=True))
    if not len(rows) == len(times) == len(keys) or set(times) != set(keys):
        raise SystemExit(f"Locust told of {len(rows)} requests, the server answered {len(keys)}")
    return np.array([times[key] for key in keys], dtype=np.int64)


def settings(smoke: bool) -> Sequence[Setting]:
    """All that is measured, in the order of the table."""
    if smoke:
        return [Setting(1, False, Answers.ONCE), Setting(20, True, Answers.ON)]
    loads = [(1, False), (1, True), (20, True), (100, True)]
    return [Setting(users, busy, answers) for answers in Answers for users, busy in loads]


def report(results: dict[Setting, Found], rounds: int, seconds: float) -> str:
    """The table, and the targets beside what was reached."""
    rows = []
    for setting, found in results.items():
        pooled = {name: np.concatenate(found.errors[name]) for name in COLUMNS}
        rows.append(
            [
                setting.load,
                setting.server,
                *(_three(pooled[name]) for name in COLUMNS),
                f"{len(pooled['kernel stamp']):,} and {len(pooled[COLUMNS[2]]):,}",
                f"{np.median(found.cpu['timed']):.0%} and {np.median(found.cpu['locust']):.0%}",
            ]
        )
    headings = ("users, loop", "server", *COLUMNS, "requests", "core")
    how = f"{rounds} round{'s' if rounds > 1 else ''} of {seconds:g} s"
    return "\n".join([CAPTION.format(how=how), "", table(headings, rows), "", *targets(results)])


def targets(results: dict[Setting, Found]) -> list[str]:
    """A line for each target that these settings speak of."""
    lines = []
    for setting, found in results.items():
        target_ns = TARGETS_NS.get((setting.users, setting.busy))
        if target_ns is not None:
            median = float(np.median(np.concatenate(found.errors["kernel stamp"])))
            lines.append(
                f"- Target, {setting.load}, {setting.server}: kernel stamp under "
                f"{amount(target_ns, Unit.NANOSECONDS)} at the median; {amount(median, Unit.NANOSECONDS)}: "
                f"{'reached' if median < target_ns else 'missed'}."
            )
    return lines


def _three(errors: Errors) -> str:
    return " / ".join(
        amount(float(value), Unit.NANOSECONDS) for value in np.quantile(errors, (0.5, 0.95, 0.99))
    )


def main() -> None:
    """Measure and print."""
    options = parser(__doc__ or "").parse_args()
    rounds, seconds = (1, 0.6) if options.smoke else (ROUNDS, SECONDS)
    results = {setting: Found() for setting in settings(options.smoke)}
    cores = split_cores()
    with (
        tempfile.TemporaryDirectory(prefix="clock-") as made,
        Processes() as processes,
        reference(processes, Path(made), cores.server) as server,
    ):
        bench = Bench(processes, server, Path(made), cores, seconds)
        for _ in range(rounds):
            for setting, found in results.items():
                bench.measure(setting, found)
    publish("clock", report(results, rounds, seconds), write=options.write)


if __name__ == "__main__":
    main()
