"""Sentences on the screen: wrapped between words on a terminal, on one line in a pipe."""

from __future__ import annotations

import sys
import textwrap

import click
from rich.console import Console

_NARROWEST = 20


def say(text: str, *, err: bool = False, indent: str = "") -> None:
    """One paragraph, to standard output or with ``err`` to standard error."""
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        click.echo(indent + text, err=err)
        return
    wrapped = textwrap.fill(
        text,
        max(Console(file=stream).width - 1, _NARROWEST),
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    click.echo(wrapped, err=err)
