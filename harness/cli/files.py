"""Files that the command line writes besides stores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from results.errors import UsageError


def write_files(texts: Mapping[Path, str], option: str = "--output") -> None:
    """Write these files as they are, and their folders; ``option`` named them. Raises UsageError."""
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error}; name another place with {option}") from error
