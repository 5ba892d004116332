"""The least that reading a body can cost in Python: ``HOST PORT PATH SECONDS HASH``.

One keep-alive connection, one ``recv_into`` into 256 KiB after another, with ``xxh3`` of what came or with
``none``; nothing is parsed but the header block's end and its Content-Length. Prints one JSON object.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import time

import xxhash

_BUFFER_BYTES = 256 * 1024


def main(host: str, port: int, path: str, seconds: float, hashed: bool) -> None:
    """Ask again and again for ``seconds`` and print what it cost."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    responses = body_bytes = 0
    with socket.create_connection((host, port)) as connection:
        cpu_s, begun_s = time.process_time(), time.monotonic()
        while time.monotonic() < begun_s + seconds:
            digest = xxhash.xxh3_64()
            connection.sendall(request)
            size = connection.recv_into(buffer)
            head, _, begin = bytes(buffer[:size]).partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if length is None:
                raise SystemExit(f"{path} has no Content-Length")
            left = int(length[1]) - len(begin)
            digest.update(begin)
            while left:
                size = connection.recv_into(buffer)
                if not size:
                    raise SystemExit("the server closed the connection too soon")
                if hashed:
                    digest.update(buffer[:size])
                left -= size
            responses += 1
            body_bytes += int(length[1])
        cost = {
            "responses": responses,
            "body_bytes": body_bytes,
            "cpu_s": time.process_time() - cpu_s,
            "wall_s": time.monotonic() - begun_s,
            "failures": 0,
        }
    sys.stdout.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), sys.argv[5] == "xxh3")
