"""Git repositories that a test makes, each with an app whose work a commit sets."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

#: The body is the same whatever a row takes.
APP = """
import time


def rows():
    for number in range(20):
        {work}
        yield f"{{number}},some words\\n".encode()


ANSWERS = {{"/": lambda: [b"ready"], "/whole": lambda: [b"".join(rows())], "/rows": rows}}


def app(environ, start_response):
    answer = ANSWERS.get(environ["PATH_INFO"])
    start_response("200 OK" if answer else "404 Not Found", [("Content-Type", "text/csv")])
    return answer() if answer else []
"""
SUITE = """name = "shop"
blocks = 5
warmup = "0.1s"
window = "0.3s"

[[target]]
name = "orders"
app = "shop:app"
directory = "app"
baseline = "/whole"
stream = "/rows"

[[server]]
kind = "gunicorn"
worker_class = "sync"

[[scenario]]
kind = "download"
users = 1
"""
GATE = """
[[gate]]
case = "orders stream"
metric = "ttlb_p50"
margin = "10%"
"""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at ``path`` on the branch main."""

    path: Path

    @classmethod
    def made_in(cls, path: Path) -> Repository:
        path.mkdir(parents=True, exist_ok=True)
        made = cls(path.resolve())
        made.git("init", "--quiet", "--initial-branch", "main")
        return made

    def commit(self, files: dict[str, str]) -> str:
        """Write these files and commit all there is; the new commit."""
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def worktrees(self) -> list[str]:
        """The folders of all worktrees but the main one."""
        lines = self.git("worktree", "list", "--porcelain").splitlines()
        return [line.removeprefix("worktree ") for line in lines if line.startswith("worktree ")][1:]

    def git(self, *words: str) -> str:
        """What git says; nothing of the user's own settings is used."""
        who = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "somebody"), ("EMAIL", "somebody@example.org"))
        }
        done = subprocess.run(
            ["git", "-C", str(self.path), *words],
            env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": "/nowhere", **who},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()


def resting(milliseconds: float) -> dict[str, str]:
    """The app's file; each row rests so long, which the machine's other work disturbs little."""
    return {"app/shop.py": APP.format(work=f"time.sleep({milliseconds / 1000})")}


def working(rounds: int) -> dict[str, str]:
    """The app's file; each row costs so many rounds of a loop."""
    return {"app/shop.py": APP.format(work=f"sum(range({rounds}))")}
