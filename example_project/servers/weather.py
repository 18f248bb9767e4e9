"""A weather service on this machine that answers each country in a way of its own."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from example_project.settings import WEATHER_KEY

# Degrees and knots of a mild day, made up; one station's thermometer is broken.
STATIONS = {
    "DE": {"EDDF": ("11.4", 9), "EDDM": ("8.9", 12), "EDDH": ("M", 14), "EDDB": ("10.2", 7)},
    "NO": {"ENGM": ("2.1", 6), "ENBR": ("6.0", 21)},
    "IS": {"BIRK": ("3.3", 28), "BIKF": ("2.8", 33)},
    "GB": {"EGLL": ("12.0", 11), "EGPH": ("9.1", 19)},
    "AQ": {},
}
RETRY_AFTER = 1
DRIP_SECONDS = 0.1


class _Handler(BaseHTTPRequestHandler):
    """One request. The methods it may end in are named in ANSWERS."""

    server: WeatherServer

    def do_GET(self) -> None:
        country = self.path.rpartition("/")[2]
        if self.headers["Authorization"] != f"Bearer {WEATHER_KEY}":
            self.unauthorized(country)
            return
        answers = ANSWERS.get(country, (_Handler.good,))
        answers[self.server.count(country) % len(answers)](self, country)

    def good(self, country: str) -> None:
        """Tell what was observed at the last full hour."""
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0).isoformat()
        stations = STATIONS.get(country, {})
        seen = [
            {"station": code, "observed_at": hour, "temperature": temperature, "wind": wind}
            for code, (temperature, wind) in stations.items()
        ]
        self._answer(HTTPStatus.OK, json.dumps({"observations": seen}))

    def unauthorized(self, country: str) -> None:
        """Ask for another key."""
        self._answer(HTTPStatus.UNAUTHORIZED)

    def too_many(self, country: str) -> None:
        """Ask for a moment of peace."""
        self._answer(HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": str(RETRY_AFTER)})

    def broken(self, country: str) -> None:
        """Fail."""
        self._answer(HTTPStatus.INTERNAL_SERVER_ERROR)

    def garbled(self, country: str) -> None:
        """Say something else, as a proxy does that asks for a login."""
        self._answer(HTTPStatus.OK, "<html>Welcome to our Wi-Fi")

    def drip(self, country: str) -> None:
        """Say something all the time, and never come to an end: no patience between two bytes runs out."""
        self.send_response(HTTPStatus.OK)
        self.end_headers()
        try:
            while not self.server.closing.wait(DRIP_SECONDS):
                self.wfile.write(b" ")
        except ConnectionError:
            pass  # who asked is gone: this is what its timeout is for

    def _answer(self, status: HTTPStatus, body: str = "", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the demo's screen is for its jobs."""


# For each country what it answers in turn. The others answer at once.
ANSWERS: dict[str, tuple[Callable[[_Handler, str], None], ...]] = {
    "NO": (_Handler.too_many, _Handler.good),
    "IS": (_Handler.broken, _Handler.good),
    "GB": (_Handler.garbled, _Handler.good),
    "FR": (_Handler.unauthorized,),
    "US": (_Handler.drip,),
}


class WeatherServer(ThreadingHTTPServer):
    """The service, on a free port of the loopback."""

    # A request that drips must not keep the server from being closed.
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.closing = threading.Event()
        self._counted = threading.Lock()
        self._counts: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"http://127.0.0.1:{self.server_port}"

    def count(self, country: str) -> int:
        """Count a request; return how many there were for this country before."""
        with self._counted:
            self._counts[country] += 1
            return self._counts[country] - 1


@contextmanager
def running() -> Iterator[WeatherServer]:
    """Run the service in a thread of this process for as long as the block lasts."""
    with WeatherServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
