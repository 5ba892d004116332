"""Content encodings, undone however the content is encoded and cut."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import brotli
import pytest
from backports import zstd

from scenarios.decoding import Decoder, DecodingError, decoder_of

CSV = b"a,b\r\n1,2\r\n" + b"3,4\r\n" * 200
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
ENCODED = {
    "gzip": ("gzip", gzip.compress(CSV)),
    "gzip under its old name": ("x-gzip", gzip.compress(CSV)),
    "gzip in two members": ("gzip", gzip.compress(CSV[:5]) + gzip.compress(CSV[5:])),
    "gzip in many members": ("gzip", b"".join(gzip.compress(CSV[at : at + 50]) for at in range(0, 1010, 50))),
    "deflate in its wrapper": ("deflate", zlib.compress(CSV)),
    "deflate without its wrapper": ("deflate", RAW.compress(CSV) + RAW.flush()),
    "br": ("br", brotli.compress(CSV)),
    "zstd": ("zstd", zstd.compress(CSV)),
    "zstd in two frames": ("zstd", zstd.compress(CSV[:5]) + zstd.compress(CSV[5:])),
}


def flushed(encoding: str, pieces: list[bytes]) -> list[bytes]:
    """What a compressor sends that is flushed after each piece."""
    compressor: Any
    if encoding == "br":
        compressor = brotli.Compressor()
        return [compressor.process(piece) + compressor.flush() for piece in pieces]
    if encoding == "zstd":
        compressor = zstd.ZstdCompressor()
        return [compressor.compress(piece, compressor.FLUSH_BLOCK) for piece in pieces]
    compressor = zlib.compressobj(wbits=zlib.MAX_WBITS + (16 if encoding == "gzip" else 0))
    return [compressor.compress(piece) + compressor.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]


def undone(decoder: Decoder, encoded: bytes | memoryview) -> bytes:
    return b"".join(decoder.decode(encoded))


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("name", ENCODED)
def test_the_content_is_what_was_encoded_and_its_end_is_known(name: str, size: int) -> None:
    encoding, encoded = ENCODED[name]
    decoder = decoder_of(encoding)
    assert decoder is not None
    pieces = [memoryview(encoded)[at : at + size] for at in range(0, len(encoded), size)]
    content = b"".join(undone(decoder, piece) for piece in pieces[:-1])
    assert not decoder.finished
    assert content + undone(decoder, pieces[-1]) == CSV
    assert decoder.finished


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_what_was_flushed_can_be_read_at_once(encoding: str) -> None:
    decoder = decoder_of(encoding)
    assert decoder is not None
    pieces = [CSV[:10], CSV[10:400], CSV[400:]]
    assert [undone(decoder, sent) for sent in flushed(encoding, pieces)] == pieces
    assert not decoder.finished


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_content_that_is_not_what_its_encoding_says_is_an_error(encoding: str) -> None:
    decoder = decoder_of(encoding)
    assert decoder is not None
    with pytest.raises(DecodingError, match=f"not {encoding}"):
        undone(decoder, b"\xff\xff\xff\xff plain text")


@pytest.mark.parametrize("encoding", ["", "identity", "compress", "gzip, br"])
def test_nothing_is_undone_where_nobody_knows_how(encoding: str) -> None:
    assert decoder_of(encoding) is None


@pytest.mark.parametrize(("encoding", "package"), [("br", "brotli"), ("zstd", "backports.zstd")])
def test_a_package_that_is_missing_is_named(
    encoding: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, *_: object) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("scenarios.decoding.importlib.import_module", missing)
    with pytest.raises(DecodingError, match=f"install the package {package}"):
        decoder_of(encoding)
    assert decoder_of("gzip") is not None
