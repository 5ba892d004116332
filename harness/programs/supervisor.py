"""Owns every process that is started, so that none of them outlives the harness, however it ends.

A script of the standard library alone, run by `harness.programs.processes` as
``python -I -S /path/to/supervisor.py FD [SCRATCH]`` in a session of its own, out of reach of Ctrl-C::

    harness ──── control ──── supervisor ──┬── keeper ── program ── its children, and all that they
       │                                   └── keeper ── program    leave behind
       └──── one channel for each program ─────┘

The supervisor forks a *keeper* for each program. A keeper is a child subreaper (Linux: prctl(2),
PR_SET_CHILD_SUBREAPER): whatever its program leaves behind, daemons included, becomes its child and
nobody else's, so it knows the whole tree of this one program, and "no child left" (ECHILD) means
that all of it is gone. A keeper ends its tree when it is asked to, and when the harness or the
supervisor is gone. If a keeper itself is killed, its program gets the parent-death signal, and the
rest falls to the supervisor, which kills every child that is no keeper.

The control socket carries one byte and two descriptors (channel, output file) a program. A channel
carries JSON lines. To the keeper: first argv, env, cwd, cpus (or null); later `grace_s`, to end the
tree. From it: `pid` and `keeper_pid`, or `errno`, `filename` and `reason` of a start that failed;
then `returncode`, when the program ends; then `gone`, when nothing of its tree is left.

Without subreapers (macOS) a process that has left its program's session and lost its parent
escapes; the rest is found by parent (ps) and by process group.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Only the harness decides when a program ends: these are ignored here and by every keeper.
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Deaths wake us; while killing, a look this often makes sure that no fork slipped in between.
_KILLING_INTERVAL_S = 0.002
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37
_HAS_CHILDREN_FILES = Path(f"/proc/self/task/{os.getpid()}/children").exists()


class Channel:
    """JSON objects, one a line, over a stream socket; both ends use it."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._received = b""

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def send(self, message: Mapping[str, object], timeout_s: float | None = None) -> None:
        """Send one object. OSError when the other end is gone, TimeoutError when it stalls."""
        self._socket.settimeout(timeout_s)
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """The next object; None when there is none in time. EOFError when the other end is gone."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while b"\n" not in self._received:
            self._socket.settimeout(None if deadline is None else max(0.0, deadline - time.monotonic()))
            try:
                data = self._socket.recv(1 << 16)
            except (BlockingIOError, TimeoutError):
                return None
            except ConnectionResetError:  # it closed without reading all that we sent
                data = b""
            if not data:
                raise EOFError
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message


def adopt_orphans(adopt: bool) -> bool:
    """Whether orphaned descendants come to this process from now on; returns whether they did."""
    if sys.platform != "linux":
        return False
    before = ctypes.c_int()
    _prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before))
    _prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(adopt))
    return bool(before.value)


def children(pid: int) -> list[int]:
    """The child processes of `pid`, zombies included; empty when it is gone."""
    if not _HAS_CHILDREN_FILES:
        return _children_by_ps(pid)
    try:
        files = [task / "children" for task in Path(f"/proc/{pid}/task").iterdir()]
        return [int(child) for file in files for child in file.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # it ended while it was looked at
        return []


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal; it is no error when the process is gone or is not ours to signal."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _children_by_ps(pid: int) -> list[int]:
    with subprocess.Popen(["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE) as ps:
        rows = [line.split() for line in ps.communicate()[0].splitlines()]
    return [int(child) for child, parent in rows if int(parent) == pid and int(child) != ps.pid]


def _descendants(pid: int) -> list[int]:
    family = [pid]
    for member in family:  # grows while it is walked
        family += children(member)
    return family[1:]


def _prctl(option: int, argument: object) -> None:
    if _LIBC.prctl(option, argument, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"prctl({option})")


def _reap() -> tuple[dict[int, int], bool]:
    """The return codes of the children that have ended, and whether any child is left."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended, False
        if pid == 0:
            return ended, True
        ended[pid] = os.waitstatus_to_exitcode(status)


class _Watch:
    """Waits for sockets, pipes and the deaths of children at once."""

    def __init__(self) -> None:
        # poll, not epoll: an epoll set would be shared with the keepers forked from here.
        self._selector = selectors.PollSelector()
        self._deaths, notify = os.pipe()
        os.set_blocking(self._deaths, False)
        os.set_blocking(notify, False)
        signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(self._deaths, selectors.EVENT_READ, self._drain_deaths)

    def add(self, source: Channel | socket.socket | int, answer: Callable[[], bool]) -> None:
        """Call `answer` whenever `source` is readable, until it returns False."""
        self._selector.register(source, selectors.EVENT_READ, answer)

    def wait(self, timeout_s: float | None) -> None:
        """Answer what there is to answer; returns after `timeout_s` seconds at the latest."""
        for key, _ in self._selector.select(timeout_s):
            if not key.data():
                self._selector.unregister(key.fileobj)

    def _drain_deaths(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._deaths, 512):
                continue
        return True


class _Keeper:
    """Runs one program and ends all that came of it."""

    def __init__(self, channel: Channel, lifeline: int) -> None:
        self._channel = channel
        self._supervised = True
        self._kill_at = math.inf  # on the monotonic clock, in seconds
        self._watch = _Watch()
        self._watch.add(channel, self._obey)
        self._watch.add(lifeline, self._lose_supervisor)

    def run(self, output: int) -> None:
        """Start the program that the channel asks for; return when nothing of it is left."""
        adopt_orphans(True)
        try:
            self._program = _launch(self._channel.receive() or {}, output)
        except EOFError:  # the harness is gone already
            return
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._tell(_failure(error))
            return
        os.close(output)
        self._tell({"pid": self._program.pid, "keeper_pid": os.getpid()})
        while self._any_left():
            killing = time.monotonic() >= self._kill_at
            if killing:
                self._kill_all()
            self._watch.wait(_KILLING_INTERVAL_S if killing else self._patience_s())
        self._tell({"gone": True})

    def _any_left(self) -> bool:
        ended, any_left = _reap()
        if self._program.pid in ended:
            self._program.returncode = ended[self._program.pid]
            self._tell({"returncode": self._program.returncode})
            if self._kill_at < math.inf:  # asked to end, and the program has: now the rest
                self._hurry()
        return any_left or (sys.platform != "linux" and self._signal_group(0))

    def _patience_s(self) -> float | None:
        return None if self._kill_at == math.inf else max(0.0, self._kill_at - time.monotonic())

    def _obey(self) -> bool:
        try:
            while (request := self._channel.receive(timeout_s=0)) is not None:
                self._end_within(request["grace_s"])
        except EOFError:  # the harness is gone
            self._hurry()
            return False
        return True

    def _end_within(self, grace_s: float) -> None:
        if grace_s > 0 and self._program.returncode is None:
            kill(self._program.pid, signal.SIGTERM)
            self._kill_at = min(self._kill_at, time.monotonic() + grace_s)
        else:
            self._hurry()

    def _lose_supervisor(self) -> bool:
        self._supervised = False
        self._hurry()
        return False

    def _hurry(self) -> None:
        self._kill_at = -math.inf

    def _kill_all(self) -> None:
        # A fork can slip through one pass; its parent was killed, so the next pass finds it here.
        for pid in _descendants(os.getpid()):
            kill(pid)
        if sys.platform != "linux":
            self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: int) -> bool:
        """Without subreapers: signal the program's process group; whether any of it is left."""
        try:
            os.killpg(self._program.pid, number)
        except (ProcessLookupError, PermissionError):  # the latter if it holds only zombies
            return False
        return True

    def _tell(self, event: Mapping[str, object]) -> None:
        # Without the supervisor a channel ends without `gone`, so that the harness does not take
        # our killing for the program's own death. A harness that is gone needs no news.
        if self._supervised:
            with contextlib.suppress(OSError):
                self._channel.send(event)


def _launch(request: Mapping[str, Any], output: int) -> subprocess.Popen[bytes]:
    """Start the program; OSError, ValueError or SubprocessError when that is impossible."""
    keeper = os.getpid()

    # What runs here, between fork and exec, can deadlock in a process with threads: a keeper has
    # one. The parent-death signal reaches the program alone (fork clears it).
    def prepare() -> None:
        for number in _IGNORED:  # an ignored signal stays ignored through exec
            signal.signal(number, signal.SIG_DFL)
        if sys.platform == "linux":
            _prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
        if os.getppid() != keeper:  # it was gone before it could be tied to us
            os._exit(1)

    with _pinned(request["cpus"]):
        return subprocess.Popen(
            request["argv"],
            cwd=request["cwd"],
            env=request["env"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509  - one thread, as said above
        )


@contextlib.contextmanager
def _pinned(cpus: list[int] | None) -> Iterator[None]:
    """Be on these CPUs meanwhile: what is started then, its threads and children inherit them."""
    if cpus is None:
        yield
        return
    if sys.platform != "linux":
        raise ValueError("this system cannot pin a process to CPUs; start it without")
    before = os.sched_getaffinity(0)
    with contextlib.suppress(OSError):  # the comparison says it better
        os.sched_setaffinity(0, cpus)
    granted = os.sched_getaffinity(0)
    try:
        if granted != set(cpus):
            raise ValueError(f"asked to run on CPUs {cpus}, the system grants {sorted(granted)}")
        yield
    finally:
        os.sched_setaffinity(0, before)


def _failure(error: Exception) -> dict[str, object]:
    return {
        "errno": getattr(error, "errno", None),
        "filename": getattr(error, "filename", None),
        "reason": getattr(error, "strerror", None) or str(error),
    }


class _Supervisor:
    """Forks keepers, and kills what a killed keeper leaves behind."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._harness_there = True
        self._keepers: set[int] = set()
        self._lifeline, self._life = os.pipe()  # a keeper reads the end of file when we are gone
        self._watch = _Watch()
        self._watch.add(control, self._fork_keeper)

    def run(self) -> None:
        """Serve until the harness is gone, and then until every keeper and stray is."""
        adopt_orphans(True)
        strays: set[int] = set()
        while True:
            ended, any_left = _reap()
            if not (any_left or self._harness_there):
                return
            self._keepers -= ended.keys()
            if ended or strays:
                strays = set(children(os.getpid())) - self._keepers
                for pid in strays:
                    kill(pid)
            self._watch.wait(_KILLING_INTERVAL_S if strays else None)

    def _fork_keeper(self) -> bool:
        byte, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
        if not byte:  # the harness is gone
            self._harness_there = False
            os.close(self._life)
            return False
        channel, output = Channel(socket.socket(fileno=descriptors[0])), descriptors[1]
        try:
            pid = os.fork()
        except OSError as error:
            channel.send(_failure(error))
        else:
            if pid == 0:
                os.close(self._life)
                self._control.close()
                _Keeper(channel, self._lifeline).run(output)
                os._exit(0)  # an interpreter takes milliseconds to end in order
            self._keepers.add(pid)
        channel.close()
        os.close(output)
        return True


def main() -> None:
    """Serve the control socket whose descriptor is the first argument; then remove the scratch folder."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _Supervisor(control).run()
    for scratch in sys.argv[2:]:
        shutil.rmtree(scratch, ignore_errors=True)  # of what resists, the next harness takes care


if __name__ == "__main__":
    main()
