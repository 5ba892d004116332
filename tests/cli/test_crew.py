"""``--processes``, ``--listen`` and ``worker`` as words: what fits together, and what a run keeps of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.crew import given_token, told_how_to_join, warn_of_idle, words_again
from harness.loading.crew import Crew, own_crew
from harness.programs.ports import free_port, parted
from results.store import Store
from scenarios.specification import Arrivals, Download
from tests.cli.conftest import Streamgauge, once

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--processes 2 --listen 127.0.0.1", "give one of them"),
        ("--expect-workers 2", "give --listen too"),
        ("--enough-workers 2", "give --listen too"),
        ("--token-file there", "give --listen too"),
        ("--listen 127.0.0.1", "say for how many with --expect-workers"),
        ("--listen 127.0.0.1 --expect-workers 2 --enough-workers 3", "cannot be more than"),
        ("--listen 0.0.0.0 --expect-workers 2", "reached at one address and nowhere else"),
        ("--listen 127.0.0.1:{port} --expect-workers 2 --quiet", "would tell nobody a new token"),
        ("--listen [::] --expect-workers 2", "reached at one address and nowhere else"),
        ("--listen fe80::1%lo --expect-workers 2", "reached at one address and nowhere else"),
        ("--listen localhost --expect-workers 2", "give one IP address"),
        ("--listen 127.0.0.1:0 --expect-workers 2", "nobody can be asked at port 0; give one IP address"),
        ("--listen 2001:db8::77 --expect-workers 2", "Cannot assign requested address"),
        ("--listen 192.0.2.77 --expect-workers 2", "Cannot assign requested address"),
        ("--listen 127.0.0.1:{port} --expect-workers 2 --token-file none", "No such file"),
        ("--listen 127.0.0.1:{port} --expect-workers 2 --token-file short", "at least 16 are needed"),
    ],
)
def test_words_that_do_not_fit_are_refused_before_anything_starts(
    streamgauge: Streamgauge, tiny: Path, words: str, said: str
) -> None:
    (tiny.parent / "short").write_text("secret")
    done = streamgauge("run", str(tiny), *words.format(port=free_port()).split())
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert not list(tiny.parent.glob("**/*.sqlite"))


@pytest.mark.parametrize(
    ("word", "given", "words", "said"),
    [
        (
            "[[scenario]]",
            '[[network]]\nrate = "10 Mbit/s"\n',
            "--listen 127.0.0.1:{port} --expect-workers 2",
            "has a [[network]]",
        ),
        (
            "ready =",
            f'body = "{"x" * (5 << 20)}"\nmethod = "POST"\n',
            "--processes 2",
            "flights.csv: its body of 5,242,880 bytes is too long",
        ),
    ],
)
def test_what_several_cannot_ask_is_refused_before_anything_starts(
    streamgauge: Streamgauge, tiny: Path, word: str, given: str, words: str, said: str
) -> None:
    tiny.write_text(tiny.read_text().replace(word, given + word, 1))
    done = streamgauge("run", str(tiny), *words.format(port=free_port()).split())
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert not list(tiny.parent.glob("**/*.sqlite"))


@pytest.mark.parametrize(
    ("words", "variables", "code", "said"),
    [
        ("", {"STREAMGAUGE_TOKEN": TOKEN}, 2, "Missing option '--master'"),
        ("--master 127.0.0.1", {}, 2, "no token: set STREAMGAUGE_TOKEN"),
        ("--master 10.0.0.0/8", {"STREAMGAUGE_TOKEN": TOKEN}, 2, "no host with a port"),
        (
            "--master 10.0.0.999 --patience 1s",
            {"STREAMGAUGE_TOKEN": TOKEN},
            3,
            "no IPv4 address of 10.0.0.999 is known",
        ),
        ("--master 127.0.0.1:x", {"STREAMGAUGE_TOKEN": TOKEN}, 2, "HOST:PORT"),
        ("--master 127.0.0.1:1 --patience 1s", {"STREAMGAUGE_TOKEN": TOKEN}, 3, "no run listens on"),
    ],
)
def test_a_worker_that_cannot_join_says_why(
    tmp_path: Path, words: str, variables: dict[str, str], code: int, said: str
) -> None:
    done = once(tmp_path, "worker", *words.split(), **variables)
    assert done.returncode == code
    assert said in " ".join(done.stderr.split())


def test_a_run_by_two_processes_keeps_who_made_it_and_goes_on_with_as_many(
    streamgauge: Streamgauge, tiny: Path
) -> None:
    tiny.write_text(tiny.read_text().replace("users = 1", "users = 2"))
    done = streamgauge("run", str(tiny), "--processes", "2", "--output", "two.sqlite")
    assert done.returncode == 0, done.stderr
    path = tiny.parent / "two.sqlite"
    with Store.open(path) as store:
        run = store.read()
        assert [worker.number for worker in run.workers] == [0, 1]
        assert all(len(trial.workers) == 2 for trial in run.trials)
        assert {point.worker for point in run.calibration} == {0, 1}
    assert run.header.environment["load_processes"] == {"here": 2}
    assert TOKEN not in done.stdout
    assert streamgauge("run", "--resume", str(path)).returncode == 0, "complete, and by as many"
    other = streamgauge("run", "--resume", str(path), "--processes", "3")
    assert other.returncode == 2
    assert "is made by 3 load processes here" in other.stderr


def test_those_who_will_have_nothing_to_do_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    crew = own_crew(3, TOKEN)
    warn_of_idle(crew, [Download(1), Arrivals(20, "poisson", 3)])
    assert capsys.readouterr().err == ""
    warn_of_idle(crew, [Download(1), Download(2)])
    said = " ".join(capsys.readouterr().err.split())
    assert "3 load processes are asked for, and no case has more than 2 users" in said


def test_how_to_join_and_to_go_on_can_be_typed_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGAUGE_COMMAND", "./run.sh")
    crew = Crew(3, 2, "10.0.0.1", 5557, TOKEN)
    assert f"STREAMGAUGE_TOKEN={TOKEN} ./run.sh worker --master 10.0.0.1:5557" in told_how_to_join(crew)
    assert TOKEN not in told_how_to_join(replace(crew, token_is_new=False))
    assert words_again(crew) == [
        "--listen",
        "10.0.0.1:5557",
        "--expect-workers",
        "3",
        "--enough-workers",
        "2",
    ]
    assert words_again(own_crew(2, TOKEN)) == words_again(None) == []
    assert "--master '[fd00::1]:5557'" in told_how_to_join(replace(crew, host="fd00::1"))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("load.example", ("load.example", 5557)),
        ("10.0.0.1:80", ("10.0.0.1", 80)),
        ("fd00::1", ("fd00::1", 5557)),
        ("[fd00::1]", ("fd00::1", 5557)),
        ("[fd00::1]:80", ("fd00::1", 80)),
    ],
)
def test_an_address_may_have_a_port(given: str, found: tuple[str, int]) -> None:
    assert parted(given, 5557) == found


@pytest.mark.parametrize("given", ["", ":80", "10.0.0.1:x", "10.0.0.1:65536", "me@there", "a/b", "[fd00::1"])
def test_what_is_no_address_is_told_as_such(given: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        parted(given, 5557)


def test_a_token_that_others_of_the_machine_could_take_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    for mode, told in ((0o600, False), (0o640, True), (0o604, True)):
        file.chmod(mode)
        assert given_token(file) == TOKEN
        assert ("chmod 600" in capsys.readouterr().err) is told
