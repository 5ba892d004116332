"""Commands that messages tell the user to type: they begin as this one did."""

from __future__ import annotations

import os
import shlex


def typed(*words: str) -> str:
    """streamgauge with these words, quoted for a shell: ``./run.sh show 'my run.sqlite'`` in a checkout."""
    return shlex.join([os.environ.get("STREAMGAUGE_COMMAND", "streamgauge"), *words])
