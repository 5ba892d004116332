"""What a redaction takes out of a text, and what it leaves."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.redaction import LEAST_CHARACTERS, MARK, Redaction, has_lost, stored_suite
from harness.suites.file import load_suite
from results.errors import UsageError
from scenarios.built_in import built_in_suites
from tests.harness.examples import HEAD, SCENARIO, SERVER, suite_of

TARGET = """
[[target]]
name = "orders"
app = "shop:app"
baseline = "/whole"
stream = "/rows"
"""


@given(st.text(min_size=LEAST_CHARACTERS).filter(lambda text: len(text.strip()) >= LEAST_CHARACTERS))
def test_it_is_found_as_it_is_and_in_json_urls_and_base64(secret: str) -> None:
    secret = secret.strip()
    redaction = Redaction([(secret, MARK)])
    assert secret not in redaction.text(f"a {secret} b") or secret in MARK
    raw = secret.encode(errors="surrogatepass") if "\ud800" <= max(secret) <= "\udfff" else secret.encode()
    for encoded in (json.dumps(secret), quote(raw, safe=""), base64.b64encode(raw).decode()):
        assert redaction.text(f"({encoded})") != f"({encoded})"


@pytest.mark.parametrize("before", ["", "u", "me", "me:"])
def test_it_is_found_in_the_base64_of_something_longer(before: str) -> None:
    encoded = base64.b64encode(f"{before}hunter2-hunter2:more".encode()).decode()
    cleaned = Redaction([("hunter2-hunter2", MARK)]).text(f"Basic {encoded} end")
    assert MARK in cleaned
    left = cleaned.removeprefix("Basic ").removesuffix(" end").split(MARK)
    assert all(len(part) <= 12 for part in left)


def test_what_is_too_short_to_be_told_from_chance_stays() -> None:
    text = "status 200 after 17 ms"
    assert Redaction([("2", "${N}"), ("17 ms", "${T}"), ("", "${EMPTY}")]).text(text) == text


def test_passwords_in_urls_and_tokens_in_queries_go_however_short_and_whoever_s_they_are() -> None:
    redaction = Redaction([])
    assert redaction.text("postgres://me:pw@db/shop") == f"postgres://me:{MARK}@db/shop"
    assert redaction.text("GET /x?rows=5&api_key=k1&n=2") == f"GET /x?rows=5&api_key={MARK}&n=2"
    unchanged = "http://127.0.0.1:8000/x?key=name&tokens=100&rows={rows}"
    assert redaction.text(unchanged) == unchanged


def test_the_environment_s_own_secrets_go_and_its_words_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "t0ken-of-ci")
    monkeypatch.setenv("STAGE_KEY", "production")
    monkeypatch.setenv("COLOUR", "blue-and-green")
    cleaned = Redaction.of_targets([]).text("t0ken-of-ci in production is blue-and-green")
    assert cleaned == "${DEPLOY_TOKEN} in production is blue-and-green"


def test_a_suite_without_secrets_is_stored_letter_for_letter() -> None:
    for name in built_in_suites():
        suite = load_suite(name)
        assert stored_suite(suite).text == suite.text
    plain = suite_of(
        HEAD + TARGET + 'headers = { Accept = "text/csv", X-Key = "${K}" }\n' + SERVER + SCENARIO
    )
    assert stored_suite(plain).text == plain.text
    assert stored_suite(plain).literals == []


@pytest.mark.parametrize("written", ['"tom said \\"hi-there\\""', "'tom said \"hi-there\"'", '"x1"'])
def test_a_secret_becomes_a_variable_and_the_suite_stays_one(written: str) -> None:
    keys = f'headers = {{ Cookie = {written}, Accept = "text/csv" }}\nenvironment = {{ A_SECRET = "s" }}\n'
    stored = stored_suite(suite_of(HEAD + TARGET + keys + SERVER + SCENARIO))
    (target,) = suite_of(stored.text).target
    assert target.headers == {"Cookie": "${HIDDEN_COOKIE}", "Accept": "text/csv"}
    assert target.environment == {"A_SECRET": "${HIDDEN_A_SECRET}"}
    assert [literal.variable for literal in stored.literals] == ["HIDDEN_COOKIE", "HIDDEN_A_SECRET"]
    assert not stored.lost


def test_one_that_cannot_be_hidden_is_refused() -> None:
    keys = 'headers = { Cookie = "\\u0061bcdefgh" }\n'
    with pytest.raises(UsageError, match=r"orders, headers\.Cookie.*cannot be hidden.*environment"):
        stored_suite(suite_of(HEAD + TARGET + keys + SERVER + SCENARIO))


def test_what_no_variable_can_bring_back_is_known_to_be_lost() -> None:
    text = HEAD + TARGET.replace("/rows", "/rows?token=abc") + SERVER + SCENARIO
    stored = stored_suite(suite_of(text))
    assert "/rows?token=[hidden]" in stored.text
    assert stored.lost
    assert not has_lost(f"# {MARK}\n" + HEAD)
