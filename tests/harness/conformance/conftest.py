from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from harness.conformance import hang_up, stall
from harness.conformance.subject import Subject
from harness.conformance.testimony import Testimony
from targets.witness import Witness
from tests.harness.conformance.tiny_server import Tiny


@pytest.fixture
def subject_on(tmp_path: Path) -> Callable[[type[Tiny]], AbstractContextManager[Subject]]:
    """The witness under a tiny server of this kind, in this process."""

    @contextmanager
    def serve(kind: type[Tiny]) -> Iterator[Subject]:
        records = tmp_path / "witness"
        with kind(Witness(str(records))).serving() as port:
            yield Subject(port, os.getpid(), Testimony(records))

    return serve


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter waits: a tiny server does not have the timeouts that real ones have."""
    monkeypatch.setattr(stall, "STALL_S", 0.0)
    monkeypatch.setattr(hang_up, "_ASLEEP_GAP_MS", 400)
