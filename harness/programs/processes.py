"""The harness's side of the supervisor: start programs, watch them, end them and all they started.

Whatever a program starts belongs to it, daemons included, and ends with it; everything ends with
the harness, even when that is killed. `harness.programs.supervisor` says how.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from harness.programs import supervisor
from harness.programs.outputs import Shortener
from results.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import TracebackType

_SCRIPT = str(Path(supervisor.__file__).resolve())
_ANSWER_TIMEOUT_S = 10.0
_KILL_TIMEOUT_S = 5.0
_SWEEP_INTERVAL_S = 0.002
_SWEEPS = 10


class StartError(MeasurementError):
    """A program could not be started."""


class StopError(MeasurementError):
    """Something is still there although it was killed."""


class SupervisorDied(MeasurementError):  # noqa: N818  - named for what happened
    """The supervisor was killed, and with it all that it had started."""

    def __init__(self) -> None:
        super().__init__(
            "the process that supervises all others was killed, and they were ended with it; "
            "if nobody did that on purpose, look for an out-of-memory kill (dmesg). "
            "Finished trials are kept: start the run again with --resume"
        )


class OwnedProcess:
    """A started program; `pid` and `keeper_pid` may be read from any thread, the rest from one.

    `pid` is the program's own process. `keeper_pid` is the parent of it and of every orphan that
    it leaves behind: the descendants of the keeper are the whole tree of this program.
    """

    def __init__(
        self, program: str, output: Path, channel: supervisor.Channel, pid: int, keeper_pid: int
    ) -> None:
        self.pid = pid
        self.keeper_pid = keeper_pid
        self.output = output
        self._program = program
        self._channel = channel
        self._returncode: int | None = None
        self._gone = False

    @property
    def returncode(self) -> int | None:
        """The exit code, minus the signal's number if one ended it, or None while it runs.

        Never waits. SupervisorDied when nobody knows any more.
        """
        return self.wait(timeout_s=0)

    def wait(self, timeout_s: float) -> int | None:
        """Wait up to `timeout_s` seconds; then as `returncode`."""
        deadline = time.monotonic() + timeout_s
        while self._returncode is None:
            if not self._hear(deadline):
                return None
        return self._returncode

    def stop(self, grace_s: float = 2.0) -> None:
        """End the whole tree; returns as soon as nothing of it is left.

        The program gets SIGTERM. Whatever is left when it has ended, or after `grace_s` seconds,
        gets SIGKILL. StopError when something survives that for 5 s, SupervisorDied.
        """
        self._request_end(grace_s)
        self._await_end(grace_s + _KILL_TIMEOUT_S)

    def kill(self) -> None:
        """End the whole tree with SIGKILL; returns and raises as `stop` does."""
        self.stop(grace_s=0)

    def output_tail(self, limit_bytes: int = 4000) -> str:
        """The end of what it has written to stdout and stderr, undecodable bytes replaced."""
        with self.output.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit_bytes))
            return file.read(limit_bytes).decode(errors="replace")

    def output_head(self, limit_bytes: int = 1 << 20) -> str:
        """The begin of the same."""
        with self.output.open("rb") as file:
            return file.read(limit_bytes).decode(errors="replace")

    def _request_end(self, grace_s: float) -> None:
        if not self._gone:
            # When its keeper has gone, the reason is still to be read: `_await_end` does.
            with contextlib.suppress(OSError):
                self._channel.send({"grace_s": grace_s}, _ANSWER_TIMEOUT_S)

    def _await_end(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not self._gone:
            if not self._hear(deadline):
                raise StopError(
                    f"{self._program} (process {self.pid}), or something that it started, was "
                    f"killed but is still there: `pstree -p {self.keeper_pid}` shows it; "
                    "it may hang in the kernel (state D) or belong to another user"
                )

    def _hear(self, deadline: float) -> bool:
        """Take in one event; False when there is none until `deadline`."""
        try:
            event = self._channel.receive(max(0.0, deadline - time.monotonic()))
        except (EOFError, OSError):
            raise SupervisorDied from None
        if event is None:
            return False
        self._returncode = event.get("returncode", self._returncode)
        self._gone = "gone" in event
        if self._gone:
            self._channel.close()
        return True


class Processes:
    """Starts programs, and ends all of them with the `with` block or with the harness itself.

    ``scratch`` is a folder that goes when all of them are gone, and so with a harness that is killed, too.
    The process that enters it must not fork without exec afterwards (`multiprocessing` by fork):
    the copy would hold our end of the sockets, and our death would go unnoticed. Nor may it start
    others in new sessions of their own: should the supervisor be killed, such children are taken
    for orphans and killed.
    """

    def __init__(self, scratch: Path | None = None) -> None:
        self._scratch = scratch
        self._started: list[OwnedProcess] = []
        self._shortener = Shortener(lambda: [process.output for process in self._started])

    def __enter__(self) -> Self:
        """Start the supervisor. Raises StartError."""
        # Should somebody kill the supervisor and its keepers at once, the orphans come to us.
        # It costs one system call, and changes nothing for children that have a living parent.
        self._adopted_before = supervisor.adopt_orphans(True)
        self._control, theirs = socket.socketpair()
        try:
            with theirs:
                self._supervisor = subprocess.Popen(
                    [
                        *(sys.executable, "-I", "-S", _SCRIPT, str(theirs.fileno())),
                        *([] if self._scratch is None else [str(self._scratch)]),
                    ],
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        except OSError as error:
            self._control.close()
            supervisor.adopt_orphans(self._adopted_before)
            raise StartError(f"the supervisor of what is to be measured did not start: {error}") from error
        self._shortener.start()
        return self

    def start(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        output: Path,
        cpus: Collection[int] | None = None,
    ) -> OwnedProcess:
        """Start a program in a new session; returns once it runs (after exec).

        `env` is its whole environment; `output`, emptied first, takes its stdout and stderr (of much, the
        middle is given back: `harness.programs.outputs`);
        `cpus` are the only ones that it and all that it starts may run on. StartError when it
        cannot be started, SupervisorDied.
        """
        self._started = [process for process in self._started if not process._gone]
        request = {
            "argv": list(argv),
            "cwd": str(cwd.absolute()),
            "env": dict(env),
            "cpus": None if cpus is None else sorted(cpus),
        }
        ours, theirs = socket.socketpair()
        channel = supervisor.Channel(ours)
        try:
            with theirs:
                self._send_descriptors(theirs, output)
            answer = _ask(channel, request)
        except BaseException:
            channel.close()  # nobody will know of it: its keeper ends it
            raise
        process = OwnedProcess(argv[0], output, channel, answer["pid"], answer["keeper_pid"])
        self._started.append(process)
        return process

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Kill all that is left and end the supervisor; StopError when something survives 5 s."""
        self._shortener.stop()
        deadline = time.monotonic() + _KILL_TIMEOUT_S
        try:
            for process in self._started:
                process._request_end(grace_s=0)
            for process in self._started:
                # Whatever is wrong there, it is settled or told at the end of this method.
                with contextlib.suppress(StopError, SupervisorDied):
                    process._await_end(deadline - time.monotonic())
        finally:
            self._end_supervisor(deadline)
            supervisor.adopt_orphans(self._adopted_before)

    def _end_supervisor(self, deadline: float) -> None:
        self._control.close()
        for process in self._started:
            process._channel.close()
        try:
            self._supervisor.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        if self._supervisor.returncode != 0 and sys.platform == "linux":
            _kill_adopted(deadline + _KILL_TIMEOUT_S)

    def _send_descriptors(self, channel_end: socket.socket, output: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        try:
            descriptor = os.open(output, flags, mode=0o600)
        except OSError as error:
            raise StartError(f"cannot write the output file {output}: {error.strerror}") from None
        try:
            socket.send_fds(self._control, [b"+"], [channel_end.fileno(), descriptor])
        except (BrokenPipeError, ConnectionResetError):
            raise SupervisorDied from None
        finally:
            os.close(descriptor)


def _ask(channel: supervisor.Channel, request: Mapping[str, Any]) -> dict[str, Any]:
    """Have the program started; its `pid` and `keeper_pid`."""
    try:
        channel.send(request, _ANSWER_TIMEOUT_S)
        answer = channel.receive(_ANSWER_TIMEOUT_S)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise SupervisorDied from None
    except TimeoutError:
        answer = None
    program = request["argv"][0]
    if answer is None:
        raise StartError(
            f"{program} has not started after {_ANSWER_TIMEOUT_S:.0f} s: "
            "is the machine short of memory, or its disk stalled?"
        )
    if "pid" not in answer:
        raise StartError(f"{program} cannot be started: {_explain(request, answer)}")
    return answer


def _explain(request: Mapping[str, Any], failure: Mapping[str, Any]) -> str:
    program, cwd = request["argv"][0], request["cwd"]
    if failure["filename"] == cwd:
        return f"its folder {cwd} cannot be entered ({failure['reason']})"
    if failure["filename"] is None:  # not about a file
        return str(failure["reason"])
    if failure["errno"] == errno.EACCES:
        return "it is not executable; `chmod +x` it, or run its interpreter with it"
    if failure["errno"] not in {errno.ENOENT, errno.ENOTDIR}:
        return str(failure["reason"])
    if "/" in program:
        return (
            f"there is no such file, seen from {cwd}, or the interpreter that its first line names "
            "does not exist; correct the path"
        )
    path = request["env"].get("PATH", "not set")
    return f"it is in none of the folders of PATH ({path}); install it, or give its full path"


def _kill_adopted(deadline: float) -> None:
    """Kill our children in other sessions: orphans of a supervisor that was killed.

    The kernel's list of children may miss some while others of them end (proc(5)): it is believed when there
    is no child at all, or when it has been without orphans several times in a row.
    """
    session = os.getsid(0)
    without = 0
    while True:
        orphans = []
        for pid in supervisor.children(os.getpid()):
            with contextlib.suppress(ProcessLookupError):  # one that another thread has waited for
                if os.getsid(pid) != session:
                    orphans.append(pid)
        without = 0 if orphans else without + 1
        if not _any_child() or without >= _SWEEPS:
            return
        if time.monotonic() > deadline:
            raise StopError(f"processes {orphans} were killed but are still there")
        for pid in orphans:
            supervisor.kill(pid)
            os.waitpid(pid, os.WNOHANG)
        time.sleep(_SWEEP_INTERVAL_S)


def _any_child() -> bool:
    """Whether this process has a child, be it a dead one; none is waited for."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def own_environment() -> dict[str, str]:
    """This process's environment for Python children that run our own code and nobody else's."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
