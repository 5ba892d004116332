import json

from targets.flights import COLUMNS, iter_all_rows
from targets.flights_json import flight_json


def test_the_first_flight() -> None:
    (row,) = iter_all_rows(1)
    assert flight_json(row) == (
        '{"year":2013,"month":1,"day":1,"dep_time":517,"sched_dep_time":515,"dep_delay":2,"arr_time":830,'
        '"sched_arr_time":819,"arr_delay":11,"carrier":"UA","flight":1545,"tailnum":"N14228","origin":"EWR",'
        '"dest":"IAH","air_time":227,"distance":1400,"hour":5,"minute":15,"time_hour":"2013-01-01T10:00:00Z"}'
    )


def test_every_value_is_kept_and_what_is_missing_is_null() -> None:
    missing = 0
    for row in iter_all_rows(3_000):
        flight = json.loads(flight_json(row))
        assert tuple(flight) == COLUMNS
        assert tuple("NA" if value is None else str(value) for value in flight.values()) == row
        missing += None in flight.values()
    assert missing


def test_it_is_one_line_of_ascii_whatever_the_texts_hold() -> None:
    row = tuple("é\r\n→\u2028" if name == "tailnum" else "1" for name in COLUMNS)
    text = flight_json(row)
    assert text.isascii()
    assert text.splitlines() == [text]
    assert json.loads(text)["tailnum"] == "é\r\n→\u2028"
