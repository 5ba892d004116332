"""Reads what the ledger inside a traced server wrote (`targets.ledger` says how)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from results.errors import MeasurementError
from results.trace import LedgerRecord
from targets.ledger import ENDINGS, FIELDS, HEADER, MAGIC, MISSING

_POLL_EVERY_S = 0.01


class LedgerDamaged(MeasurementError):  # noqa: N818  - named for what happened
    """The ledger's file does not hold what a ledger writes."""


def read_ledger(path: Path) -> list[LedgerRecord]:
    """The records of a ledger's file, none where there is no file yet. Raises LedgerDamaged."""
    data = path.read_bytes() if path.exists() else b""
    return list(_records(data, path))


def await_ledger(path: Path, *, since_ns: int, count: int, patience_s: float) -> list[LedgerRecord]:
    """The records that began at ``since_ns`` or later, once there are ``count`` of them.

    A record is written after the response is through, so that a client may look too early, or see a part
    of one. Fewer are returned after ``patience_s``. Raises LedgerDamaged.
    """
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        with contextlib.suppress(LedgerDamaged):
            records = [record for record in read_ledger(path) if record.began_ns >= since_ns]
            if len(records) >= count:
                return records
        time.sleep(_POLL_EVERY_S)
    return [record for record in read_ledger(path) if record.began_ns >= since_ns]


def _records(data: bytes, path: Path) -> Iterator[LedgerRecord]:
    at = 0
    while at < len(data):
        if len(data) - at < HEADER.size or not data.startswith(MAGIC, at):
            raise _damaged(path, at)
        fields = dict(zip(FIELDS, HEADER.unpack_from(data, at)[1:], strict=True))
        at += HEADER.size
        end = at + fields["path_bytes"] + 16 * fields["yields"]
        if end > len(data):
            raise _damaged(path, at)
        asked = data[at : at + fields["path_bytes"]].decode("latin-1")
        yields = np.frombuffer(data[at + fields["path_bytes"] : end], dtype="=i8").reshape(-1, 2)
        at = end

        def known(name: str, fields: dict[str, int] = fields) -> int | None:
            return None if fields[name] == MISSING else fields[name]

        yield LedgerRecord(
            pid=fields["pid"],
            remote_port=known("remote_port"),
            path=asked,
            began_ns=fields["began_ns"],
            ended_ns=known("ended_ns"),
            closed_ns=known("closed_ns"),
            ending=ENDINGS[fields["ending"]],
            sendfile_lost=bool(fields["sendfile_lost"]),
            rss_at_begin_bytes=known("rss_at_begin_bytes"),
            hwm_bytes=known("hwm_bytes"),
            own_bytes=fields["own_bytes"],
            yields=yields,
        )


def _damaged(path: Path, at: int) -> LedgerDamaged:
    return LedgerDamaged(
        f"the ledger of a traced trial, {path}, breaks off or is damaged at byte {at:,}; "
        "is there no room left in the folder for temporary files? Set TMPDIR to another"
    )
