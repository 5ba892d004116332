"""What is said of a rehearsal: a window that holds enough, and what would spoil the run."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.advice import Advice, Line, advice, lines_of, server_line, slowest_s, window_s
from harness.rehearsal import Answer, Rehearsed
from harness.suites.matrix import PlannedCase, cases_of
from results.records import Verification
from tests.harness.examples import ORDERS, TARGET, orders, suite_of

FOUND = Verification(200, 100_000, "0" * 16, "chunked", 50, 20, 2_000, None)


def rehearsed(**changed: object) -> Rehearsed:
    """A whole form and two streams, all well but for what is changed of the streams by their rows."""
    answers = []
    for planned in orders():
        found, took_s = FOUND, 0.02
        answer = Answer(planned, found, took_s, 0.3)
        if planned.case.is_baseline:
            answer = replace(answer, found=replace(found, framing="length", chunks=None))
        answers.append(changed.get(f"rows_{planned.case.parameters.get('rows', 'whole')}", answer))
    return Rehearsed(answers, [])  # type: ignore[arg-type]


def stream(rows: int) -> PlannedCase:
    (planned,) = (item for item in orders() if item.case.parameters.get("rows") == rows)
    return planned


def doubts(rehearsed: Rehearsed, window_s: float = 1.0) -> list[Advice]:
    return advice(rehearsed, suite_of(ORDERS.replace('window = "2s"', f'window = "{window_s}s"')))


def test_nothing_is_said_where_all_is_well() -> None:
    assert doubts(rehearsed()) == []


@given(st.floats(0.0001, 250))
def test_a_window_holds_ten_of_the_slowest_and_no_half_second_less(slowest: float) -> None:
    window = window_s(slowest)
    assert window >= 10 * slowest
    assert window >= 1
    assert (window * 2).is_integer()
    assert window <= max(1, 24 * slowest + 1)


def test_the_slowest_decides() -> None:
    slow = Answer(stream(500), FOUND, 0.7)
    assert slowest_s(rehearsed(rows_500=slow)) == 0.7
    (doubt,) = doubts(rehearsed(rows_500=slow), 2.0)
    assert "orders.csv rows=500 takes 0.7 s: fewer than 10 fit into a window of 2 s" in doubt.what
    assert f"Make the window {window_s(0.7):g} s" in doubt.what
    assert "window" in doubt.keys


def test_so_little_is_told() -> None:
    little = Answer(stream(1), replace(FOUND, body_bytes=2_310), 0.001)
    (doubt,) = doubts(rehearsed(rows_1=little))
    assert "the response has 2,310 bytes" in doubt.what


def test_one_chunk_is_no_stream() -> None:
    one = replace(FOUND, chunks=1)
    (some,) = doubts(rehearsed(rows_500=Answer(stream(500), one, 0.02)))
    assert "orders.csv rows=500 came in one chunk: with that buffer it is not streamed" in some.what
    assert some.keys == ("stream", "total", "rows")
    sized = replace(FOUND, framing="length", chunks=None)
    every = rehearsed(rows_1=Answer(stream(1), sized, 0.02), rows_500=Answer(stream(500), sized, 0.02))
    (all_of_them,) = doubts(every)
    assert "rows=1 and orders.csv rows=500 came with its length" in all_of_them.what
    assert "does not stream" in all_of_them.what


def test_what_the_load_driver_cannot_take_is_told_with_what_it_can() -> None:
    fine = Answer(stream(1), replace(FOUND, median_chunk_bytes=22), 0.02, 0.97)
    (doubt,) = doubts(rehearsed(rows_1=fine))
    assert "orders.csv rows=1 (chunks of 22 bytes: 97% of its core)" in doubt.what
    assert "Leave it out: orders.csv rows=500 (chunks of 2,000 bytes) takes 30%" in doubt.what


def test_where_none_can_be_taken_a_larger_one_is_proposed() -> None:
    small = {
        rows: Answer(stream(rows), replace(FOUND, median_chunk_bytes=rows), 0.02, 0.97) for rows in (1, 500)
    }
    (doubt,) = doubts(rehearsed(rows_1=small[1], rows_500=small[500]))
    assert "Ask for larger chunks, like rows=5000, or leave them out" in doubt.what
    text = ORDERS.replace("&rows={rows}", "&rows={rows}&total={total}&sort={sort}").replace(
        "rows = [1, 500]", 'rows = [1, 2]\nsort = "up"'
    )
    planned = [item for item in cases_of(suite_of(text)) if not item.case.is_baseline]
    (doubt,) = advice(Rehearsed([Answer(item, FOUND, 0.02, 0.97) for item in planned], []), suite_of(text))
    assert "like rows=20," in doubt.what, "total changes the response, and sort is no number"


def test_lines_are_those_of_the_target() -> None:
    other = '[[target]]\nname = "other"\nstream = "/other"  # "x"\n# check = "length"  # why\n'
    text = f"{ORDERS}\n{other}\n[[gate]]\nready = 1\n"
    number = text.splitlines().index('stream = "/other"  # "x"') + 1
    assert lines_of(text, 1, ["check", "stream", "ready", "app"]) == [
        Line("check", number + 1, '# check = "length"'),
        Line("stream", number, 'stream = "/other"'),
    ]
    assert lines_of(text, 0, ["window"]) == [Line("window", 4, 'window = "2s"')]
    gunicorn = server_line(text, "gunicorn")
    assert gunicorn is not None
    assert gunicorn.text == 'kind = "gunicorn"'
    assert server_line(text, "waitress") is None
    assert lines_of(text, 0, ["app"])[0].text == 'app = "shop:app"'


def test_of_tables_with_one_name_the_one_that_is_meant_is_shown() -> None:
    """Two forms of one response share their name and their whole form."""
    other = TARGET.replace("rows=", "n=").replace("{rows}", "{n}").replace("rows = ", 'form = "n"\nn = ')
    text = ORDERS + other
    one = replace(FOUND, chunks=1)
    found = [
        Answer(planned, one if planned.case.parameters["form"] == "n" else FOUND, 0.02)
        for planned in cases_of(suite_of(text))
    ]
    (doubt,) = advice(Rehearsed(found, []), suite_of(text))
    assert doubt.target == 1
    assert [line.text for line in lines_of(text, doubt.target, doubt.keys)][-1] == "n = [1, 500]"
