"""Where tables are printed."""

from __future__ import annotations

import sys

from rich.console import Console

#: A table in a pipe is for people and for grep: wide enough that no cell is folded.
_PIPE_WIDTH = 240


def table_console() -> Console:
    """Standard output: as wide as the terminal, or wide enough in a pipe."""
    return Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)
