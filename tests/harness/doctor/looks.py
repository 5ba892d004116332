"""What a test wants looked at, and several of these at once: the doctor sleeps for most of its time."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from analysis.doctor.findings import Diagnosis
from analysis.doctor.inside_report import layers_inside
from harness.doctor.examine import examine
from harness.doctor.inside import look_inside
from harness.doctor.subject import Subject, tools
from harness.servers.words import kind_and_options
from harness.suites.matrix import PlannedCase, cases_of
from harness.suites.suite import Suite

#: Of two cores; each look uses a tenth of one.
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Look:
    """An app of the breakers' folder, looked at from inside only."""

    app: str
    path: str = "/rows"
    longest_s: float = 3.0

    def diagnosis(self, folder: Path) -> Diagnosis:
        """What was found. Raises MeasurementError."""
        with tools() as at_hand:
            report = look_inside(
                Subject(planned(folder, self.app, self.path), longest_s=self.longest_s), at_hand
            )
        return Diagnosis(self.app, tuple(layers_inside(report)))


@dataclass(frozen=True, slots=True)
class Exam:
    """The whole bisection; servers and proxies are words of the command line."""

    app: str = "shop:app"
    path: str = "/rows"
    server: str = "gunicorn"
    proxy: str | None = None
    command: str | None = None
    proxy_command: str | None = None

    def diagnosis(self, folder: Path) -> Diagnosis:
        """What was found. Raises MeasurementError."""
        case = planned(folder, self.app, self.path, self.server, self.proxy)
        subject = Subject(case, self.command, self.proxy_command, longest_s=5.0)
        with tools() as at_hand:
            return examine(self.app, subject, at_hand, lambda _: None)


def planned(
    folder: Path, app: str, path: str, server: str = "gunicorn", proxy: str | None = None
) -> PlannedCase:
    """The streamed case of a suite that says this."""
    suite = {
        "name": "doctor",
        "target": [{"name": "r", "app": app, "directory": str(folder), "stream": path, "baseline": "join"}],
        "server": [table(server)],
        "scenario": [{"kind": "download"}],
        **({} if proxy is None else {"proxy": [table(proxy)]}),
    }
    return next(item for item in cases_of(Suite.model_validate(suite)) if not item.case.is_baseline)


def table(word: str) -> dict[str, object]:
    """``gunicorn/gthread`` as the table of a suite."""
    kind, options = kind_and_options(word)
    return {"kind": kind, **options}


@dataclass(slots=True)
class Looked:
    """The results, as tests ask for them; what is known beforehand is begun beforehand."""

    folder: Path
    pool: ThreadPoolExecutor
    results: dict[Look | Exam, Future[Diagnosis]] = field(default_factory=dict)

    def begin(self, look: Look | Exam) -> Future[Diagnosis]:
        """Have it looked at, once."""
        if look not in self.results:
            self.results[look] = self.pool.submit(look.diagnosis, self.folder)
        return self.results[look]

    def __call__(self, look: Look | Exam) -> Diagnosis:
        """What was found. Raises MeasurementError."""
        return self.begin(look).result()
