"""A server that stalls as a whole, once, and knows when: what a closed loop hides and an open one shows."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

_PROCESS = Path(__file__).with_name("stalling_process.py")
_ANSWER_S = 20.0


@dataclass(frozen=True, slots=True)
class StallTruth:
    """The server's own books. Stamps are `time.monotonic_ns`."""

    begin_ns: int
    end_ns: int
    read_ns: tuple[int, ...]  # when each request was read


class StallingServer:
    """Runs the server in its own process for as long as the context lasts."""

    host = "127.0.0.1"
    body = b"x" * 1000

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_PROCESS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._answer()["port"])
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:  # waits for its end, and closes the pipes
            process.kill()

    def stall(self, *, after_s: float, for_s: float) -> None:
        """Stall once, so long after the next request; forget all earlier ones."""
        self._ask(f"stall {after_s} {for_s}")

    def truth(self) -> StallTruth:
        """What happened since `stall`."""
        answer = self._ask("truth")
        begin_ns, end_ns = answer["stall"]
        return StallTruth(begin_ns, end_ns, tuple(answer["read_ns"]))

    def _ask(self, command: str) -> dict[str, Any]:
        pipe = _pipe(self._process.stdin)
        pipe.write(command + "\n")
        pipe.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        pipe = _pipe(self._process.stdout)
        assert select.select([pipe], [], [], _ANSWER_S)[0], "the stalling server is silent"
        answer: dict[str, Any] = json.loads(pipe.readline())
        return answer


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
