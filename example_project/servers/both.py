"""Both servers, and what a worker has to be told of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from example_project.servers import mail, weather
from example_project.settings import HOME

MAILBOX = HOME / "mail"


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Run both for as long as the block lasts; give the environment in which the settings name them."""
    with weather.running() as service, mail.running(MAILBOX) as server:
        yield {"AIRPORT_GUIDE_WEATHER": service.url, "AIRPORT_GUIDE_SMTP": str(server.port)}
