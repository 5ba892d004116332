"""What to type where a package is missing. Imports nothing: shells that complete words wait for it."""

from __future__ import annotations

import shlex
import sys


def installing(*packages: str, python: str = sys.executable) -> str:
    """What to type so that packages are there for an interpreter, ours unless another is named."""
    return shlex.join([python, "-m", "pip", "install", *packages])
