"""What became of a server in a trial: whether it ended, and by what."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from harness.probes.memory_kills import MemoryKills
from harness.probes.watch import NotReadable, ServerChanged
from harness.servers.serving import RunningServer
from harness.trials.validity import Broken
from results.faults import Fault


def downfall(server: RunningServer, changed: ServerChanged | None, kills: MemoryKills) -> Iterator[Broken]:
    """What is wrong with the server or its proxy after a load; nothing where all is as it was before it.

    ``changed`` is what the watch over its processes has to say.
    """
    if (fallen := server.fallen()) is not None:
        yield Broken(Fault.PROXY_FAILED, fallen)
    code = None if server.process is None else server.process.returncode
    killed = kills.count()
    if killed:
        several = "es" if killed > 1 else ""
        yield Broken(
            Fault.KILLED_FOR_MEMORY,
            f"the kernel killed {killed} process{several} of the server's control group for want of memory",
        )
    if code is not None:
        perhaps = ", perhaps for memory" if code == -signal.SIGKILL and killed is None else ""
        yield Broken(Fault.SERVER_DIED, f"the server ended during the trial ({_how(code)}{perhaps})")
    elif isinstance(changed, NotReadable):
        yield Broken(Fault.NOT_MEASURED, str(changed))
    elif changed is not None:
        yield Broken(Fault.WORKERS_CHANGED, str(changed))


def _how(code: int) -> str:
    """An exit code in words; a negative one is a signal's."""
    if code >= 0:
        return f"code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
