"""The clients that are compared: each asks one address for some seconds and tells what that cost it."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import xxhash

from harness.loading.load import LoadDriver
from harness.programs.ports import HOST
from harness.programs.processes import own_environment
from results.records import COLUMN, Outcome
from scenarios.specification import Address, Download, TrialSpecification
from tests.bench.nginx import Nginx

_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client is to do: ``connections`` at once ask for ``path`` for ``seconds``."""

    nginx: Nginx
    path: str
    connections: int
    seconds: float
    keep_alive: bool

    @property
    def url(self) -> str:
        """The whole address."""
        return self.nginx.url(self.path)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a client did and the CPU seconds (user and system, all threads) that it took."""

    responses: int
    body_bytes: int
    cpu_s: float

    @property
    def responses_per_cpu_s(self) -> float:
        """Responses for each second of CPU."""
        return self.responses / self.cpu_s

    @property
    def cpu_s_per_gb(self) -> float:
        """CPU seconds for 10^9 bytes of body."""
        return self.cpu_s / (self.body_bytes / 1e9)


def ours(asked: Asked, driver: LoadDriver) -> Cost:
    """Our client inside a Locust user: every byte verified, Locust's request event fired."""
    body = asked.nginx.bodies[asked.path]
    load = driver.run(
        TrialSpecification(
            address=Address(HOST, asked.nginx.port, "GET", asked.path, (), _TIMEOUT_S, asked.keep_alive),
            name="bench",
            load=Download(asked.connections),
            warmup_s=0.3,
            window_s=asked.seconds,
            status=200,
            body_bytes=len(body),
            digest=xxhash.xxh3_64_intdigest(body),
        )
    )
    requests = load.requests
    if (requests[:, COLUMN["outcome"]] != Outcome.VERIFIED).any():
        raise SystemExit(f"our client failed: {load.errors}")
    last = requests[:, COLUMN["last_ns"]]
    ended = (last >= load.window_open_ns) & (last < load.window_close_ns)
    arrived = requests[:, COLUMN["bytes_at_close"]] - requests[:, COLUMN["bytes_at_open"]]
    return Cost(int(ended.sum()), int(arrived.sum()), load.client_cpu_ns / 1e9)


def fast_http_user(asked: Asked) -> Cost:
    """Locust's FastHttpUser as it comes, statistics on."""
    return _locust("fast", asked)


def http_user(asked: Asked) -> Cost:
    """Locust's HttpUser (requests) as it comes, statistics on."""
    return _locust("requests", asked)


def bare_loop(asked: Asked) -> Cost:
    """A loop of recv_into and nothing else; one connection."""
    return _bare("none", asked)


def bare_loop_with_hash(asked: Asked) -> Cost:
    """The same with xxh3 of what came."""
    return _bare("xxh3", asked)


def wrk(asked: Asked) -> Cost:
    """wrk with one thread; it verifies nothing."""
    with tempfile.TemporaryDirectory(prefix="sg-wrk-") as folder:
        script = Path(folder) / "report.lua"
        # summary.bytes holds the headers too; they are some 250 bytes a response
        script.write_text(
            "done = function(s) io.write('told ', s.requests, ' ', s.bytes, ' ', "
            "s.errors.connect + s.errors.read + s.errors.status + s.errors.timeout, '\\n') end\n"
        )
        words = [
            "-t1",
            f"-c{asked.connections}",
            f"-d{math.ceil(asked.seconds)}s",
            "-s",
            str(script),
            asked.url,
        ]
        close = [] if asked.keep_alive else ["-H", "Connection: close"]
        text, cpu_s = _timed([_program("wrk"), *close, *words])
    told = re.search(r"told (\S+) (\S+) (\S+)", text)
    if told is None or float(told[3]):
        raise SystemExit(f"wrk failed: {text}")
    return Cost(round(float(told[1])), round(float(told[2])), cpu_s)


def h2load(asked: Asked) -> Cost:
    """h2load with one thread over HTTP/1.1; it verifies nothing, and knows keep-alive only."""
    words = ["--h1", "-t1", f"-c{asked.connections}", "-D", str(math.ceil(asked.seconds)), asked.url]
    text, cpu_s = _timed([_program("h2load"), *words])
    responses = re.search(r"(\d+) succeeded, (\d+) failed", text)
    traffic = re.search(r"\((\d+)\) data", text)
    if responses is None or traffic is None or int(responses[2]):
        raise SystemExit(f"h2load failed: {text}")
    return Cost(int(responses[1]), int(traffic[1]), cpu_s)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"this bench needs {name}; on Debian: apt-get install wrk nghttp2-client")
    return found


def _locust(kind: str, asked: Asked) -> Cost:
    connection = "keep" if asked.keep_alive else "close"
    words = [kind, asked.url, str(asked.connections), str(asked.seconds), connection]
    return _child("tests.bench.locust_load", words, asked)


def _bare(hashed: str, asked: Asked) -> Cost:
    size = len(asked.nginx.bodies[asked.path])
    words = [HOST, str(asked.nginx.port), asked.path, str(asked.seconds), hashed, str(size)]
    return _child("tests.bench.bare_loop", words, asked)


def _child(module: str, words: list[str], asked: Asked) -> Cost:
    text, _ = _timed([sys.executable, "-m", module, *words])
    told = json.loads(text.splitlines()[-1])
    if told["failures"]:
        raise SystemExit(f"{module} had {told['failures']} failures")
    return Cost(told["responses"], told["body_bytes"], told["cpu_s"])


def _timed(command: list[str]) -> tuple[str, float]:
    """What a program printed, and its CPU seconds (wait4(2))."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=own_environment())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with code {process.returncode}: {text}")
    return text, usage.ru_utime + usage.ru_stime
