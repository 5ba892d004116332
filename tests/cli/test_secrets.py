"""Secrets of a suite and of the environment, in every place and encoding, are in nothing that is written."""

from __future__ import annotations

import base64
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from results.errors import ExitCode
from results.store import Store
from tests.cli.conftest import PROGRAM, environment, once

#: What nobody may find, by where it stands; awkward in URLs, JSON, HTML and regular expressions.
NAMED = "canary+named/&<1>"
HEADER = "canaryLiteral.header-2"
COOKIE = "canary%cookie~3"
BASIC = "canary:basic&4"
FIELD = "canaryBody_5"
DATABASE = "canaryDb-pw-6"
PARAMETER = "canaryQuery.7"
OPTION = "canaryOption=8"
PREPARED = "canaryPrepare,9"
INHERITED = "canaryInherited'10"
CANARIES = [NAMED, HEADER, COOKIE, BASIC, FIELD, DATABASE, PARAMETER, OPTION, PREPARED, INHERITED]

#: It says all that it knows, as people log it, and does so in each way in which a server is heard.
SERVER = """
import base64, http.server, html, json, os, sys, urllib.parse

def everything(handler=None):
    known = [*os.environ.values(), *sys.argv]
    if handler is not None:
        known += [handler.path, *handler.headers.values()]
        length = int(handler.headers.get("Content-Length") or 0)
        known.append(handler.rfile.read(length).decode())
    for told in (str, repr, json.dumps, html.escape, urllib.parse.quote, urllib.parse.quote_plus):
        for text in known:
            yield told(text)
    for text in known:
        for before in ("", "a", "ab"):
            yield base64.b64encode((before + text + "z").encode()).decode()
            yield base64.urlsafe_b64encode((before + text).encode()).decode()

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    asked = 0

    def do_POST(self):
        told = "\\n".join(everything(self))
        # all of it: what is kept is the end of this
        for part in range(0, len(told), 3000):
            sys.stderr.write(told[part:part + 3000][-3000:])
        sys.stderr.write("\\n")
        Handler.asked += 1
        body = b"a,b\\n" * 100
        if Handler.asked > 3:
            body = b"other bytes"  # fails: the end of what the server wrote goes into the reason
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_):
        pass

if sys.argv[1] == "prepare":
    print("\\n".join(everything()))
    sys.exit(0)
host, _, port = sys.argv[1].partition(":")
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""
SUITE = f"""
# the same again in a comment: {HEADER}
name = "hush"
blocks = 1
warmup = "0s"
window = "0.2s"

[[target]]
name = "shop"
command = "{{python}} server.py {{{{bind}}}} --api-token '{OPTION}'"
prepare = ["{{python}}", "server.py", "prepare", "DB_PASSWORD={PREPARED}"]
method = "POST"
baseline = "/whole?token={PARAMETER}"
stream = "/stream?token={PARAMETER}"
ready = "/ready?access_token={PARAMETER}"
body = '{{{{"user": "me", "password": "{FIELD}", "key": "${{{{SHOP_KEY}}}}"}}}}'

[target.headers]
X-Api-Key = "{HEADER}"
Cookie = "theme=dark; session={COOKIE}"
Authorization = "Basic {base64.b64encode(f"me:{BASIC}".encode()).decode()}"
X-Named = "Bearer ${{{{SHOP_KEY}}}}"

[target.environment]
DATABASE_URL = "postgres://me:{DATABASE}@db/shop"
EDITION = "small"

[[scenario]]
kind = "download"
"""
#: Others are made of the same, and the store has no secrets that they could hold.
FORMATS = ("json", "junit")


@dataclass(frozen=True, slots=True)
class Hushed:
    folder: Path
    code: int
    said: str


@pytest.fixture(scope="module")
def hushed(tmp_path_factory: pytest.TempPathFactory) -> Hushed:
    """A run whose server tells everything, with all that is made of it."""
    folder = tmp_path_factory.mktemp("hushed")
    (folder / "server.py").write_text(SERVER)
    suite = folder / "hush.toml"
    suite.write_text(SUITE.format(python=sys.executable))
    variables = {"SHOP_KEY": NAMED, "DEPLOY_TOKEN": INHERITED, "COLOUR": "canary-yellow"}
    run = once(folder, "run", "hush.toml", "--output", "out.sqlite", **variables)
    said = run.stdout + run.stderr
    for words in (
        ("show", "out.sqlite"),
        *(("export", "out.sqlite", "--format", name, "--output", f"out.{name}") for name in FORMATS),
    ):
        done = once(folder, *words)
        said += done.stdout + done.stderr
    return Hushed(folder, run.returncode, said)


def written(secret: str) -> Iterator[bytes]:
    """As anybody who looks for it would look."""
    raw = secret.encode()
    yield raw
    yield quote(secret, safe="").encode()
    yield quote(secret).encode()
    yield base64.b64encode(raw).rstrip(b"=")[:-1]
    for before in (b"a", b"ab"):
        yield base64.b64encode(before + raw)[4:-4]


def test_no_byte_of_a_secret_is_stored_reported_exported_or_said(hushed: Hushed) -> None:
    assert hushed.code == ExitCode.INVALID, hushed.said
    made = [path for path in hushed.folder.iterdir() if path.name.startswith("out.")]
    assert {path.suffix for path in made} >= {".sqlite", ".html", ".json", ".junit"}
    texts = {path.name: path.read_bytes() for path in made} | {"the terminal": hushed.said.encode()}
    found = [
        (name, secret)
        for name, text in texts.items()
        for secret in CANARIES
        if any(form in text for form in written(secret))
    ]
    assert found == []


def test_what_the_server_said_is_kept_but_for_the_secrets(hushed: Hushed) -> None:
    with Store.open(hushed.folder / "out.sqlite") as store:
        run = store.read()
        outputs = "".join(store.server_output(trial.slot.position) for trial in run.trials)
        (prepared,) = run.preparations
    assert "canary-yellow" in outputs + prepared.output, "what is no secret stays"
    assert "${SHOP_KEY}" in outputs
    assert "${DEPLOY_TOKEN}" in prepared.output
    assert "[hidden]" in prepared.output
    assert prepared.command[-1] == "DB_PASSWORD=[hidden]"
    suite = run.header.suite_toml
    assert 'X-Api-Key = "${HIDDEN_X_API_KEY}"' in suite
    assert 'DATABASE_URL = "${HIDDEN_DATABASE_URL}"' in suite
    assert "/stream?token=[hidden]" in suite
    assert 'EDITION = "small"' in suite


def test_it_is_said_what_is_not_stored_and_how_to_do_better(hushed: Hushed) -> None:
    assert "shop, headers.Authorization as ${HIDDEN_AUTHORIZATION}" in hushed.said
    assert "take them from the environment" in hushed.said
    refused = once(hushed.folder, "run", "--resume", "out.sqlite", SHOP_KEY=NAMED)
    assert refused.returncode == ExitCode.USAGE
    assert "held a secret, which is not stored" in refused.stderr


def test_a_run_goes_on_with_the_secret_in_the_variable_that_was_named(hushed: Hushed, tmp_path: Path) -> None:
    text = SUITE.format(python=shlex.quote(sys.executable))
    text = text.replace(f"?token={PARAMETER}", "").replace(f"?access_token={PARAMETER}", "")
    text = text.replace(f" --api-token '{OPTION}'", "").replace(f', "DB_PASSWORD={PREPARED}"', "")
    (tmp_path / "hush.toml").write_text(text)
    (tmp_path / "server.py").write_text(SERVER.replace("asked > 3", "asked > 10**6"))
    once(tmp_path, "run", "hush.toml", "--output", "out.sqlite", "--no-report", SHOP_KEY=NAMED)
    with Store.open(tmp_path / "out.sqlite", writable=True) as store:
        store._connection.execute("UPDATE run SET finished_utc = NULL")
    refused = once(tmp_path, "run", "--resume", "out.sqlite", SHOP_KEY=NAMED)
    assert refused.returncode == ExitCode.USAGE
    assert "the environment variable HIDDEN_X_API_KEY is not set" in refused.stderr
    again = once(
        tmp_path,
        *("run", "--resume", "out.sqlite", "--no-report"),
        SHOP_KEY=NAMED,
        HIDDEN_X_API_KEY=HEADER,
        HIDDEN_COOKIE=COOKIE,
        HIDDEN_AUTHORIZATION="Basic eA==",
        HIDDEN_DATABASE_URL="sqlite://",
        HIDDEN_SHOP_BODY="{}",
    )
    assert again.returncode in {ExitCode.GOOD, ExitCode.INVALID}, again.stderr
    assert "finished" not in again.stderr


def test_the_doctor_and_the_errors_of_init_keep_them_too(hushed: Hushed) -> None:
    url = f"http://me:{DATABASE}@127.0.0.1:9/x?token={PARAMETER}"
    for words in (
        ("doctor", url, "--header", f"Authorization: Bearer {HEADER}"),
        ("init", "hush.toml", "--check"),
    ):
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=hushed.folder,
            env=environment() | {"SHOP_KEY": NAMED, "DEPLOY_TOKEN": INHERITED},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode not in {ExitCode.GOOD, ExitCode.USAGE}, done.stderr
        said = done.stdout + done.stderr
        assert not [secret for secret in CANARIES if any(form in said for form in written(secret))], said
