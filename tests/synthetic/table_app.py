"""A WSGI app that builds a table of 64 MiB when it is imported, for a real server to run.

    gunicorn --preload --workers 3 --chdir tests/synthetic table_app:app

    /small  nothing
    /write  writes one byte to each page of the table: pages shared by a fork are copied

The worker's pid is in the field `X-Pid`. The table is one mapping without Python objects in it: counting
references writes to none of its pages.
"""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

TABLE_BYTES: Final = 64 << 20


def _write(value: bytes) -> None:
    _table[:: mmap.PAGESIZE] = value * (TABLE_BYTES // mmap.PAGESIZE)


_table = mmap.mmap(-1, TABLE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
_write(b"\1")


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Do what the path says, then answer."""
    if environ["PATH_INFO"] == "/write":
        _write(b"\2")
    start_response("200 OK", [("Content-Length", "3"), ("X-Pid", str(os.getpid()))])
    return [b"ok\n"]
