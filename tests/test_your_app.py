"""docs/your-app.md, walked: its files, outside of the repository, and its commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from harness.suites.file import load_suite, parse_suite
from harness.suites.lines import Line
from harness.suites.matrix import cases_of
from harness.suites.plan import make_plan
from harness.suites.suite import SCENARIOS
from harness.suites.target import Target
from results.errors import ExitCode
from results.store import Store
from targets.middleware import BUILT_IN, NONE
from targets.proxies import nginx
from targets.servers import KINDS
from targets.servers.launched import Launched
from tests.cli.conftest import once
from tests.cli.spoilt import again_while_spoilt
from tests.harness.examples import ORDERS, suite_of

TEXT = (Path(__file__).parent.parent / "docs" / "your-app.md").read_text("utf-8")


def test_its_files_and_commands_lead_to_an_answer(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    files = dict(re.findall(r"<!-- walked: (\S+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL))
    assert files.keys() == {"shop.py", "orders.toml"}
    (shop / "shop.py").write_text(files["shop.py"], "utf-8")
    lines = re.findall(r"^\./run\.sh ((?:init|plan|run) .*)$", TEXT, re.MULTILINE)
    commands = [shlex.split(line) for line in lines]
    assert [words[0] for words in commands] == ["init", "plan", "run"]

    begun = once(tmp_path, *commands[0])
    assert begun.returncode == ExitCode.GOOD, begun.stderr
    assert "Every streamed response is its whole form, byte for byte." in begun.stdout
    suite = shop / "orders.toml"
    made, shown = load_suite(str(suite)), parse_suite(files["orders.toml"], "docs/your-app.md", shop)
    # how long a response takes here decides the window
    assert made.model_copy(update={"window": shown.window}) == shown.with_source(made.text, made.folder)
    # the way is walked, not the distance
    quick = re.sub(r'^(window|warmup) = "\S+"', r'\1 = "0.2s"', made.text, flags=re.MULTILINE)
    suite.write_text(quick, "utf-8")

    planned = once(tmp_path, *commands[1])
    assert planned.returncode == ExitCode.GOOD, planned.stderr
    assert "GET /orders.csv?rows=20, collected before it is sent" in planned.stdout
    # one block instead of eight: what is walked is the way, and not the figures
    words = [*commands[2], "--blocks", "1", "--output", "orders.sqlite", "--no-report"]
    done = again_while_spoilt(lambda: once(tmp_path, *words), tmp_path)
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "orders.csv rows=500" in done.stdout
    with Store.open(tmp_path / "orders.sqlite") as store:
        run = store.read()
    assert len({found.digest for found in run.verifications.values()}) == 1


def test_every_key_server_and_option_is_told() -> None:
    for key in Target.model_fields.keys() - {"axes"}:
        assert re.search(rf"^\| .*`{key}`", TEXT, re.MULTILINE), key
    for kind, server in KINDS.items():
        (row,) = re.findall(rf"^\| `{kind}` \|.*$", TEXT, re.MULTILINE)
        options = server.known if isinstance(server, Launched) else ("worker_class", "workers", "preload")
        assert all(f"`{name}`" in row for name in options)


def test_every_proxy_option_and_middleware_is_told() -> None:
    for name in nginx.KNOWN:
        assert re.search(rf"^\| `{name}` \| .*`proxy_|^\| `{name}` \| `gzip`", TEXT, re.MULTILINE), name
    told = " ".join(re.findall(r"^\| (`[a-z].*?) \|", TEXT, re.MULTILINE))
    assert all(f"`{name}`" in told for name in (NONE, *BUILT_IN))


def test_every_scenario_and_key_is_told_and_its_scenarios_can_be_asked(tmp_path: Path) -> None:
    for kind, table in SCENARIOS.items():
        (row,) = re.findall(rf"^\| `{kind}` \|.*$", TEXT, re.MULTILINE)
        keys = table.model_fields.keys() - {"kind", "keep_alive"}
        if kind == "slow-reader":  # "and all of `mixed`"
            keys -= SCENARIOS["mixed"].model_fields.keys()
        assert all(f"`{key}`" in row for key in keys)
    (scenarios,) = re.findall(r"<!-- read: scenarios -->\n```toml\n(.*?)```", TEXT, re.DOTALL)
    (layers,) = re.findall(r"<!-- read: layers -->\n```toml\n(.*?)```", TEXT, re.DOTALL)
    cases = cases_of(parse_suite(f'name = "scenarios"\n{layers}\n{scenarios}', "your-app.md", tmp_path))
    assert {planned.case.parameters["scenario"] for planned in cases} == {
        "mixed",
        "slow-reader",
        "hang-up",
    }
    assert make_plan(cases, blocks=1, seed=1, warmup_s=0.5, window_s=3).slots


def test_its_layers_are_as_many_cases_as_it_says(tmp_path: Path) -> None:
    (layers,) = re.findall(r"<!-- read: layers -->\n```toml\n(.*?)```", TEXT, re.DOTALL)
    text = f'name = "layers"\n{layers}\n[[scenario]]\nkind = "download"\n'
    cases = cases_of(parse_suite(text, "your-app.md", tmp_path))
    assert "here nine" in TEXT
    assert [planned.case.is_baseline for planned in cases].count(False) == 9


def test_its_lines_are_lines() -> None:
    (lines,) = re.findall(r"<!-- read: network -->\n```toml\n(.*?)```", TEXT, re.DOTALL)
    found = [line for table in suite_of(ORDERS + lines).network for line in table.lines()]
    assert found == [Line(10**7, 0.0), Line(None, 0.0), Line(5 * 10**7, 0.02)]
    for word in ("rate", "delay", "line_rate", "line_delay"):
        assert f"`{word}`" in TEXT or f"{word} =" in TEXT
