"""Processes that have our packages imported when they begin: forks of one that did so once.

The command line's imports take longer than most of what tests ask of it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

#: What most verbs import, and what they import late.
_IMPORTED = (
    *(f"harness.cli.{verb}" for verb in ("ab", "compare", "conform", "doctor", "export", "history", "init")),
    *("analysis.report.page", "scipy.special", "streamgauge_start"),
)
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([*_IMPORTED])


def begun(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], streams: tuple[Path, Path, Path]
) -> BaseProcess:
    """``streamgauge`` with these words, in ``folder`` and in a session of its own.

    ``streams`` are its standard input, output and error. They are open when this returns. Of the
    environment, what Python reads only as it begins (``PYTHON...``, the locale) is ours.
    """
    ours, theirs = _FORKS.Pipe()
    process = _FORKS.Process(
        target=_run, args=(words, folder, dict(environment), streams, theirs), daemon=True
    )
    process.start()
    theirs.close()
    with ours:
        ours.recv()
    return process


def _run(
    words: Sequence[str],
    folder: Path,
    environment: dict[str, str],
    streams: Sequence[Path],
    begun: Connection[None],
) -> None:
    """In the fork: become what the console script would be."""
    from streamgauge_start import main  # noqa: PLC0415  - it is there already

    os.setsid()
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_RDWR | os.O_NOCTTY)
        os.dup2(opened, number)
        os.close(opened)
    begun.send(None)
    begun.close()
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", 1)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = words
    sys.exit(main())
