import pytest
from flask import Flask

from targets import context_app, csv_app, events_app, file_app, ndjson_app, page_app

BAD = [
    (csv_app.app, "/csv?total=-1", "total", "'-1'", "0 to 10000000"),
    (csv_app.app, "/csv?total=10000001", "total", "'10000001'", "0 to 10000000"),
    (csv_app.app, "/csv?total=1e3", "total", "'1e3'", "0 to 10000000"),
    (csv_app.app, "/csv?total=+5", "total", "' 5'", "0 to 10000000"),
    (csv_app.app, "/csv?total=5_0", "total", "'5_0'", "0 to 10000000"),
    (csv_app.app, "/csv?total=%EF%BC%95", "total", r"'\uff15'", "0 to 10000000"),
    (csv_app.app, "/csv?total=", "total", "''", "0 to 10000000"),
    (csv_app.app, "/csv/rows?rows=0", "rows", "'0'", "1 to 100000"),
    (csv_app.app, "/csv/rows?rows=1.5", "rows", "'1.5'", "1 to 100000"),
    (csv_app.app, "/csv/bytes?bytes=1023", "bytes", "'1023'", "1024 to 1048576"),
    (csv_app.app, "/csv/bytes?bytes=1048577", "bytes", "'1048577'", "1024 to 1048576"),
    (csv_app.app, "/csv/context?total=x", "total", "'x'", "0 to 10000000"),
    (page_app.app, "/page?total=1000001", "total", "'1000001'", "0 to 1000000"),
    (page_app.app, "/page/template?total=-1", "total", "'-1'", "0 to 1000000"),
    (page_app.app, "/page/buffered?n=1", "n", "'1'", "2 to 100000"),
    (page_app.app, "/page/buffered?n=-5", "n", "'-5'", "2 to 100000"),
    (page_app.app, "/page/buffered?n=100001", "n", "'100001'", "2 to 100000"),
    (page_app.app, "/page/buffered?n=five", "n", "'five'", "2 to 100000"),
    (context_app.app, "/context?total=x", "total", "'x'", "0 to 10000000"),
    (context_app.app, "/context/stream?total=x", "total", "'x'", "0 to 10000000"),
    (context_app.app, "/context/before?total=x", "total", "'x'", "0 to 10000000"),
    (context_app.app, "/context/after?total=x", "total", "'x'", "0 to 10000000"),
    (file_app.app, "/file?total=1000001", "total", "'1000001'", "0 to 1000000"),
    (file_app.app, "/file/send?total=-1", "total", "'-1'", "0 to 1000000"),
    (file_app.app, "/file/unconditional?total=x", "total", "'x'", "0 to 1000000"),
    (file_app.app, "/file/blocks?bytes=1023", "bytes", "'1023'", "1024 to 16777216"),
    (file_app.app, "/file/blocks?bytes=16777217", "bytes", "'16777217'", "1024 to 16777216"),
    (ndjson_app.app, "/ndjson?total=1000001", "total", "'1000001'", "0 to 1000000"),
    (ndjson_app.app, "/ndjson/rows?rows=0", "rows", "'0'", "1 to 100000"),
    (ndjson_app.app, "/ndjson/rows?rows=100001", "rows", "'100001'", "1 to 100000"),
    (events_app.app, "/events?total=1000001", "total", "'1000001'", "0 to 1000000"),
    (events_app.app, "/events/stream?events=0", "events", "'0'", "1 to 100000"),
    (events_app.app, "/events/stream?events=100001", "events", "'100001'", "1 to 100000"),
]


@pytest.mark.parametrize(("app", "url", "name", "given", "allowed"), BAD)
def test_a_bad_value_is_told_with_what_is_allowed(
    app: Flask, url: str, name: str, given: str, allowed: str
) -> None:
    answer = app.test_client().get(url)
    assert answer.status_code == 400
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text == (f"Parameter {name} is {given}: allowed is a whole number from {allowed}.\n")


@pytest.mark.parametrize(
    ("app", "url"),
    [
        (csv_app.app, "/csv?total=0"),
        (csv_app.app, "/csv/rows?rows=1&total=1"),
        (csv_app.app, "/csv/rows?rows=100000&total=1"),
        (csv_app.app, "/csv/bytes?bytes=1024&total=1"),
        (csv_app.app, "/csv/bytes?bytes=1048576&total=1"),
        (page_app.app, "/page/buffered?n=2&total=1"),
        (page_app.app, "/page/buffered?n=100000&total=1"),
        (file_app.app, "/file/blocks?bytes=1024&total=0"),
        (file_app.app, "/file/blocks?bytes=16777216&total=1"),
        (ndjson_app.app, "/ndjson/rows?rows=1&total=0"),
        (ndjson_app.app, "/ndjson/rows?rows=100000&total=1"),
        (events_app.app, "/events/stream?events=1&total=0"),
        (events_app.app, "/events/stream?events=100000&total=1"),
    ],
)
def test_the_bounds_themselves_are_allowed(app: Flask, url: str) -> None:
    with app.test_client().get(url) as answer:
        assert answer.status_code == 200


def test_a_repeated_parameter_is_refused() -> None:
    answer = csv_app.app.test_client().get("/csv/rows?rows=1&rows=500")
    assert answer.status_code == 400
    assert answer.text == "Parameter rows is given 2 times: give it once.\n"


def test_an_unknown_parameter_is_refused() -> None:
    answer = csv_app.app.test_client().get("/csv/rows?row=1")
    assert answer.status_code == 400
    assert answer.text == "Parameter 'row' is not known here: allowed are total, rows.\n"


def test_all_mistakes_are_told_at_once() -> None:
    answer = page_app.app.test_client().get("/page/buffered?n=1&total=x&size=5")
    assert answer.status_code == 400
    lines = answer.text.splitlines()
    assert [line.split()[1] for line in lines] == ["'size'", "total", "n"]


@pytest.mark.parametrize("query", ["n=" + "9" * 5_000, "9" * 5_000 + "=5"])
def test_a_long_value_is_shown_in_part(query: str) -> None:
    answer = page_app.app.test_client().get(f"/page/buffered?{query}")
    assert answer.status_code == 400
    assert "'" + "9" * 40 + "' ..." in answer.text
    assert len(answer.text) < 200


def test_what_was_given_is_escaped() -> None:
    answer = page_app.app.test_client().get("/page/buffered?n=%00%1b[2J%0d%0a%C3%A9")
    assert r"'\x00\x1b[2J\r\n\xe9'" in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
