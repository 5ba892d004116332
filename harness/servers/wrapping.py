"""A middleware of ours around an app: a stand-alone file, copied beside it and served in its place."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from harness.suites.matrix import PlannedCase
from targets import join
from targets.middleware import BUILT_IN, NONE, applied


@contextlib.contextmanager
def around(
    planned: PlannedCase, folder: Path, middleware: ModuleType, variables: Mapping[str, str]
) -> Iterator[PlannedCase]:
    """The case whose app is the middleware's, with ``variables`` in its server's environment.

    The middleware is copied as `_beside` says.
    """
    with _beside(planned, folder, Path(str(middleware.__file__))) as (copied, name):
        yield replace(
            copied,
            target=planned.target.model_copy(update={"app": f"{name}:app"}),
            variables={**planned.variables, **variables},
        )


@contextlib.contextmanager
def with_middleware(
    planned: PlannedCase, folder: Path, inside: Sequence[ModuleType] = ()
) -> Iterator[PlannedCase]:
    """The case with its own middleware, if it has one, around its app, and collected where it is to be.

    ``inside`` is put between the two, around what is collected (`targets.middleware.applied`); it needs a
    middleware.
    """
    if planned.middleware == NONE:
        with _with_join(planned, folder) as joined:
            yield joined
        return
    with contextlib.ExitStack() as stack:
        served, names = planned, []
        for part in [*([join] if planned.joined else []), *inside]:
            served, name = stack.enter_context(_beside(served, folder, Path(str(part.__file__))))
            names.append(name)
        factory = planned.middleware
        if built_in := BUILT_IN.get(factory):
            served, name = stack.enter_context(_beside(served, folder, built_in.file))
            factory = f"{name}:{built_in.factory}"
        variables = {
            applied.APP_VARIABLE: planned.target.served,
            applied.MIDDLEWARE_VARIABLE: factory,
            applied.INSIDE_VARIABLE: " ".join(names),
        }
        wrapped = stack.enter_context(around(served, folder, applied, variables))
        yield replace(wrapped, joined=False, middleware=NONE)


@contextlib.contextmanager
def _with_join(planned: PlannedCase, folder: Path) -> Iterator[PlannedCase]:
    if not planned.joined:
        yield planned
        return
    with around(planned, folder, join, {join.APP_VARIABLE: planned.target.served}) as wrapped:
        yield replace(wrapped, joined=False)


@contextlib.contextmanager
def _beside(planned: PlannedCase, folder: Path, file: Path) -> Iterator[tuple[PlannedCase, str]]:
    """The case with a copy of a file in its server's path, and the name by which that is imported.

    It is copied under ``folder`` into a folder of its own, under a name that nobody else has. That folder
    comes last in PYTHONPATH: every other module is found where it is found without it. It is gone afterwards.
    """
    name = f"streamgauge_{file.stem}_{secrets.token_hex(4)}"
    own = folder / name
    own.mkdir()
    shutil.copyfile(file, own / f"{name}.py")
    try:
        yield replace(planned, python_path=(*planned.python_path, own)), name
    finally:
        shutil.rmtree(own)
