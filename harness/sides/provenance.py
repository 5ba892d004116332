"""Where an app's code comes from: each side of an ab has to serve its own commit's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from harness.programs.processes import Processes
from harness.servers.serving import environment_of
from harness.suites.matrix import PlannedCase
from results.errors import MeasurementError
from results.sides import SideRecord

_LONGEST_S = 60.0
#: Imports a module as a server that starts in this folder does; writes its file, those of all the others, and
#: where the interpreter keeps libraries. Threads that the app has started are not waited for.
_IMPORT = """
import importlib, json, os, sys, sysconfig
if os.getcwd() not in sys.path:
    sys.path.insert(0, os.getcwd())
app = importlib.import_module(sys.argv[1])
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
libraries = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
with open(sys.argv[2], "w") as report:
    json.dump([app.__file__, [file for file in files if file], libraries], report)
os._exit(0)
"""


def check_own_code(
    item: SideRecord, cases: Iterable[PlannedCase], processes: Processes, folder: Path, python: str
) -> None:
    """That a side's apps are imported from its checkout, and nothing of theirs from the working tree.

    PYTHONPATH, or the working tree installed for development, can lead both sides to the same code: they
    would come out the same, whatever changed. What an app imports only when it is asked is not seen, nor what
    else is installed as a copy, nor what a command imports.

    ``folder`` is private and made by us; ``python`` runs what has no interpreter of its own. Raises
    MeasurementError.
    """
    apps = {
        (planned.target.app, planned.target.directory, planned.target.python): planned
        for planned in cases
        if planned.target.app is not None
    }
    for planned in apps.values():
        foreign = _foreign(planned, Path(item.repository), processes, folder, python)
        if foreign is not None:
            raise MeasurementError(
                f"{item.side} would not serve the code of its own commit: {planned.target.app} is imported "
                f"with {foreign}, which is not of this side's checkout. Such code is the same on both sides, "
                "whatever changed. Let PYTHONPATH not lead there; where the app has to be installed, let "
                "`prepare` install it into an environment inside of the checkout, and name its interpreter "
                "as `python`"
            )


def _foreign(
    planned: PlannedCase, repository: Path, processes: Processes, folder: Path, python: str
) -> Path | None:
    """A file that the app should not come from; None without one, and where the app cannot be imported.

    That its server says, with the app's own words.
    """
    where, checkout = planned.target.directory or planned.checkout, planned.checkout
    assert planned.target.app is not None  # noqa: S101  - nothing else is looked at
    assert where is not None  # noqa: S101  - a side has a checkout
    assert checkout is not None  # noqa: S101
    report = folder / "imported.json"
    report.unlink(missing_ok=True)
    process = processes.start(
        [
            str(planned.target.python or python),
            *("-P", "-c", _IMPORT),
            planned.target.app.partition(":")[0],
            str(report),
        ],
        cwd=where,
        env=environment_of(planned),
        output=folder / "imported.log",
    )
    try:
        code = process.wait(_LONGEST_S)
    finally:
        process.stop(0)
    if code != 0 or not report.exists():
        return None
    own, files, installed = json.loads(report.read_text())
    if not _within([checkout], own):
        return Path(own)
    strange = (file for file in files if _within([repository], file))
    return next((Path(file) for file in strange if not _within([checkout, *installed], file)), None)


def _within(folders: Iterable[Path | str], file: str) -> bool:
    place = Path(file).resolve()
    return any(place.is_relative_to(Path(folder).resolve()) for folder in folders)
