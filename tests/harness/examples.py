"""Suites for tests: a whole, valid one, and the cases that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.loading.crew import Crew
from harness.suites.file import parse_suite
from harness.suites.matrix import PlannedCase, cases_of
from harness.suites.suite import Suite
from results.records import Slot, TrialRecord, Verification
from results.sides import Side
from results.trace import Trace
from results.workers import Worker

HEAD = """name = "orders"
blocks = 3
warmup = "0.5s"
window = "2s"
"""
TARGET = """
[[target]]
name = "orders.csv"
app = "shop:app"
baseline = "/whole?total={total}"
stream = "/rows?total={total}&rows={rows}"
total = 100
rows = [1, 500]
"""
FAILING = """
[[target]]
name = "no-context"
app = "shop:app"
stream = "/context/{fails}"
expect = "failure"
fails = ["before", "after"]
"""
SERVER = """
[[server]]
kind = "gunicorn"
worker_class = "sync"
"""
SCENARIO = """
[[scenario]]
kind = "download"
users = 1
"""
ARRIVALS = """
[[scenario]]
kind = "arrivals"
rate = [20, 50]
spacing = ["constant", "poisson"]
"""
ORDERS = HEAD + TARGET + SERVER + SCENARIO


def suite_of(text: str, folder: Path | None = None) -> Suite:
    return parse_suite(text, "orders.toml", folder)


def orders(*, target: str = TARGET, server: str = SERVER, scenario: str = SCENARIO) -> list[PlannedCase]:
    """The cases of the suite with these tables."""
    return cases_of(suite_of(HEAD + target + server + scenario))


class Untold:
    """A watcher that keeps all to itself."""

    def preparing(self, side: Side | None, command: Sequence[str]) -> None: ...
    def repeated(self, slot: Slot, trial: TrialRecord) -> None: ...
    def extended(self, slots: int, why: str) -> None: ...
    def verifying(self, cases: int) -> None: ...
    def verified(self, planned: PlannedCase, found: Verification) -> None: ...
    def mustering(self, crew: Crew) -> None: ...
    def joined(self, worker: Worker) -> None: ...
    def left(self, workers: int | None) -> None: ...
    def doubted(self, sentence: str) -> None: ...
    def calibrating(self, users: Sequence[int]) -> None: ...
    def measuring(self, slot: Slot, planned: PlannedCase) -> None: ...
    def measured(self, slot: Slot, planned: PlannedCase, trial: TrialRecord) -> None: ...
    def tracing(self, planned: PlannedCase) -> None: ...
    def traced(self, planned: PlannedCase, trace: Trace) -> None: ...
