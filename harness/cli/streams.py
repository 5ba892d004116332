"""Standard output and error as they are: other encodings than UTF-8, closed pipes, full disks."""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import locale
import os
import sys
from collections.abc import Iterator

from harness.cli.typed import typed

#: What our words and tables are written with where a terminal knows ASCII only.
_ASCII = {**dict(zip("×µ–−│┃─━✗", "xu--||--x", strict=True)), "…": "..."}
#: Our codec and its error handler. Click takes a stream in "ascii" itself for a mistake, and writes UTF-8.
_ASCII_CODEC = "streamgauge-ascii"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG})


def write_anything() -> None:
    """From now on no text stops us: what the locale cannot write is written in ASCII.

    Under ``LC_ALL=C`` all of it is, though Python would write UTF-8 there (PEP 540): a terminal that was told
    so shows something else.
    """
    codecs.register(_ascii_codec)
    codecs.register_error(_ASCII_CODEC, _in_ascii)
    chosen = "PYTHONIOENCODING" in os.environ or "PYTHONUTF8" in os.environ
    told_so = not chosen and locale.setlocale(locale.LC_CTYPE) in {"C", "POSIX"}
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            ascii_only = told_so or codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII_CODEC if ascii_only else None, errors=_ASCII_CODEC)


def _ascii_codec(name: str) -> codecs.CodecInfo | None:
    if name != _ASCII_CODEC.replace("-", "_"):
        return None
    plain = codecs.lookup("ascii")
    return codecs.CodecInfo(
        plain.encode,
        plain.decode,
        incrementalencoder=plain.incrementalencoder,
        incrementaldecoder=plain.incrementaldecoder,
        name=_ASCII_CODEC,
    )


def _in_ascii(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if 0xDC80 <= ord(character) <= 0xDCFF:  # a byte of a file's name (PEP 383): as it was
        return bytes([ord(character) - 0xDC00]), error.start + 1
    return _ASCII.get(character, "?"), error.start + 1


@contextlib.contextmanager
def until_nobody_reads() -> Iterator[None]:
    """Ends the block where standard output's reader has gone (``| head``): it has seen enough."""
    try:
        yield
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich makes the latter of the former
        discard_output()


def discard_output() -> None:
    """Standard output goes nowhere from now on: Python would try to write the rest of it once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def what_cannot_be_written(error: OSError) -> str | None:
    """A paragraph on an error of writing to a stream; None where it is about something else."""
    if error.filename is not None or error.errno not in _NO_ROOM:
        return None
    return (
        f"the output cannot be written: {error.strerror}. Make room where it goes, or send it elsewhere; "
        f"what was measured is stored all the same, and `{typed('show')}` prints it"
    )
