"""``streamgauge completion``: what makes a shell complete our words; click has the mechanism."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click
from click.shell_completion import BashComplete, add_completion_class, get_completion_class

from harness.cli import VARIABLE

PROGRAM = "streamgauge"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete verbs, options, suites, runs and cases.

    bash: eval "$(streamgauge completion bash)"; zsh: source <(streamgauge completion zsh); fish: streamgauge
    completion fish | source. Put the line into your shell's start-up file.
    """
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101  - one of the choices
    script = found(ctx.find_root().command, {}, PROGRAM, VARIABLE)
    click.echo(script.source())
    checkout = os.environ.get("STREAMGAUGE_COMMAND")
    if checkout is not None and shell == "bash":  # which calls what was typed, and so also run.sh
        click.echo(f"complete -o nosort -F {script.func_name} {shlex.quote(Path(checkout).name)}")


class JoiningBash(BashComplete):
    """Bash hands over ``rows=50`` as three words, and wants back what goes behind the ``=``."""

    def __init__(self, *words: object, **more: object) -> None:
        super().__init__(*words, **more)  # type: ignore[arg-type]
        self._before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """All words before the one that is completed, and this one as far as it was typed."""
        given, begun = super().get_completion_args()
        words: list[str] = []
        for word in [*given, begun]:
            if words and (word == "=" or words[-1].endswith("=")):
                words[-1] += word
            else:
                words.append(word)
        *before, last = words
        self._before = last.rpartition("=")[0] + "=" if "=" in (*given[-1:], begun) else ""
        return before, last

    def format_completion(self, item: click.shell_completion.CompletionItem[str]) -> str:
        """Without what bash has already."""
        return f"{item.type},{item.value.removeprefix(self._before)}"


add_completion_class(JoiningBash)
