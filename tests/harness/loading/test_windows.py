"""Windows over a line of a known rate: refused, told, or long enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.loading.line import LineFailed
from harness.loading.windows import check_sizes, few_responses
from harness.suites.matrix import PlannedCase, cases_of
from results.records import Verification
from tests.harness.examples import HEAD, SCENARIO, SERVER, TARGET, suite_of
from tests.results.examples import verification


def cases(network: str, scenario: str = SCENARIO) -> list[PlannedCase]:
    return cases_of(suite_of(HEAD + TARGET + SERVER + network + scenario))


def sized(found: list[PlannedCase], size: int, **changed: int) -> dict[str, Verification]:
    return {planned.case.identity: verification(body_bytes=size, **changed) for planned in found}


def few(network: str, size: int, window_s: float, scenario: str = SCENARIO) -> list[str]:
    found = cases(network, scenario)
    return few_responses(found, sized(found, size), window_s)


def test_a_window_that_is_too_short_for_the_line_is_refused_before_the_first_trial() -> None:
    found = cases('[[network]]\nrate = ["1 Mbit/s", "unlimited"]\n')
    sizes = {planned.case.identity: verification(body_bytes=500_000) for planned in found}
    with pytest.raises(LineFailed, match="takes at least 4 s over 1Mbit/s, and the window is 3 s") as caught:
        check_sizes(found, sizes, 3.0)
    assert "unlimited" not in str(caught.value)
    check_sizes(found, sizes, 5.0)
    hasty = [replace(item, target=item.target.model_copy(update={"timeout": 3.5})) for item in found]
    with pytest.raises(LineFailed, match=r"takes at least 4 s over 1Mbit/s, and .* a timeout of 3\.5 s"):
        check_sizes(hasty, sizes, 5.0)
    check_sizes(cases(""), {}, 1.0)


def test_a_delay_alone_can_make_a_window_too_short() -> None:
    found = cases('[[network]]\ndelay = "1s"\n')
    with pytest.raises(LineFailed, match="at least 2 s over unlimited 1000ms, and the window is 1"):
        check_sizes(found, sized(found, 10), 1.0)
    check_sizes(found, sized(found, 10), 2.5)


def test_who_hangs_up_and_who_asks_for_less_needs_less() -> None:
    found = cases('[[network]]\nrate = "1 Mbit/s"\n')
    check_sizes(found, sized(found, 5_000_000, prefix_bytes=100_000), 3.0)
    headers = {"Accept-Encoding": "gzip"}
    shrunk = [replace(item, target=item.target.model_copy(update={"headers": headers})) for item in found]
    check_sizes(shrunk, sized(found, 5_000_000), 3.0)


def test_fewer_than_ten_responses_are_told_with_the_window_for_ten() -> None:
    told = few('[[network]]\nrate = ["1 Mbit/s", "unlimited"]\n', 50_000, 3.0)  # 0.4 s each
    assert told
    assert all("line_rate=1Mbit/s" in item for item in told)
    assert all(
        "at most 7.5 responses over 1Mbit/s" in item and "10 want about 4.8 s" in item for item in told
    )
    assert few('[[network]]\nrate = "1 Mbit/s"\n', 50_000, 4.0) == []
    assert few("", 50_000, 0.1) == []
    arrivals = '[[scenario]]\nkind = "arrivals"\nrate = 5\n'
    assert "at most 7.5 responses" in few('[[network]]\nrate = "1 Mbit/s"\n', 50_000, 3.0, arrivals)[0]
    assert few('[[network]]\ndelay = "1s"\n', 50_000, 3.0, arrivals) == []
