"""The synthetic server as a test holds it: a context manager around its process."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Self

from . import content
from .reply import Reply
from .truth import RequestTruth, request_from_json

if TYPE_CHECKING:
    from collections.abc import Callable

_MAIN = Path(__file__).with_name("__main__.py")
_ANSWER_S = 20.0
_STOP_S = 2.0

_P = ParamSpec("_P")


class SyntheticServerError(Exception):
    """The server process broke, or did not answer: nothing that was measured on it counts."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Since the last reset."""

    connections: int
    requests: int


def _path_of(build: Callable[_P, Reply]) -> Callable[_P, str]:
    def path(*args: _P.args, **kwargs: _P.kwargs) -> str:
        return build(*args, **kwargs).path()

    return path


class SyntheticServer:
    """Runs the server in its own process for as long as the context lasts.

    `send_buffer` sets SO_SNDBUF of each connection in bytes (the kernel doubles it), so that a
    slow reader is felt early; 0 leaves it to the kernel.
    """

    host = "127.0.0.1"
    path = staticmethod(_path_of(Reply))
    """The path that asks for a reply: takes the fields of `Reply` as keyword arguments."""

    def __init__(self, *, send_buffer: int = 0) -> None:
        self._send_buffer = send_buffer
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_MAIN), str(self._send_buffer)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.port = int(self._read()["port"])
        except BaseException:
            self.__exit__(self)
            raise
        return self

    def __exit__(self, failure: object = None, *_: object) -> None:
        process = self._running()
        try:
            if failure is None:
                self._ask("errors")
        finally:
            self._process = None
            with process:  # waits for its end, and closes the pipes
                if process.stdin:
                    with suppress(BrokenPipeError):
                        process.stdin.close()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_S)
                process.kill()

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._running().pid

    def truth(self, settle_s: float = 1.0) -> list[RequestTruth]:
        """Every request since the last reset, in the order of receipt.

        Requests under way are waited for, for at most `settle_s`; after it they are given as
        they are, with the outcome "open".
        """
        answer = self._ask(f"truth {settle_s}")
        return [request_from_json(record) for record in answer["requests"]]

    def counts(self) -> Counts:
        """Connections that were accepted and requests that were read."""
        answer = self._ask("counts")
        return Counts(answer["connections"], answer["requests"])

    def reset(self) -> None:
        """Forget all requests and start every count again; open connections stay open."""
        self._ask("reset")

    @staticmethod
    def body(path: str, number: int = 1) -> bytes:
        """The whole body of the path's `number`-th response, without transfer coding.

        Content coding stays on, a byte to be flipped is flipped, and a cut is not made: that
        many bytes as were sent are in `RequestTruth.body_bytes`.
        """
        return content.body_of(Reply.from_path(path), number)

    @staticmethod
    def content(path: str) -> bytes:
        """The same without content coding and without any flip."""
        return content.content_of(Reply.from_path(path))

    @staticmethod
    def first_row_end(path: str) -> int | None:
        """How many bytes of the content end with the first data row; None without a row."""
        return content.first_row_end(Reply.from_path(path))

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise SyntheticServerError("the synthetic server runs only inside of its `with` block")
        return self._process

    def _ask(self, command: str) -> dict[str, Any]:
        pipe = self._running().stdin
        if pipe:
            pipe.write(command + "\n")
            pipe.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        process = self._running()
        pipe = process.stdout
        if pipe is None or not select.select([pipe], [], [], _ANSWER_S)[0]:
            raise SyntheticServerError(f"the synthetic server is silent for {_ANSWER_S:g} s")
        line = pipe.readline()
        if not line:
            raise SyntheticServerError(f"the synthetic server ended itself: {process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if answer.get("errors"):
            raise SyntheticServerError(f"in the synthetic server: {answer['errors']}")
        return answer
