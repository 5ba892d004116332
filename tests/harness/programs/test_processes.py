"""Real programs are started and ended; whatever they do, nothing is left of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.programs import supervisor
from harness.programs.processes import Processes, StartError, StopError
from results.errors import MeasurementError

from .branded import Brand, Start, children_of_keeper, descendants, linux, new_brand, wait_for, words_after

if TYPE_CHECKING:
    from collections.abc import Iterator

ETERNITY_S = 3600.0  # a test that waits for it fails by its time limit


@pytest.fixture
def brand() -> Iterator[Brand]:
    with new_brand() as brand:
        yield brand


@pytest.fixture
def processes(brand: Brand) -> Iterator[Processes]:
    with Processes() as processes:
        yield processes


@pytest.fixture
def start(processes: Processes, brand: Brand, tmp_path: Path) -> Start:
    return Start(processes, brand, tmp_path)


class TestStart:
    def test_exit_code_and_output(self, start: Start) -> None:
        process = start("sh", "-c", "echo to stdout; echo to stderr >&2; pwd; exit 7")
        assert process.wait(10) == 7
        assert process.returncode == 7
        assert process.output_tail() == f"to stdout\nto stderr\n{start.folder}\n"
        assert process.output_tail(limit_bytes=5) == f"{start.folder}\n"[-5:]

    def test_death_by_signal_is_a_negative_return_code(self, start: Start) -> None:
        process = start("sh", "-c", "kill -QUIT $$")
        assert process.wait(10) == -signal.SIGQUIT

    def test_a_running_program_has_no_return_code(self, start: Start) -> None:
        process = start.zoo("sleeper")
        assert process.returncode is None
        assert process.wait(0.01) is None
        assert psutil.Process(process.pid).is_running()

    def test_nothing_but_the_given_environment_and_descriptors(self, start: Start) -> None:
        inheritable, other_end = os.pipe()
        os.set_inheritable(inheritable, True)
        code = "import json, os; print(json.dumps([[*os.environ], os.listdir('/dev/fd')]))"
        process = start(sys.executable, "-I", "-S", "-c", code)
        os.close(inheritable)
        os.close(other_end)
        assert process.wait(10) == 0
        environment, descriptors = json.loads(process.output_tail())
        assert {*environment} - {"LC_CTYPE"} == {*start.brand.env}  # the former is Python's own
        assert {*descriptors} == {"0", "1", "2", "3"}  # the last is the listing itself

    def test_signals_that_the_supervisor_ignores_work_in_the_program(self, start: Start) -> None:
        for name in ("INT", "TERM", "HUP", "PIPE"):
            assert start("sh", "-c", f"kill -{name} $$; sleep 600").wait(10) == -getattr(signal, f"SIG{name}")

    @pytest.mark.parametrize(
        ("argv", "remedy"),
        [
            (["no-such-program"], "none of the folders of PATH"),
            (["./no-such-file"], "correct the path"),
            (["./not-executable"], "chmod"),
            (["./no-interpreter"], "interpreter"),
            (["ends-in-\0"], "null byte"),
        ],
    )
    def test_an_impossible_program(self, start: Start, argv: list[str], remedy: str) -> None:
        (start.folder / "not-executable").touch(mode=0o600)
        script = start.folder / "no-interpreter"
        script.write_text("#!/no/such/interpreter\n")
        script.chmod(0o700)
        with pytest.raises(StartError, match=remedy) as caught:
            start(*argv)
        assert str(caught.value).startswith(argv[0])
        assert isinstance(caught.value, MeasurementError)
        assert start("true").wait(10) == 0, "the next one starts"

    def test_an_interrupted_start_leaves_nothing(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(channel: supervisor.Channel, timeout_s: float) -> None:
            wait_for(start.brand.bearers)  # it runs, and nobody has been told
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(supervisor.Channel, "receive", interrupt)
            with pytest.raises(KeyboardInterrupt):
                start.zoo("stubborn")
        wait_for(lambda: not start.brand.bearers())

    def test_impossible_circumstances(self, processes: Processes, brand: Brand) -> None:
        nowhere, null = Path("/no/such/folder"), Path("/dev/null")
        with pytest.raises(StartError, match=r"folder /no/such/folder cannot be entered"):
            processes.start(["true"], cwd=nowhere, env=brand.env, output=null)
        with pytest.raises(StartError, match=r"output file /no/such/folder/output"):
            processes.start(["true"], cwd=Path("/"), env=brand.env, output=nowhere / "output")
        with pytest.raises(StartError, match=r"CPUs \[100000\]|cannot pin"):
            processes.start(["true"], cwd=Path("/"), env=brand.env, output=null, cpus=[100_000])

    @linux
    def test_descendants_inherit_the_cpus(self, start: Start) -> None:
        for cpu in sorted(os.sched_getaffinity(0))[-2:]:
            process = start.zoo("affinity", cpus=[cpu])
            assert words_after(process, "ready") == [f" [{cpu}]."]
        free = start.zoo("affinity")
        assert words_after(free, "ready") == [f" {sorted(os.sched_getaffinity(0))}."]


class TestStop:
    def test_sigterm_suffices_for_a_polite_program(self, start: Start) -> None:
        process = start.zoo("sleeper")
        words_after(process, "ready")
        process.stop(grace_s=ETERNITY_S)
        assert process.returncode == -signal.SIGTERM
        assert not start.brand.bearers()
        process.stop()  # twice is no error

    def test_a_program_that_ignores_sigterm_is_killed(self, start: Start) -> None:
        process = start.zoo("stubborn")
        words_after(process, "ready")
        process.stop(grace_s=0.05)
        assert process.returncode == -signal.SIGKILL
        assert not start.brand.bearers()

    def test_kill_gives_no_grace(self, start: Start) -> None:
        process = start.zoo("sleeper")
        process.kill()
        assert process.returncode == -signal.SIGKILL
        assert not start.brand.bearers()

    @linux
    def test_children_and_daemons_go_with_it(self, start: Start) -> None:
        process = start.zoo("parent")
        pids = [int(pid) for pid in words_after(process, "ready", times=2)]
        sessions = {os.getsid(pid) for pid in (process.pid, *pids)}
        assert len(sessions) == 2, "one has a session of its own"
        process.stop(grace_s=ETERNITY_S)
        assert process.returncode == -signal.SIGTERM
        assert not start.brand.bearers()

    @linux
    def test_a_daemon_whose_parents_are_long_gone(self, start: Start) -> None:
        process = start.zoo("deserter")
        [daemon] = words_after(process, "ready")
        assert process.wait(10) == 0
        assert [child.pid for child in children_of_keeper(process)] == [int(daemon)]
        process.stop()
        assert not start.brand.bearers()

    @linux
    def test_only_its_own_tree(self, start: Start) -> None:
        ended, kept = start.zoo("parent"), start.zoo("parent")
        words_after(ended, "ready", times=2)
        pids = [int(pid) for pid in words_after(kept, "ready", times=2)]
        ended.kill()
        assert sorted(start.brand.bearers()) == sorted([kept.pid, *pids])

    @linux
    @pytest.mark.parametrize("attempt", range(5))
    def test_forks_that_race_with_it(self, start: Start, attempt: int) -> None:
        process = start.zoo("breeder")
        words_after(process, "ready", times=20)
        process.stop(grace_s=0.02 * attempt)
        births = process.output.stat().st_size
        assert not start.brand.bearers()
        time.sleep(0.05)
        assert process.output.stat().st_size == births

    def test_a_worker_that_waits_for_a_stalled_reader(self, start: Start) -> None:
        process = start.zoo("stalled")
        [port] = words_after(process, "port")
        with socket.create_connection(("127.0.0.1", int(port.strip(" ."))), timeout=10) as reader:
            words_after(process, "ready")
            process.stop(grace_s=0.05)
            assert not start.brand.bearers()
            with contextlib.suppress(ConnectionResetError):
                while reader.recv(1 << 20):  # ends only if nobody holds the other end
                    continue

    @linux
    def test_gunicorn_workers_whose_master_was_killed(self, start: Start) -> None:
        (start.folder / "endless.py").write_text(
            "import itertools\n"
            "def app(environ, start_response):\n"
            "    start_response('200 OK', [('Content-Length', str(1 << 40))])\n"
            "    return itertools.repeat(b'x' * 65536)\n"
        )
        gunicorn = [sys.executable, "-m", "gunicorn", "--workers=2", "--bind=127.0.0.1:0"]
        process = start(*gunicorn, "endless:app")
        [rest] = words_after(process, "Listening at: http://127.0.0.1:")
        words_after(process, "Booting worker", times=2)
        with socket.create_connection(("127.0.0.1", int(rest.split()[0])), timeout=10) as reader:
            reader.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert reader.recv(4).startswith(b"HTTP")
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait(10) == -signal.SIGKILL
            assert children_of_keeper(process), "the one with the stalled reader is still there"
            process.stop()
        assert not start.brand.bearers()

    @linux
    def test_no_zombies(self, start: Start) -> None:
        before = descendants()
        alive = start.zoo("sleeper")
        for _ in range(5):
            process = start.zoo("deserter")
            words_after(process, "ready")
            process.stop()
        brief = start("sh", "-c", "for i in 1 2 3 4 5; do (sleep 0.01 &); done; echo ready; cat")
        words_after(brief, "ready")
        brief.wait(10)
        lasting = {alive.keeper_pid, alive.pid}
        wait_for(lambda: descendants() - before == lasting)

    def test_what_survives_is_told(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        process = start.zoo("sleeper")
        with monkeypatch.context() as patch:
            patch.setattr("harness.programs.processes._KILL_TIMEOUT_S", 0.05)
            os.kill(process.keeper_pid, signal.SIGSTOP)
            with pytest.raises(StopError, match="still there"):
                process.kill()
        os.kill(process.keeper_pid, signal.SIGCONT)
        process.stop()
        assert not start.brand.bearers()


@linux
def test_a_supervisor_that_cannot_start_is_told_and_leaves_no_socket(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(StartError, match=r"supervisor .* did not start: .*No such file"), Processes():
        pytest.fail("it has no supervisor")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_children_where_the_kernel_does_not_list_them(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start.zoo("sleeper")
    monkeypatch.setattr(supervisor, "_HAS_CHILDREN_FILES", False)
    assert supervisor.children(process.keeper_pid) == [process.pid]
    assert supervisor.children(process.pid) == []
