"""Has an app looked at from inside, by its own interpreter (`targets.inside`)."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.doctor.subject import Subject, Tools
from harness.programs.processes import OwnedProcess, StartError
from harness.redaction import Redaction
from harness.servers.serving import environment_of
from results.errors import MeasurementError
from targets import inside, paced

#: Pieces of a probe, and milliseconds between two: a machine that others use too is seldom so late.
PIECES = 8
GAP_MS = 30
#: A probe's pieces are as large as the response's own, within these bounds.
LEAST_BYTES = 64
MOST_BYTES = 64 * 1024

#: Importing, connecting and compiling may take a while.
_PATIENCE_S = 60.0
_SHOWN_BYTES = 4000
#: The response is asked for so often in its whole length: twice, and once for its view.
_WHOLE_RESPONSES = 3
_PATTERNS = shutil.ignore_patterns("__pycache__")


def look_inside(subject: Subject, shop: Tools) -> Mapping[str, Any]:
    """What `targets.inside` saw of the subject's app. Raises MeasurementError with the app's own words."""
    target = subject.planned.target
    assert target.app is not None  # noqa: S101  - there is no inside of anything else
    question = subject.question(0)
    name = f"streamgauge_{secrets.token_hex(4)}"
    package = shop.folder / "inside" / name
    shutil.copytree(Path(inside.__file__).parent, package / "inside", ignore=_PATTERNS)
    shutil.copyfile(paced.__file__, package / "paced.py")
    (package / "__init__.py").touch()
    report = shop.folder / "inside" / "report.json"
    job = shop.folder / "inside" / "job.json"
    job.write_text(
        json.dumps(
            {
                "app": target.app,
                "method": question.method,
                "path": subject.planned.path,
                "headers": question.headers,
                "body": question.body,
                "longest_s": subject.longest_s,
                "probe": {
                    "pieces": PIECES,
                    "gap_ms": GAP_MS,
                    "least_bytes": LEAST_BYTES,
                    "most_bytes": MOST_BYTES,
                },
                "report": str(report),
            }
        )
    )
    environment = dict(environment_of(subject.planned))
    before = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([*([before] if before else []), str(package.parent)])
    try:
        process = shop.processes.start(
            [str(target.python or shop.python), "-m", f"{name}.inside", str(job)],
            cwd=target.directory or shop.folder,
            env=environment,
            output=shop.folder / "inside" / "output.log",
        )
    except StartError as error:
        raise MeasurementError(f"the app {target.app} cannot be looked at: {error}") from error
    try:
        code = process.wait(_WHOLE_RESPONSES * subject.longest_s + _PATIENCE_S)
    finally:
        process.stop(0)
    if code != 0 or not report.exists():
        raise MeasurementError(_unseen(subject, code, process))
    found: Mapping[str, Any] = json.loads(report.read_text("utf-8"))
    _check_answer(subject, found, process)
    return found


def _unseen(subject: Subject, code: int | None, process: OwnedProcess) -> str:
    how = "did not end" if code is None else f"ended with code {code}"
    return (
        f"the app {subject.planned.target.app} could not be looked at: its interpreter {how}. "
        f"Its own output:\n{_words(subject, process)}"
    )


def _check_answer(subject: Subject, found: Mapping[str, Any], process: OwnedProcess) -> None:
    """That the response is one that may be judged. Raises MeasurementError."""
    target = subject.planned.target
    if found.get("is_asgi"):
        raise MeasurementError(
            f"{target.app} is an ASGI app, which the doctor cannot look into: start it, and give its URL"
        )
    answer = found["answer"]
    status = (answer["status"] or "").split(" ")[0]
    if status == str(target.status):
        return
    said = f"status {answer['status']}" if answer["status"] else "no status at all"
    raised = f" ({answer['raised']})" if answer["raised"] else ""
    raise MeasurementError(
        f"{target.app} answers {target.method} {subject.planned.path} with {said}{raised} instead of "
        f"{target.status}: name a path that works, with the headers that it needs. Its own output:\n"
        f"{_words(subject, process)}"
    )


def _words(subject: Subject, process: OwnedProcess) -> str:
    redaction = Redaction.of_targets([subject.planned.target])
    words = redaction.tail(process, _SHOWN_BYTES).strip() or "(it wrote nothing)"
    return "\n".join(f"    {line}" for line in words.splitlines())
