"""Files that the command line writes besides stores."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from results.errors import UsageError


def write_files(texts: Mapping[Path, str], option: str = "--output") -> None:
    """Write these files as they are, and the folders that are missing; ``option`` named them.

    Raises UsageError.
    """
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        except OSError as error:
            raise _cannot(path, error, option) from error


def check_writable(path: Path, option: str = "--output") -> None:
    """That `write_files` will be able to, before what is to be written takes minutes. Leaves nothing behind.

    Raises UsageError.
    """
    try:
        if path.exists():
            with path.open("ab"):
                return
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise _cannot(path, error, option) from error


def _cannot(path: Path, error: OSError, option: str) -> UsageError:
    return UsageError(f"cannot write {path}: {error}; name another place with {option}")
