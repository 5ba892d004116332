"""What is installed for the interpreters that targets name: apps of somebody's own do not run in ours."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection, Iterable
from pathlib import Path

from harness.servers.surroundings import inherited_by
from harness.suites.matrix import PlannedCase
from harness.suites.target import Target

_LONGEST_S = 60.0
_LOOK = """
import sys
sys.path[:] = filter(None, sys.path)  # nothing of the folder it is started in
import json, platform
from importlib import metadata

found = {"python": platform.python_version()}
for name in json.loads(sys.argv[1]):
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        continue
print(json.dumps(found))
"""


def target_packages(cases: Iterable[PlannedCase], names: Collection[str]) -> dict[str, str]:
    """The versions, by target and package, of Python and of those of ``names`` that its interpreter finds.

    Of targets with a ``python`` only. Nothing of one that cannot be run now: `prepare` may make it yet, and
    whoever starts a server with it says why it cannot.
    """
    targets = {planned.target.name: planned.target for planned in cases if planned.target.python is not None}
    found: dict[Path | None, dict[str, str]] = {}
    for target in targets.values():
        if target.python not in found:
            found[target.python] = _installed(target, names)
    return {
        f"{name} {package}": version
        for name, target in targets.items()
        for package, version in found[target.python].items()
    }


def _installed(target: Target, names: Collection[str]) -> dict[str, str]:
    words = [str(target.python), "-c", _LOOK, json.dumps(list(names))]
    try:
        done = subprocess.run(
            words, env=inherited_by(target), capture_output=True, text=True, check=True, timeout=_LONGEST_S
        )
        versions: dict[str, str] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError):
        return {}
    return versions
