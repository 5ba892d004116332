import csv
import io
import lzma
import os
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import pytest

from targets import flights
from targets.flights import COLUMNS, TOTAL_ROWS, FlightsError, ensure_loaded, iter_all_rows

PACKED = Path(flights.__file__).parent / "data" / "flights.csv.xz"


def source_rows() -> list[tuple[str, ...]]:
    with lzma.open(PACKED) as unpacked:
        text = io.TextIOWrapper(unpacked, encoding="utf-8", newline="")
        return [tuple(row) for row in csv.reader(text)]


def open_databases() -> int:
    """How many descriptors of this process are on the flights database."""
    path = str(ensure_loaded())
    links = Path("/proc/self/fd").iterdir()
    return sum(os.path.lexists(link) and os.path.realpath(link) == path for link in links)


def test_rows_are_the_source_in_its_order() -> None:
    header, *rows = source_rows()
    assert header == COLUMNS
    assert len(rows) == TOTAL_ROWS
    assert all(ours == theirs for ours, theirs in zip(iter_all_rows(), rows, strict=True))


@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 250])
def test_number_of_rows_is_what_was_asked_for(rows: int) -> None:
    assert sum(1 for _ in iter_all_rows(rows)) == rows


def test_past_the_end_it_starts_again() -> None:
    first = list(iter_all_rows(3))
    again = list(islice(iter_all_rows(2 * TOTAL_ROWS + 2), TOTAL_ROWS - 1, None))
    assert again[1:4] == first
    assert len(again) == TOTAL_ROWS + 3
    assert again[-2:] == first[:2]


def test_negative_number_of_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more, not -1"):
        next(iter_all_rows(-1))


def test_a_generator_closed_early_closes_its_connection() -> None:
    before = open_databases()
    rows = iter_all_rows()
    next(rows)
    assert open_databases() == before + 1
    rows.close()  # type: ignore[attr-defined]
    assert open_databases() == before


def test_threads_read_side_by_side() -> None:
    expected = list(iter_all_rows(2_000))
    results: list[list[tuple[str, ...]]] = []
    threads = [threading.Thread(target=lambda: results.append(list(iter_all_rows(2_000)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def test_a_generator_may_go_on_in_another_thread() -> None:
    rows = iter_all_rows(1_000)
    head = next(rows)
    rest: list[tuple[str, ...]] = []
    thread = threading.Thread(target=lambda: rest.extend(rows))
    thread.start()
    thread.join()
    assert [head, *rest] == list(iter_all_rows(1_000))


READ_ALL = """
import re
from pathlib import Path
from targets.flights import iter_all_rows

def kib(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

list(iter_all_rows(1))
Path("/proc/self/clear_refs").write_text("5")
before = kib("VmRSS")
count = sum(1 for _ in iter_all_rows())
print(count, kib("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's high-water mark")
def test_reading_all_rows_does_not_grow_memory() -> None:
    output = subprocess.run(
        [sys.executable, "-c", READ_ALL], check=True, capture_output=True, text=True
    ).stdout
    count, grown_kib = map(int, output.split())
    assert count == TOTAL_ROWS
    # All rows at once are some 500 MB as tuples, and 34 MB even as pages of the database.
    assert grown_kib < 1024


def test_damage_found_on_the_way_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(ensure_loaded().read_bytes())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    content[4096 * 100 : 4096 * 3000] = bytes(4096 * 2900)
    damaged = tmp_path / "streamgauge" / flights._database_path().name
    damaged.parent.mkdir()
    damaged.write_bytes(content)
    with pytest.raises(FlightsError, match=f"{damaged} is damaged: delete it"):
        sum(1 for _ in iter_all_rows())
