"""A mail server on this machine: it asks strangers to come again, and keeps what it takes as files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

LATER = "451 4.7.1 Greylisted: try again in a moment"
NEVER = "550 5.1.1 Nobody of that name lives here"
# Whose mailbox does not exist.
UNKNOWN = "nobody"
READY_SECONDS = 60


class Mailbox:
    """What answers: a sender it does not know yet has to come again, as spammers rarely do.

    Attributes:
        folder: where the mails are, one file each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: set[tuple[str | None, str]] = set()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Say whether a mail to this address is taken."""
        if address.partition("@")[0] == UNKNOWN:
            return NEVER
        if (pair := (envelope.mail_from, address)) not in self._known:
            self._known.add(pair)
            return LATER
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a mail."""
        assert isinstance(envelope.content, bytes)
        self.folder.mkdir(parents=True, exist_ok=True)
        number = len(list(self.folder.iterdir())) + 1
        (self.folder / f"{number:04}.eml").write_bytes(envelope.content)
        return "250 OK"


class MailServer(Controller):
    """The server, on a free port of the loopback."""

    def _trigger_server(self) -> None:
        # Asked for any port, it looks for itself on port 0.
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def running(folder: Path) -> Iterator[MailServer]:
    """Run the server in a thread of this process for as long as the block lasts; mails go to the folder."""
    server = MailServer(Mailbox(folder), hostname="127.0.0.1", port=0, ready_timeout=READY_SECONDS)
    server.start()
    try:
        yield server
    finally:
        server.stop()
