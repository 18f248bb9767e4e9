"""A PgBouncer in front of the server the tests run on, with the pools that the docs show."""

from __future__ import annotations

import signal
from typing import Any

from django.db import connection

from tests.pages import fences
from tests.servers import Server, find_program

# What the page on deployment shows, for another server.
(SHOWN,) = (each.text for each in fences("docs/deployment.md", "ini") if each.file.endswith("pgbouncer.ini"))
ITS_SERVER = "host=127.0.0.1 port=5432 dbname=mysite"
TRANSACTIONS, SESSIONS = "mysite", "mysite_workers"
OF_THE_TEST = """
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
"""


class PgBouncer(Server):
    """Its pools are TRANSACTIONS and SESSIONS."""

    user = "postgres"
    fast = signal.SIGTERM

    def url(self, database: str) -> str:
        return f"postgresql://anybody@127.0.0.1:{self.port}/{database}"

    def _install(self) -> None:
        self._program = find_program("pgbouncer")
        of = connection.settings_dict
        words = {"host": of["HOST"], "port": of["PORT"] or 5432, "user": of["USER"], "dbname": of["NAME"]}
        place = " ".join(f"{key}={value}" for key, value in words.items())
        if of["PASSWORD"]:
            place += f" password={of['PASSWORD']}"
        pools = SHOWN.replace(ITS_SERVER, place)
        (self.directory / "ini").write_text(pools + OF_THE_TEST.format(port=self.port))

    def _command(self) -> list[str]:
        return [self._program, str(self.directory / "ini")]

    def _connect(self, database: str) -> Any:
        import psycopg

        # Not prepared: in a pool of transactions the next one may be another server connection's.
        url = self.url(database or TRANSACTIONS)
        return psycopg.connect(url, autocommit=True, connect_timeout=5, prepare_threshold=None)
