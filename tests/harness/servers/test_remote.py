"""Where load may go: judged by addresses, all of them, once."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

import psutil
import pytest
from click.testing import CliRunner

from harness.cli import doctor
from harness.cli.remote import marked_remote
from harness.servers.remote import endpoint_to_ask, placed
from harness.suites.endpoint import endpoint_of, is_loopback
from harness.suites.matrix import PlannedCase, cases_of
from harness.trials.verify import address_of
from results.errors import UsageError
from tests.harness.examples import HEAD, SCENARIO, suite_of

TARGET = """
[[target]]
name = "there"
url = "{url}"
baseline = "/whole"
stream = "/rows"
"""


def cases(url: str, more: str = "") -> list[PlannedCase]:
    return cases_of(suite_of(HEAD + TARGET.format(url=url) + more + SCENARIO))


class Names:
    """Answers for the resolver: each time the next of its answers, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        families = [socket.AF_INET6 if ":" in item else socket.AF_INET for item in answer]
        return [
            (family, socket.SOCK_STREAM, 6, "", (item, port))
            for family, item in zip(families, answer, strict=True)
        ]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("fe80::1%lo", False),
    ],
)
def test_loopback(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


def test_a_name_is_here_only_if_all_its_addresses_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(["127.0.0.1", "192.0.2.7"]))
    with pytest.raises(UsageError, match=r"there: shop\.test:80 .*192\.0\.2\.7.*--allow-remote"):
        placed(cases("http://shop.test:80"), allow_remote=False)
    monkeypatch.setattr(socket, "getaddrinfo", Names(["::1", "127.0.0.1"]))
    (whole, *_) = placed(cases("http://shop.test:8000/"), allow_remote=False)
    assert whole.endpoint is not None
    assert (whole.endpoint.address, whole.endpoint.is_remote) == ("127.0.0.1", False)


def test_a_name_is_looked_up_once_and_what_was_judged_is_what_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names(["127.0.0.1"], ["192.0.2.7"])
    monkeypatch.setattr(socket, "getaddrinfo", names)
    found = placed(cases("http://shop.test:8000"), allow_remote=False)
    addresses = [address_of(planned, 8000) for planned in found]
    assert {(item.host, item.authority) for item in addresses} == {("127.0.0.1", "shop.test:8000")}
    assert names.asked == 1


def test_what_nobody_has_placed_is_asked_only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(["192.0.2.7"]))
    with pytest.raises(UsageError, match="--allow-remote"):
        endpoint_to_ask(cases("http://shop.test:80")[0])


def test_a_process_or_a_proxy_of_ours_has_no_place_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(["192.0.2.7"]))
    with pytest.raises(UsageError, match="pid names a process of this machine"):
        placed(
            cases_of(suite_of(HEAD + TARGET.format(url="http://a.test:1") + "pid = 1\n" + SCENARIO)),
            allow_remote=True,
        )
    with pytest.raises(UsageError, match="proxy of ours passes on to 127"):
        placed(cases("http://a.test:1", '[[proxy]]\nkind = "nginx"\n'), allow_remote=True)


def test_a_run_there_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(["192.0.2.7"]))
    found = placed(cases("http://shop.test:80"), allow_remote=True)
    assert marked_remote({}, found) == {"remote_targets": {"there": "shop.test:80 (192.0.2.7)"}}
    assert marked_remote({}, cases("http://127.0.0.1:1")) == {}


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, socket.socket]]:
    """A listener on an address of this machine that is not the loopback's."""
    own = [
        item.address
        for items in psutil.net_if_addrs().values()
        for item in items
        if item.family == socket.AF_INET and not is_loopback(item.address)
    ]
    if not own:
        pytest.skip("this machine has a loopback interface only")
    with socket.create_server((own[0], 0)) as listener:
        listener.setblocking(False)
        yield f"http://{own[0]}:{listener.getsockname()[1]}/x", listener


def test_the_doctor_does_not_even_connect_unless_it_is_told_to(elsewhere: tuple[str, socket.socket]) -> None:
    url, listener = elsewhere
    refused = CliRunner().invoke(doctor.command, [url])
    assert isinstance(refused.exception, UsageError)
    assert "--allow-remote" in str(refused.exception)
    with pytest.raises(BlockingIOError):
        listener.accept()
    asked = CliRunner().invoke(doctor.command, [url, "--allow-remote", "--longest", "50ms"])
    assert "WARNING" in asked.stderr
    assert url.split("/")[2] in asked.stderr
    connection, _ = listener.accept()
    connection.close()


def test_a_url_is_of_a_server_with_or_without_a_port() -> None:
    assert endpoint_of("http://127.0.0.1").port == 80
    assert endpoint_of("http://[::1]:8000/").address == "::1"
    for url in ("http://[::1]:8000", "http://shop.example.com", "http://10.0.0.1/"):
        assert cases(url)


def test_workers_on_other_machines_ask_at_an_address_that_they_reach() -> None:
    with pytest.raises(UsageError, match=r"have it listen at 10\.1\.2\.3, and name that"):
        placed(cases("http://127.0.0.1:8000"), allow_remote=True, listen="10.1.2.3")
    (here, *_) = placed(cases("http://10.1.2.3:8000", "pid = 1\n"), allow_remote=False, listen="10.1.2.3")
    assert here.endpoint is not None
    assert not here.endpoint.is_remote
    with pytest.raises(UsageError, match="--allow-remote"):
        placed(cases("http://10.1.2.4:8000"), allow_remote=False, listen="10.1.2.3")
