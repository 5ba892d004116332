"""The file download under every server, with whatever each does for a file."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from targets.flights_file import file_of
from targets.servers import KINDS

Serve = Callable[..., AbstractContextManager[Any]]

SERVERS = [
    *[("gunicorn", {"worker_class": worker_class}) for worker_class in ("sync", "gthread", "gevent")],
    *[(kind, {}) for kind in sorted(KINDS.keys() - {"gunicorn"})],
]
FORMS = ["/file?", "/file/send?", "/file/unconditional?", "/file/blocks?bytes=16384&"]
ROWS = 3_000

servers = pytest.mark.parametrize(("kind", "options"), SERVERS)


@servers
def test_each_form_arrives_whole_with_its_length(kind: str, options: dict[str, str], serve: Serve) -> None:
    content = file_of(ROWS).read_bytes()
    with serve("targets.file_app:app", kind=kind, **options) as served:
        for form in FORMS:
            for _ in range(2):
                answer = served.get(f"{form}total={ROWS}")
                assert answer.status == 200
                assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
                assert answer.headers["Content-Length"] == str(len(content))
                assert "Transfer-Encoding" not in answer.headers
                assert answer.complete
                assert answer.body == content


@servers
def test_the_smallest_files_are_sent_too(kind: str, options: dict[str, str], serve: Serve) -> None:
    """A header alone, and a header with one row."""
    with serve("targets.file_app:app", kind=kind, **options) as served:
        for rows in (0, 1):
            for form in FORMS:
                assert served.get(f"{form}total={rows}").body == file_of(rows).read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="other processes' open files are looked up in /proc")
@servers
def test_no_server_keeps_the_file_open(kind: str, options: dict[str, str], serve: Serve) -> None:
    path = file_of(ROWS)
    with serve("targets.file_app:app", kind=kind, **options) as served:
        for _ in range(3):
            for form in FORMS:
                served.get(f"{form}total={ROWS}")
        # A client has its last byte before the server has tidied up.
        deadline = time.monotonic() + 10
        while still := sum(opened == path for opened in open_files(served.process.pid)):
            assert time.monotonic() < deadline, f"{still} times open"
            time.sleep(0.02)


def open_files(pid: int) -> Iterator[Path]:
    """What the server's processes have open."""
    server = psutil.Process(pid)
    for process in (server, *server.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            yield from (Path(item.path) for item in process.open_files())
