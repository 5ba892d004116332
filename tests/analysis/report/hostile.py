"""A stored run of an app that means harm: in names, values, errors, its suite and what servers print."""

from __future__ import annotations

from pathlib import Path

from results.case import Case
from tests.analysis.exports.examples import NASTY
from tests.known_run import Spoilt, Truth, make_known_run

MARKUP = '"><script>document.title = "taken"</script><img src=x onerror="document.title=1">'
LONG = "long" * 1000
RIGHT_TO_LEFT = "\u202eעברית\u2067"
#: SQLite keeps UTF-8, and TOML no NUL.
_STORED = NASTY.replace("\ud800", "").replace("\x00", "")


def make_hostile_run(path: Path) -> Path:
    """Eight blocks of a whole form and two streams; one trial failed."""
    settings: dict[str, int | str] = {"server": MARKUP, "users": 1}
    whole = Case({"target": MARKUP + RIGHT_TO_LEFT, "form": "whole", **settings}, baseline=None)
    streams = [
        Case(
            {"target": MARKUP + RIGHT_TO_LEFT, "form": "stream", "size": size, "note": note, **settings},
            baseline=whole.identity,
        )
        for size, note in ((1, LONG), (2, LONG), (1, _STORED))
    ]
    truths = [
        Truth(whole, 50),
        *(Truth(case, 2, chunk_bytes=500 * (n + 1)) for n, case in enumerate(streams)),
    ]
    return make_known_run(
        path,
        truths,
        spoilt={1: Spoilt(f"1 of 40 responses failed: {MARKUP} {_STORED}", output=f"{MARKUP}\n{_STORED}")},
        run_id=path.stem + MARKUP,
        suite=MARKUP,
        suite_toml="".join(f"# {line}\n" for line in (MARKUP, "</pre></details>", RIGHT_TO_LEFT)),
        environment={"cpu": MARKUP, MARKUP: _STORED, "long": LONG},
        command=["streamgauge", "run", MARKUP, RIGHT_TO_LEFT],
        created_utc=MARKUP,
    )
