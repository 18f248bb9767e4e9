"""Ports of this machine that nobody is given by chance."""

from __future__ import annotations

import errno
import random
import socket
from pathlib import Path

# Of these the kernel takes one for each connection that somebody opens.
_TAKEN_BY_CHANCE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 12_000
_CHANCE = random.SystemRandom()


def listen(port: int = 0) -> socket.socket:
    """Return a socket that listens on this port of the loopback, or on one that stays free when it is closed.

    Whoever closes it and listens there again, or leaves that to a server, finds the port as it was: of those
    that `bind` chooses a stranger's connection, or one's own to the closed port, may have got it meanwhile.
    """
    if port:
        return socket.create_server(("127.0.0.1", port))
    highest = int(_TAKEN_BY_CHANCE.read_text().split()[0])
    while True:
        try:
            return socket.create_server(("127.0.0.1", _CHANCE.randrange(_LOWEST, highest)))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
