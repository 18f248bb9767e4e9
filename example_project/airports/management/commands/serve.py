"""`manage.py serve`: the guide with its admin, a worker and a trickle of jobs, until Ctrl-C."""

from __future__ import annotations

import secrets
import signal
import socket
import time
from types import FrameType
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection

from example_project.airports.demo import screen
from example_project.airports.demo.crew import Crew, CrewGone
from example_project.airports.demo.database import NoDatabase, prepare
from example_project.airports.demo.trickle import trickle
from example_project.servers import both
from example_project.settings import HOME

HOST = "127.0.0.1"
USER = "guide"
# A job that is running at Ctrl-C may go on for so long (seconds).
GRACE = "2"
KNOCK_EVERY = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Command(BaseCommand):
    """Serve the guide."""

    help = __doc__
    # They ask the database, which may have to be made first.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --port and --every."""
        parser.add_argument(
            "--port", type=int, default=8000, help="of the web server (%(default)s); 0 is any that is free"
        )
        parser.add_argument("--every", type=float, default=1.0, help="seconds between two jobs (%(default)s)")

    def handle(self, *, port: int, every: float, **_: Any) -> None:
        """Start everything, say where it is, and end everything at Ctrl-C or SIGTERM."""
        if every <= 0:
            raise CommandError(f"--every must be more than 0 seconds, not {every:g}")
        stop = StopAsked()
        try:
            prepare()
            self.check()
            self._serve(_free(port), every=every, stop=stop)
        except KeyboardInterrupt:
            print("Everything has ended. The jobs are kept.")
        except NoDatabase as error:
            raise CommandError(screen.no_database(error)) from error
        except CrewGone as error:
            raise CommandError(str(error)) from error

    def _serve(self, port: int, *, every: float, stop: StopAsked) -> None:
        web = ("runserver", "--noreload", f"{HOST}:{port}")
        worker = ("runworker", "--processes", "2", "--grace", GRACE)
        password = _password()
        with (
            both.running() as environment,
            Crew(HOME / "serve.log", [web, worker], environment=environment) as crew,
        ):
            try:
                _wait_for(port, crew)
                print(
                    screen.open_at(f"http://{HOST}:{port}/admin/", USER, password, log=crew.log), flush=True
                )
                _trickle(crew, every=every, stop=stop)
            finally:
                # What is ending already is not hurried by a second Ctrl-C, which would leave things behind.
                for number in STOP_SIGNALS:
                    signal.signal(number, signal.SIG_IGN)


class StopAsked:
    """Ctrl-C and SIGTERM, heard at once."""

    def __init__(self) -> None:
        self._asked = False
        for number in STOP_SIGNALS:
            signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Go on unless one has come: Python drops an exception that meets the end of some object."""
        if self._asked:
            raise KeyboardInterrupt


def _free(port: int) -> int:
    try:
        with socket.create_server((HOST, port)) as taken:
            return int(taken.getsockname()[1])
    except (OSError, OverflowError) as error:
        raise CommandError(
            f"Port {port} cannot be had: {error}. Another one: make serve PORT=8001"
        ) from error


def _password() -> str:
    """Make the user, with a new password each time: the one that is printed is the one that holds."""
    user, _ = get_user_model().objects.get_or_create(username=USER)
    user.is_staff = user.is_superuser = user.is_active = True
    password = secrets.token_urlsafe(9)
    user.set_password(password)
    user.save()
    return password


def _wait_for(port: int, crew: Crew) -> None:
    while True:
        crew.keep_alive()
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(KNOCK_EVERY)
        else:
            return


def _trickle(crew: Crew, *, every: float, stop: StopAsked) -> None:
    for enqueue in trickle():
        stop.check()
        for code in crew.keep_alive():
            print(screen.killed(code), flush=True)
        try:
            enqueue()
        except (OperationalError, InterfaceError):
            # The database is away. A connection that has failed stays so; the next job opens another one.
            connection.close()
        time.sleep(every)
