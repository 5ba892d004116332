import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from targets import page_app
from targets.flights import COLUMNS, iter_all_rows
from targets.page_app import Flight, app, clock, day, delay

STREAMS = [
    "/page/template?",
    *(f"/page/buffered?n={events}&" for events in (2, 5, 50, 500, 5_000)),
]


def chunks(url: str) -> list[bytes]:
    """The body as the app yields it, chunk by chunk."""
    answer = app.test_client().get(url, buffered=False)
    assert answer.status_code == 200
    return list(answer.iter_encoded())


@pytest.mark.parametrize("total", [0, 1, 7, 300])
@pytest.mark.parametrize("form", STREAMS)
def test_every_stream_sends_the_bytes_of_the_whole_page(form: str, total: int) -> None:
    whole = app.test_client().get(f"/page?total={total}").data
    assert b"".join(chunks(f"{form}total={total}")) == whole


@pytest.mark.parametrize("form", ["/page?", *STREAMS])
def test_a_response_is_html_and_only_the_whole_one_knows_its_length(form: str) -> None:
    with app.test_client().get(f"{form}total=10", buffered=False) as answer:
        assert answer.content_type == "text/html; charset=utf-8"
        assert ("Content-Length" in answer.headers) == (form == "/page?")


def test_2_000_rows_unless_asked_for() -> None:
    assert app.test_client().get("/page").text.count("<tr><td>2013-") == 2_000
    assert b"".join(chunks("/page/buffered")) == app.test_client().get("/page").data


@pytest.mark.parametrize("events", [2, 5, 50, 5_000])
def test_a_buffered_chunk_holds_the_events_asked_for(events: int) -> None:
    single = [event for event in chunks("/page/template?total=100") if event]
    joined = [b"".join(single[i : i + events]) for i in range(0, len(single), events)]
    assert chunks(f"/page/buffered?n={events}&total=100") == joined


def test_5_events_are_the_default() -> None:
    assert chunks("/page/buffered?total=100") == chunks("/page/buffered?n=5&total=100")


def test_five_events_are_about_half_a_row() -> None:
    """DESIGN.md: 51 bytes. A template that gathers its cells would make rows of few events."""
    rows = 1_000
    one = chunks("/page/template?total=1")
    many = chunks(f"/page/template?total={1 + rows}")
    events_a_row = (len(many) - len(one)) / rows
    bytes_a_row = (sum(map(len, many)) - sum(map(len, one))) / rows
    assert events_a_row == 11
    assert 50 < 5 * bytes_a_row / events_a_row < 52


def test_events_come_while_rows_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def rows(total: int) -> Iterator[tuple[str, ...]]:
        for row in iter_all_rows(total):
            taken.append(row)
            yield row

    monkeypatch.setattr(page_app, "iter_all_rows", rows)
    for url in ("/page/template", "/page/buffered?n=50"):
        taken.clear()
        with app.test_client().get(url, buffered=False) as answer:
            body = b""
            for chunk in answer.iter_encoded():
                body += chunk
                if b"</tr>" in body.partition(b"<tbody>")[2]:
                    break
        assert 1 <= len(taken) <= 5


class Table(HTMLParser):
    """The cells of each body row, and the text of the foot."""

    def __init__(self) -> None:
        super().__init__()
        self.path: list[str] = []
        self.rows: list[list[str]] = []
        self.foot = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.path.append(tag)
        if tag == "tr" and "tbody" in self.path:
            self.rows.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.path.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.path[-1:] == ["td"]:
            if "tbody" in self.path:
                self.rows[-1].append(data)
            else:
                self.foot += data


def parsed(html: str) -> Table:
    table = Table()
    table.feed(html)
    table.close()
    assert table.path == []
    return table


def test_the_page_is_a_well_formed_table_of_the_flights() -> None:
    page = app.test_client().get("/page?total=1000").text
    table = parsed(page)
    assert table.rows[0] == ["2013-01-01", "UA 1545", "EWR → IAH", "05:17", "+2 min"]
    assert len(table.rows) == 1_000
    cancelled = next(row for row in table.rows if row[3] == "NA")
    assert cancelled[4] == "NA"
    assert table.foot == "1000 flights"
    assert page.startswith("<!doctype html>")
    assert re.search(r"<title>Departures .*<style>.*<caption>.*<thead>.*<tbody>", page, re.DOTALL)


@pytest.mark.parametrize("url", ["/page", *STREAMS])
def test_cells_are_escaped(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nasty = dict.fromkeys(COLUMNS, "1") | {"carrier": '<script>"&', "dest": "<b>"}
    monkeypatch.setattr(page_app, "iter_all_rows", lambda _total: iter([tuple(nasty.values())]))
    page = app.test_client().get(url).text
    assert "&lt;script&gt;&#34;&amp; 1" in page
    assert "1 → &lt;b&gt;" in page
    assert "<script>" not in page


def test_a_flight_has_the_columns_of_the_source() -> None:
    assert Flight._fields == COLUMNS


@pytest.mark.parametrize(
    ("time", "shown"), [("517", "05:17"), ("5", "00:05"), ("2400", "24:00"), ("NA", "NA")]
)
def test_clock(time: str, shown: str) -> None:
    assert clock(time) == shown


@pytest.mark.parametrize(
    ("minutes", "shown"), [("2", "+2 min"), ("-10", "-10 min"), ("0", "+0 min"), ("NA", "NA")]
)
def test_delay(minutes: str, shown: str) -> None:
    assert delay(minutes) == shown


def test_day() -> None:
    fields = dict.fromkeys(COLUMNS, "") | {"year": "2013", "month": "9", "day": "30"}
    assert day(Flight(**fields)) == "2013-09-30"
