"""A loopback proxy in front of a database server, which the test makes fail as networks do."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from tests.ports import listen

Address = str | tuple[str, int]


@dataclass
class _Talk:
    """One connection; nobody hears the server's answers any more once it is deaf.

    Attributes:
        is_meant: whether what was asked so far chooses its next request to be swallowed.
    """

    deaf: threading.Event = field(default_factory=threading.Event)
    is_meant: bool = False


class Proxy:
    """Passes bytes between its port and a server, until told otherwise."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._guard = threading.Lock()
        self._swallow: bytes | None = None
        self._swallow_after = b""
        self._swallow_left = 0
        self._listener: socket.socket | None = None
        self.port = 0
        self.allow()

    def allow(self) -> None:
        """Accept connections, always on the same port."""
        self._listener = listen(self.port)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, self._listener)

    def refuse(self) -> None:
        """Accept no connection any more, and end those there are."""
        if self._listener is not None:
            # A close alone would leave the thread in its accept.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """End all connections there are."""
        with self._guard:
            ended, self._sockets = self._sockets, set()
        for each in ended:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """Pass nothing on, in either direction, and end nothing."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Pass on what has been held back, and all that follows."""
        self._flowing.set()

    def swallow_replies_to(self, request: bytes, *, times: int, after: bytes = b"") -> None:
        """Pass on what contains these bytes, and instead of the server's reply the end of the connection.

        Args:
            after: only where this was asked for on the same connection before, and since the last such
                request: of a COMMIT it chooses which.
        """
        with self._guard:
            self._swallow, self._swallow_after, self._swallow_left = request, after, times

    @property
    def swallows(self) -> bool:
        """Whether there are replies left to swallow."""
        return self._swallow_left > 0

    def close(self) -> None:
        """Stop for good."""
        self.refuse()
        self.thaw()
        for thread in self._threads:
            thread.join()

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = _connected(self._server)
            with self._guard:
                self._sockets |= {client, server}
            if self._listener is not listener:  # refused meanwhile, after it was taken
                self.cut()
            self._start(self._serve, client, server)

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            talk = _Talk()
            back = threading.Thread(target=self._pump, args=(server, client, talk, False), daemon=True)
            back.start()
            self._pump(client, server, talk, True)
            back.join()

    def _pump(self, source: socket.socket, sink: socket.socket, talk: _Talk, asks: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                if asks and self._is_to_swallow(data, talk):
                    talk.deaf.set()
                if not asks and talk.deaf.is_set():
                    break
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _is_to_swallow(self, data: bytes, talk: _Talk) -> bool:
        with self._guard:
            if not self._swallow_left or not self._swallow:
                return False
            talk.is_meant = talk.is_meant or self._swallow_after in data
            if self._swallow not in data:
                return False
            meant, talk.is_meant = talk.is_meant, False
            self._swallow_left -= meant
            return meant


def _connected(address: Address) -> socket.socket:
    if isinstance(address, tuple):
        return socket.create_connection(address)
    made = socket.socket(socket.AF_UNIX)
    made.connect(address)
    return made
