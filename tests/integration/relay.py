"""A relay on loopback between a client and a server, which delays and cuts what it carries."""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
import time
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

_CHUNK = 1 << 16


class Relay:
    """Carries connections to a port of the loopback address until its block ends.

    Parameters
    ----------
    port
        Of the server; 0 where each client names its own by CONNECT: an HTTP proxy.
    host
        Address to listen on.
    delay
        Seconds that each piece of an answer is held back.
    cut
        Connections, counted from 0, that end after so many bytes of answers.
    tls
        Certificate and key that the relay itself shows: an HTTPS proxy.

    Attributes
    ----------
    connections
        How many there were.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        delay: float = 0.0,
        cut: dict[int, int] | None = None,
        tls: tuple[str, str] | None = None,
    ) -> None:
        self.delay, self.cut, self.connections = delay, cut or {}, 0
        self._target, self._open = port, ExitStack()
        self._context = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._open.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.enter_context(client)
                number, self.connections = self.connections, self.connections + 1
                given = (client, self.cut.get(number))
                threading.Thread(target=self._serve, args=given, daemon=True).start()

    def _serve(self, client: socket.socket, most: int | None) -> None:
        with suppress(OSError), client:
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            port = self._target or _named(client)
            with client, socket.create_connection(("127.0.0.1", port)) as server:
                self._carry(client, server, most)

    def _carry(self, client: socket.socket, server: socket.socket, most: int | None) -> None:
        """Carry bytes both ways until a side ends or enough came back."""
        chosen = selectors.DefaultSelector()
        chosen.register(client, selectors.EVENT_READ, server)
        chosen.register(server, selectors.EVENT_READ, client)
        while most is None or most > 0:
            for key, _ in chosen.select():
                piece = key.fileobj.recv(_CHUNK)  # type: ignore[union-attr]
                if not piece:
                    return
                if key.fileobj is server:
                    time.sleep(self.delay)
                    piece = piece[:most]
                    most = None if most is None else most - len(piece)
                key.data.sendall(piece)


def _named(client: socket.socket) -> int:
    """Answer a CONNECT; return the port that it names."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(_CHUNK)
    target = head.split()[1].decode()
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    return int(target.rpartition(":")[2])
