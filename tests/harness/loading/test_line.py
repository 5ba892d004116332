"""A line of a known rate: what goes through it, what is left of it, what a machine without one is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness.loading import line as shaping
from harness.loading.line import LineFailed, LineGone, Link, check_line, linked
from harness.programs.processes import Processes
from harness.servers.proxying import find_program
from harness.suites.lines import Line
from harness.suites.matrix import PlannedCase, cases_of
from results.errors import UsageError
from tests.harness.examples import HEAD, SCENARIO, SERVER, TARGET, suite_of
from tests.programs import need_mounts, need_network_namespaces

#: Reads all that comes, and prints how many bytes a second came after the first.
_READ = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.recv(1 << 20)
begun, count = time.monotonic(), 0
while data := connection.recv(1 << 20):
    count += len(data)
print(count / (time.monotonic() - begun))
"""


def cases(network: str) -> list[PlannedCase]:
    return cases_of(suite_of(HEAD + TARGET + SERVER + network + SCENARIO))


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    need_network_namespaces()
    with (
        tempfile.TemporaryDirectory(prefix="sg-") as folder,
        Processes() as processes,
        linked(processes, Path(folder)) as there,
    ):
        yield there


def bytes_a_second(link: Link, size: int) -> float:
    """How fast so many bytes go to the load's end."""

    def send() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(bytes(size))

    with socket.create_server((link.host, 0)) as listener:
        sender = threading.Thread(target=send)
        sender.start()
        done = subprocess.run(
            [*link.prefix, sys.executable, "-c", _READ, link.host, str(listener.getsockname()[1])],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        sender.join()
    return float(done.stdout)


@pytest.mark.parametrize("mbit", [8, 40])
def test_a_rate_is_what_goes_through(link: Link, mbit: int) -> None:
    """A frame of 1,514 bytes holds 1,448 of content."""
    link.shape(Line(mbit * 10**6, 0.0))
    rate = mbit * 10**6 / 8
    assert 0.8 * rate < bytes_a_second(link, round(rate)) < 1.02 * rate * 1448 / 1514


def test_without_a_limit_it_is_as_before(link: Link) -> None:
    link.shape(Line(8 * 10**6, 0.0))
    link.shape(Line(None, 0.0))
    assert bytes_a_second(link, 20_000_000) > 20 * 10**6
    for begin, device in ([], link.interface), (link.prefix, "load"):
        words = [*begin, "tc", "qdisc", "show", "dev", device]
        assert "noqueue" in subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_what_a_queue_drops_is_counted_and_nothing_else(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    rate = Line(40 * 10**6, 0.0)
    link.shape(rate)
    before = link.dropped()
    bytes_a_second(link, 500_000)
    assert link.dropped().since(before).packets == 0
    monkeypatch.setattr(shaping, "_LEAST_QUEUE_BYTES", 8000)
    monkeypatch.setattr(shaping, "_QUEUE_S", 0.0)
    link.shape(rate)
    before = link.dropped()
    bytes_a_second(link, 500_000)
    dropped = link.dropped().since(before)
    assert dropped.to_load > 0
    assert dropped.to_server == 0  # acknowledgements, and there was room for them


def test_the_other_direction_is_shaped_too(link: Link) -> None:
    link.shape(Line(8 * 10**6, 0.0))
    words = [*link.prefix, "tc", "qdisc", "show", "dev", "load"]
    assert "tbf" in subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_a_delay_is_there_or_refused_by_name(link: Link) -> None:
    (planned, *_) = cases('[[network]]\ndelay = "30ms"\n')
    probe = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        with pytest.raises(UsageError, match=r"its kernel cannot make a delay \(netem\).*modprobe sch_netem"):
            check_line([planned])
        with pytest.raises(LineFailed, match="netem"):
            link.shape(Line(None, 0.03))
        return
    check_line([planned])
    link.shape(Line(8 * 10**6, 0.03))
    with socket.create_server((link.host, 0)) as listener:
        code = f"import socket; socket.create_connection(({link.host!r}, {listener.getsockname()[1]}))"
        begun = time.monotonic()
        subprocess.run([*link.prefix, sys.executable, "-c", code], check=True)
        assert time.monotonic() - begun > 0.06


def test_what_clients_left_in_the_queue_is_not_before_the_next_trial(link: Link) -> None:
    link.shape(Line(100_000, 0.0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for _ in range(20):
            sender.sendto(bytes(1400), (link.there, 9))
    assert waiting_bytes(link) > 10_000
    link.shape(Line(100_000, 0.0))
    assert waiting_bytes(link) == 0


def waiting_bytes(link: Link) -> int:
    words = ["tc", "-s", "-j", "qdisc", "show", "dev", link.interface]
    told = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    return int(told[0]["backlog"])


def test_two_links_and_routes_that_are_there_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = ["default", "128.0.0.0/1", "10.0.0.0/8", "198.18.0.0/16"]
    told = json.dumps([{"dst": dst} for dst in routes])
    monkeypatch.setattr(shaping, "_run", lambda *_: told)
    found = [shaping._free_network(number) for number in (0, 1, 20_000, 20_001)]
    assert [str(network) for network in found] == [
        "198.19.0.0/30",
        "198.19.0.0/30",
        "198.19.56.128/30",
        "198.19.56.132/30",
    ]
    told = json.dumps([{"dst": "198.18.0.0/15"}])
    with pytest.raises(
        LineFailed, match=r"routes take all addresses of 198\.18\.0\.0/15 \(198\.18\.0\.0/15\)"
    ):
        shaping._free_network(7)


def test_a_line_whose_holder_was_ended_is_told_to_be_gone() -> None:
    need_network_namespaces()
    with (
        tempfile.TemporaryDirectory(prefix="sg-") as folder,
        Processes() as processes,
        linked(processes, Path(folder)) as link,
    ):
        os.kill(int(link.interface.removeprefix("sg")), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while link.namespace.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(LineGone, match="the load's end of the line is gone"):
            link.shape(Line(None, 0.0))


def test_nothing_is_left_when_its_holder_is_gone() -> None:
    need_network_namespaces()
    code = (
        "import tempfile, time\nfrom pathlib import Path\nfrom harness.loading.line import linked\n"
        "from harness.programs.processes import Processes\n"
        "with tempfile.TemporaryDirectory() as folder, Processes() as processes:\n"
        "    with linked(processes, Path(folder)) as link:\n"
        "        print(link.interface, flush=True)\n"
        "        time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        interface = harness.stdout.readline().strip()
        place = Path("/sys/class/net") / interface
        assert interface
        assert place.exists()
        os.kill(harness.pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while place.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not place.exists()


def refused(folder: Path, before: Sequence[str], verb: str, *words: str) -> str:
    """What a verb says of a suite with a line, behind such words; ``run`` is refused."""
    suite = folder / "line.toml"
    suite.write_text(HEAD + TARGET + SERVER + '[[network]]\nrate = ["10 Mbit/s", "unlimited"]\n' + SCENARIO)
    program = str(Path(sys.executable).with_name("streamgauge"))
    done = subprocess.run(
        [*before, program, verb, str(suite), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(folder)},
        check=False,
    )
    assert done.returncode == (2 if verb == "run" else 0), done.stderr
    return " ".join((done.stderr if verb == "run" else done.stdout).split())


def test_who_may_not_make_namespaces_is_told(tmp_path: Path) -> None:
    need_network_namespaces()
    lowered = ["setpriv", "--bounding-set=-sys_admin,-net_admin", "--inh-caps=-sys_admin,-net_admin"]
    said = refused(tmp_path, lowered, "run")
    assert "[[network]] cannot be had on this machine: it cannot make a network namespace" in said
    assert "run as root" in said


def test_a_root_of_a_user_namespace_only_is_told(tmp_path: Path) -> None:
    need_network_namespaces()
    before = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*before, "unshare", "--net", "true"], check=False).returncode:
        pytest.skip("this machine allows no network namespace in a user namespace: that is refused before")
    said = refused(tmp_path, before, "run")
    assert "it cannot join a network namespace to this one (veth): RTNETLINK answers:" in said
    assert "run as the machine's root" in said


def test_a_program_that_is_missing_is_named_and_the_plan_is_shown_all_the_same(tmp_path: Path) -> None:
    need_network_namespaces()
    tc = find_program("tc")
    assert tc is not None
    hidden = [*need_mounts(), "sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"', str(tc.resolve())]
    told = "[[network]] needs tc, which is not installed; install iproute2 and util-linux"
    assert told in refused(tmp_path, hidden, "run")
    plan = refused(tmp_path, hidden, "plan")
    assert f"Over 2 lines (10Mbit/s, unlimited). {told}" in plan
    assert "line_rate=10Mbit/s" in plan


def test_what_can_be_had_is_planned_and_not_with_a_web_ui(tmp_path: Path) -> None:
    need_network_namespaces()
    assert "Over 2 lines (10Mbit/s, unlimited), which this machine can make." in refused(tmp_path, [], "plan")
    assert "where no browser is; leave --web and --web-port out" in refused(tmp_path, [], "run", "--web")


def test_the_record_has_each_line_s_queues_as_the_kernel_tells_them(link: Link) -> None:
    told = link.described([Line(8 * 10**6, 0.0), Line(None, 0.0)])
    assert (told["server"], told["load"]) == (link.host, link.there)
    for end in ("server", "load"):
        (bucket,) = told["queues"]["8Mbit/s"][end]
        assert (bucket["kind"], bucket["options"]["rate"]) == ("tbf", 10**6)  # bytes a second
        assert [queue["kind"] for queue in told["queues"]["unlimited"][end]] == ["noqueue"]


def test_lines_are_an_axis_and_without_one_cases_keep_their_names() -> None:
    before = [planned.case.identity for planned in cases("")]
    assert all(planned.line is None for planned in cases(""))
    both = cases('[[network]]\nrate = ["10 Mbit/s", "unlimited", "1.5 Gbit/s"]\ndelay = ["0ms", "20ms"]\n')
    assert len(both) == 6 * len(before)
    named = {(p.case.parameters["line_rate"], p.case.parameters.get("line_delay")): p.line for p in both}
    assert named["10Mbit/s", "20ms"] == Line(10**7, 0.02)
    assert named["unlimited", None] == Line(None, 0.0)
    assert named["1500Mbit/s", None] == Line(15 * 10**8, 0.0)
    for planned in both:
        if planned.case.baseline is not None:
            base = next(other for other in both if other.case.identity == planned.case.baseline)
            assert base.line == planned.line


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ('rate = "10"', "not a rate of a line"),
        ('rate = "10 MB/s"', "not a rate of a line"),
        ('rate = "1 kbit/s"', "from 100kbit/s"),
        ("rate = []", "an empty list"),
        ('rate = ["10 Mbit/s", "10Mbit/s"]', "the same value twice"),
        ('delay = "3s"', "less than or equal to 2"),
        ('loss = "1%"', "unknown key; known are rate, delay"),
    ],
)
def test_what_is_no_line_is_refused_with_its_place(network: str, said: str) -> None:
    with pytest.raises(UsageError, match="network") as caught:
        cases(f"[[network]]\n{network}\n")
    assert said in str(caught.value)
