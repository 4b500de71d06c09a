"""Whether a PostgreSQL server answers at all, found out sooner than its client library gives up (two seconds)."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""What a client may ask before anything else, whether the server speaks TLS; every server answers with one byte
(PostgreSQL documentation, "Message Formats", SSLRequest)."""


class Server:
    """Where the server of an engine listens; its name is looked up once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._addresses: list[tuple[int, Any]] | None = None

    def check(self, wait_s: float) -> None:
        """Return where any of the server's addresses answers in that time, or where none is known.

        Raises OSError (TimeoutError) otherwise.
        """
        if self._addresses is None:
            self._addresses = list(_addresses(self._engine))
        until, why = time.monotonic() + wait_s, None
        for family, address in self._addresses:
            try:
                _ask(family, address, until)
                return
            except OSError as error:
                why = error
        if why is not None:
            raise why


def _ask(family: int, address: Any, until: float) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as line:
        for step in (lambda: line.connect(address), lambda: line.sendall(SSL_REQUEST), lambda: line.recv(1)):
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            line.settimeout(left)
            answer = step()
    if not answer:
        raise ConnectionResetError("the server hung up")


def _addresses(engine: Engine) -> Iterator[tuple[int, Any]]:
    """By the URL, else by the environment as the client library reads it; none where neither names a host."""
    from psycopg.pq import Conninfo

    options = Conninfo.get_defaults()
    known = {option.keyword.decode(): (option.val or option.compiled or b"").decode() for option in options}
    known |= {name: str(value) for name, value in engine.dialect.create_connect_args(engine.url)[1].items() if value}
    hosts = (known.get("hostaddr") or known.get("host") or "").split(",")
    ports = known["port"].split(",")
    for number, host in enumerate(hosts):
        port = int(ports[min(number, len(ports) - 1)] or 5432)
        if host.startswith("/"):
            yield socket.AF_UNIX, f"{host}/.s.PGSQL.{port}"
        elif host:
            yield from ((found[0], found[4]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
