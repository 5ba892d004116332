"""A rehearsal: each different response is asked once, and a short load says what would spoil a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from harness.conduct import serving_group
from harness.loading.load import Fetched, LoadDriver
from harness.programs.processes import StartError
from harness.servers.prepare import PrepareFailed, check_interpreters, prepare
from harness.servers.serving import RunningServer, ServerFailed
from harness.suites.matrix import PlannedCase
from harness.suites.target import Target
from harness.suites.variables import check_variables
from harness.trials.validity import failures
from harness.trials.verify import Group, Problem, address_of, groups_of, verify_group
from harness.trials.workshop import Workshop
from results.errors import MeasurementError
from results.records import COLUMN, LoadRecord, Outcome, Verification
from results.sides import Side
from scenarios.specification import Address, Download, FetchSpecification, TrialSpecification

#: The short load: long enough to tell how long a warm response takes and what it costs the load driver.
_WARMUP_S = 0.2
_WINDOW_S = 0.5
#: A response that takes longer is not asked for again: it keeps no load driver busy.
_LONGEST_LOADED_S = 2.0
#: A trial counts up to 90% of the load driver's core; a short load may be off by some of that.
BUSY_CLIENT_CPU = 0.85
#: Between this and that one short load does not decide: it is repeated, and the largest share counts.
_NEAR_BUSY = 0.6
_MOST_LOADS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one different response.

    ``took_s`` is its duration in seconds: the median under the short load, or of the one time that it was
    asked. ``client_cpu`` is the share (0 to 1) of its core that the load driver needs, null without a load.
    """

    planned: PlannedCase
    found: Verification
    took_s: float
    client_cpu: float | None = None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of a rehearsal: the answers in the suite's order, and what is not as it must be.

    What was not asked, because another response of its target has no end, has no answer.
    """

    answers: Sequence[Answer]
    problems: Sequence[Problem]


class NotServed(MeasurementError):  # noqa: N818  - named for what happened
    """A target that could not be prepared or served, and its keys that decide it.

    ``server`` is the kind whose table does, null where none does.
    """

    def __init__(
        self, error: MeasurementError, target: Target, *keys: str, server: str | None = None
    ) -> None:
        super().__init__(str(error))
        self.target = target
        self.keys = keys
        self.server = server


def rehearse(
    cases: Sequence[PlannedCase], shop: Workshop, begin: Callable[[Side | None, Sequence[str]], None]
) -> Rehearsed:
    """Prepare, serve and ask as a run does; ``begin`` is told of each ``prepare``.

    Where all is as it must be, one user then loads the whole form and the stream in the smallest chunks, for
    less than a second each, near the limit up to three times; the next larger ones only while these are too
    much for the load driver.

    Raises UsageError for variables that are not set, NotServed, LoadFailed.
    """
    check_variables(cases)
    different = list(_different(cases))
    _prepare(different, shop, begin)
    answers: dict[str, Answer] = {}
    problems: list[Problem] = []
    for group in groups_of(different):
        try:
            with serving_group(group, None, shop) as servers:
                found, wrong = _asked(group, servers, shop)
                if not wrong:
                    loaded, wrong = _loaded_in_turn(list(found.values()), servers, shop.driver)
                    found |= loaded
        except ServerFailed as error:
            raise NotServed(error, group.cases[0].target, *error.keys) from error
        except StartError as error:
            raise NotServed(error, group.cases[0].target, "command", "python") from error
        answers |= found
        problems += wrong
    asked = [answers[planned.case.identity] for planned in different if planned.case.identity in answers]
    return Rehearsed(asked, problems)


def _prepare(
    cases: Sequence[PlannedCase], shop: Workshop, begin: Callable[[Side | None, Sequence[str]], None]
) -> None:
    """What a run does before it starts a server, case by case."""
    done: set[object] = set()
    for planned in cases:
        target = planned.target
        new = [planned] if (target.directory, target.prepare) not in done else []
        done.add((target.directory, target.prepare))
        try:
            prepare(None, new, shop.processes, shop.folder, begin, lambda _: None)
            check_interpreters(None, [planned], shop.processes, shop.folder)
        except PrepareFailed as error:
            raise NotServed(error, target, *error.keys, server=error.server) from error


def _loaded_in_turn(
    answers: Sequence[Answer], servers: Mapping[bool, RunningServer], driver: LoadDriver
) -> tuple[dict[str, Answer], list[Problem]]:
    """The answers that are loaded, by identity: up to the first stream that is not too fine."""
    found: dict[str, Answer] = {}
    problems: list[Problem] = []
    for answer in _to_load(answers):
        loaded, failed = _loaded(answer, servers[answer.planned.joined], driver)
        found[answer.planned.case.identity] = loaded
        problems += failed
        if not too_fine(loaded) and not answer.planned.case.is_baseline:
            break
    return found, problems


def _different(cases: Sequence[PlannedCase]) -> Iterator[PlannedCase]:
    """The cases under the first load: others get the same responses."""
    first = cases[0]
    for planned in cases:
        if (planned.load, planned.keep_alive) == (first.load, first.keep_alive):
            yield planned


@dataclass(slots=True)
class _Timed:
    """Asks as the load driver does, and keeps how long each address took, in seconds."""

    driver: LoadDriver
    took_s: dict[Address, float] = field(default_factory=dict)

    def fetch(self, specification: FetchSpecification) -> Fetched:
        """What came."""
        begun = time.monotonic()
        found = self.driver.fetch(specification)
        self.took_s[specification.address] = time.monotonic() - begun
        return found


def _asked(
    group: Group, servers: Mapping[bool, RunningServer], shop: Workshop
) -> tuple[dict[str, Answer], list[Problem]]:
    """Each case of the group, asked once, by identity; and what is wrong with them."""
    timed = _Timed(shop.driver)
    found: dict[str, Verification] = {}
    problems = verify_group(group, servers, timed, shop.folder, found.__setitem__)
    answers = {}
    for planned in group.cases:
        if planned.case.identity not in found:
            continue  # another one of its target had no end
        server = servers[planned.joined]
        address = address_of(planned, server.port, server.host)
        identity = planned.case.identity
        answers[identity] = Answer(planned, found[identity], timed.took_s[address])
    return answers, problems


def _to_load(answers: Sequence[Answer]) -> list[Answer]:
    """The whole form that is largest, then the streams, those in the smallest chunks first."""
    timed = [
        answer
        for answer in answers
        if not answer.planned.case.expect_failure and answer.took_s <= _LONGEST_LOADED_S
    ]
    wholes = [answer for answer in timed if answer.planned.case.is_baseline]
    streams = [answer for answer in timed if not answer.planned.case.is_baseline]
    largest = sorted(wholes, key=lambda answer: answer.found.body_bytes)[-1:]
    return largest + sorted(streams, key=_chunk_bytes)


def _chunk_bytes(answer: Answer) -> int:
    return answer.found.median_chunk_bytes or answer.found.body_bytes


def _loaded(answer: Answer, server: RunningServer, driver: LoadDriver) -> tuple[Answer, list[Problem]]:
    """The answer with its warm duration and what it costs the load driver; and what failed.

    Near the limit it is loaded again: a machine that others use too shows a share that is too small.
    """
    planned, found = answer.planned, answer.found
    assert found.status is not None  # noqa: S101  - verify lets no other answer through
    specification = TrialSpecification(
        address=address_of(planned, server.port, server.host),
        name=planned.case.identity,
        load=Download(1),
        warmup_s=_WARMUP_S,
        window_s=_WINDOW_S,
        status=found.status,
        body_bytes=found.body_bytes,
        digest=int(found.digest, 16) if planned.target.check == "bytes" else None,
        row_marker=planned.target.row_marker,
    )
    took_s, shares = [], []
    for _ in range(_MOST_LOADS):
        load = driver.run(specification)
        failed = failures(load)
        if failed is not None:
            what = f"asked once it was right, asked again it was not: {failed}"
            return answer, [Problem(planned.case.identity, what, ("check", "stream"))]
        took_s.append(float(np.median(_durations_ns(load))) / 1e9)
        shares.append(client_share(load))
        if not _NEAR_BUSY < max(shares) <= BUSY_CLIENT_CPU:
            break
    return replace(answer, took_s=min(took_s), client_cpu=max(shares)), []


def client_share(load: LoadRecord) -> float:
    """The share (0 to 1) of its core that the load driver used, or would use were the machine its alone.

    The larger one of its CPU time over the window, and of its CPU time for a response over the median
    response's duration: where others slow down some of the responses, only the first one falls. ``load`` is
    one user's, all of it verified.
    """
    used = load.client_cpu_ns / load.client_wall_ns
    begun, ended = (load.requests[:, COLUMN[name]] for name in ("sent_ns", "last_ns"))
    inside_ns = np.minimum(ended, load.window_close_ns) - np.maximum(begun, load.window_open_ns)
    responses = float(np.sum(np.clip(inside_ns, 0, None) / (ended - begun)))
    if not responses:
        return used
    return max(used, min(1.0, load.client_cpu_ns / responses / float(np.median(_durations_ns(load)))))


def _durations_ns(load: LoadRecord) -> npt.NDArray[np.int64]:
    verified = load.requests[load.requests[:, COLUMN["outcome"]] == Outcome.VERIFIED]
    durations: npt.NDArray[np.int64] = verified[:, COLUMN["last_ns"]] - verified[:, COLUMN["sent_ns"]]
    return durations


def too_fine(answer: Answer) -> bool:
    """Whether its chunks come faster than the load driver can take them."""
    return answer.client_cpu is not None and answer.client_cpu > BUSY_CLIENT_CPU
