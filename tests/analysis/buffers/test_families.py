"""Which cases of a run are the sizes of one buffer."""

from __future__ import annotations

import itertools

from analysis.buffers.families import families
from results.case import Case
from results.run import Run
from tests.analysis.examples import run_of
from tests.analysis.knobs import case
from tests.results.examples import BROKEN, WHOLE


def of(*cases: Case) -> Run:
    return run_of(*((one, [{}]) for one in cases))


def told(run: Run) -> dict[tuple[str, str], list[str]]:
    return {(found.label, found.knob): [size.name for size in found.sizes] for found in families(run)}


def test_one_for_each_target_server_and_load() -> None:
    run = of(
        WHOLE,
        *(
            case(target=target, rows=rows, worker_class=worker, users=users)
            for target, worker, users, rows in itertools.product(
                ("a", "b"), ("sync", "gthread"), (1, 8), (500, 1)
            )
        ),
    )
    assert told(run) == {
        (f"{target} {worker} users={users}", "rows"): ["rows=1", "rows=500"]
        for target, worker, users in itertools.product(("a", "b"), ("sync", "gthread"), (1, 8))
    }


def test_several_axes_and_forms_have_a_family_each() -> None:
    run = of(
        *(case(rows=rows, level=level) for rows, level in itertools.product((1, 500), (3, 9))),
        *(case(bytes=size) for size in (1024, 32_768)),
        *(case(form="context", rows=rows) for rows in (1, 5, 50)),
    )
    assert told(run) == {
        ("orders level=3", "rows"): ["rows=1", "rows=500"],
        ("orders level=9", "rows"): ["rows=1", "rows=500"],
        ("orders rows=1", "level"): ["level=3", "level=9"],
        ("orders rows=500", "level"): ["level=3", "level=9"],
        ("orders", "bytes"): ["bytes=1024", "bytes=32768"],
        ("orders context", "rows"): ["rows=1", "rows=5", "rows=50"],
    }


def test_one_value_words_and_settings_are_no_knobs() -> None:
    run = of(
        WHOLE,
        BROKEN,
        case(rows=1, engine="jinja"),
        case(rows=1, engine="text"),
        case(rows=1, engine="jinja", users=8, workers=4),
        case(rows=1, engine="jinja", users=2, workers=4),
    )
    assert families(run) == []


def test_the_size_of_the_response_is_no_knob() -> None:
    """Each size has its own whole form: the responses are not the same."""
    wholes = [Case({**WHOLE.parameters, "total": total}, baseline=None) for total in (100, 200)]
    streams = [
        Case({**case(rows=rows).parameters, "total": whole.parameters["total"]}, whole.identity)
        for whole, rows in itertools.product(wholes, (1, 500))
    ]
    assert told(of(*wholes, *streams)) == {
        ("orders total=100", "rows"): ["rows=1", "rows=500"],
        ("orders total=200", "rows"): ["rows=1", "rows=500"],
    }


def test_numbers_are_ordered_as_numbers() -> None:
    assert told(of(*(case(rows=rows) for rows in (50, 1000, 5)))) == {
        ("orders", "rows"): ["rows=5", "rows=50", "rows=1000"]
    }
