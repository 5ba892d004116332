"""A middleware of ours around an app: a stand-alone file, copied beside it and served in its place."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from harness.matrix import PlannedCase
from targets import join


@contextlib.contextmanager
def around(
    planned: PlannedCase, folder: Path, middleware: ModuleType, variables: Mapping[str, str]
) -> Iterator[PlannedCase]:
    """The case whose app is the middleware's, with ``variables`` in its server's environment.

    The middleware is copied under ``folder`` into a folder of its own, under a name that nobody else has.
    That folder comes last in PYTHONPATH: every other module is found where it is found without it. It is
    gone afterwards.
    """
    name = f"streamgauge_{middleware.__name__.rpartition('.')[2]}_{secrets.token_hex(4)}"
    own = folder / name
    own.mkdir()
    shutil.copyfile(str(middleware.__file__), own / f"{name}.py")
    try:
        yield replace(
            planned,
            target=planned.target.model_copy(update={"app": f"{name}:app"}),
            variables={**planned.variables, **variables},
            python_path=(*planned.python_path, own),
        )
    finally:
        shutil.rmtree(own)


@contextlib.contextmanager
def with_join(planned: PlannedCase, folder: Path) -> Iterator[PlannedCase]:
    """The case as it is, or where its response is to be collected, with the middleware that does."""
    if not planned.joined:
        yield planned
        return
    with around(planned, folder, join, {join.APP_VARIABLE: planned.target.served}) as wrapped:
        yield replace(wrapped, joined=False)
