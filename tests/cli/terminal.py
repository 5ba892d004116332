"""A terminal of our own: the command line in a pseudo-terminal of a given size."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cli.conftest import environment
from tests.cli.warm import begun

_PATIENCE_S = 100.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it: the exit code, and all that was written to the terminal."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        """Without what moves the cursor and colours."""
        return _ESCAPES.sub("", self.raw).replace("\r", "")

    @property
    def left(self) -> str:
        """What stays on the screen when all that is erased is gone: all behind the last erasure."""
        return _ESCAPES.sub("", self.raw.rpartition("\x1b[2K")[2]).replace("\r", "")


def in_terminal(
    folder: Path,
    *words: str,
    columns: int = 100,
    lines: int = 40,
    variables: Mapping[str, str] | None = None,
    react: Callable[[str, int], None] = lambda _text, _pid: None,
    answers: Sequence[str] = (),
) -> Seen:
    """Run the command line in a terminal; ``react`` gets what was written so far, and the process.

    ``answers`` are typed one after another, each when a question (``: `` at the end) waits for it.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    unset = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}
    env = {name: value for name, value in environment().items() if name not in unset}
    terminal = Path(os.ttyname(theirs))
    env |= {"TERM": "xterm-256color"} | dict(variables or {})
    process = begun(words, folder, env, (terminal, terminal, terminal))
    os.close(theirs)
    written = b""
    left, answered = list(answers), 0
    deadline = time.monotonic() + _PATIENCE_S
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    written += os.read(ours, 65536)
                except OSError:  # EIO: nobody has the other end any more
                    break
                if left and written[answered:].endswith(b": "):
                    answered = len(written)
                    os.write(ours, left.pop(0).encode())
                assert process.pid is not None
                react(written.decode("utf-8", "replace"), process.pid)
        process.join(10)
        assert process.exitcode is not None, "it has closed its terminal, and goes on"
        return Seen(process.exitcode, written.decode("utf-8", "replace"))
    finally:
        process.kill()
        process.join()
        os.close(ours)
