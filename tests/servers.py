"""Private servers, for tests that stop or kill one; those of the machine are never touched."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from tests.missing import missing
from tests.ports import listen

# A MariaDB on a busy machine takes more than ten seconds to begin.
PATIENCE = 90
Rows = list[tuple[Any, ...]]


class NotInstalled(Exception):
    """A program that makes or runs the server is not on this machine; names it."""


class Server(ABC):
    """One server in a directory and on a loopback port of its own, ended by its pid."""

    # A server refuses to run as root; its package has brought this user.
    user: ClassVar[str]
    # Who may do everything in it, without a password.
    superuser: ClassVar[str]
    # What ends it quickly and in order, cutting off whoever is connected.
    fast: ClassVar[signal.Signals]
    # What ends it at all, from the gentlest to SIGKILL.
    ends: ClassVar[tuple[signal.Signals, ...]] = ()

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        with listen() as free:
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None
        self._install()

    def start(self) -> None:
        """Start, and return when it answers."""
        # Should the tests be killed, the kernel stops the server for them.
        command = _as_user(self.user, "--pdeathsig", self.fast.name.removeprefix("SIG"), *self._command())
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.directory, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop fast and wait for the end; stopping twice is fine."""
        if self._process is not None:
            self.end(self.fast)

    def end(self, way: signal.Signals) -> None:
        """End it in one of its ways, and wait for it."""
        if way is signal.SIGKILL:
            self.kill()
            return
        assert self._process is not None
        self._process.send_signal(way)
        self._process.wait(PATIENCE)
        self._process = None

    def kill(self) -> None:
        """End it by SIGKILL, with all its processes."""
        assert self._process is not None
        pid = self._process.pid
        # The children too: PostgreSQL does not begin again while one of the old is left.
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self._process.kill()
        self._process.wait()
        self._process = None
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def rows(self, query: str, *, database: str) -> Rows:
        """Return what a query gives, over a connection of its own."""
        with closing(self._connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def execute(self, statement: str) -> None:
        """Have it do something, over a connection of its own."""
        with closing(self._connect("")) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    @abstractmethod
    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""

    @abstractmethod
    def _install(self) -> None: ...

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _connect(self, database: str) -> Any: ...

    @property
    def _log(self) -> Path:
        return self.directory / "log"

    def _answers(self) -> bool:
        try:
            self._connect("").close()
        except Exception:  # each driver has its own for "not yet"
            return False
        return True

    def _run(self, *command: str) -> None:
        ended = subprocess.run(
            _as_user(self.user, *command), cwd=self.directory, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


class PostgreSQL(Server):
    """A PostgreSQL."""

    user = superuser = "postgres"
    fast = signal.SIGINT
    ends = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def _install(self) -> None:
        self._run(
            find_program("initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"
        )

    def _command(self) -> list[str]:
        # What is ended here is the server and never its machine: what the system has is as good as on disk.
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            # What others run in a day goes through here in minutes: a vacuum a minute would be one a day.
            "autovacuum_naptime": "5s",
        }
        words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        return [find_program("postgres"), "-D", str(self.data), *words]

    def _connect(self, database: str) -> Any:
        import psycopg

        return psycopg.connect(self.url(database or "postgres"), autocommit=True, connect_timeout=5)


class MariaDB(Server):
    """A MariaDB."""

    user, superuser = "mysql", "root"
    fast = signal.SIGTERM
    ends = (signal.SIGTERM, signal.SIGKILL)

    def url(self, database: str) -> str:
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def _install(self) -> None:
        # Without this root may come in by the socket only.
        login = "--auth-root-authentication-method=normal"
        program = find_program("mariadb-install-db")
        self._run(program, "--no-defaults", f"--datadir={self.data}", login, "--skip-test-db")

    def _command(self) -> list[str]:
        place = [
            f"--datadir={self.data}",
            f"--socket={self.directory}/socket",
            f"--pid-file={self.directory}/pid",
        ]
        network = ["--bind-address=127.0.0.1", f"--port={self.port}", "--skip-name-resolve"]
        # As fsync = off is for PostgreSQL.
        rest = ["--character-set-server=utf8mb4", "--innodb-flush-log-at-trx-commit=2"]
        return [find_program("mariadbd"), "--no-defaults", *place, *network, *rest]

    def _connect(self, database: str) -> Any:
        import pymysql  # type: ignore[import-untyped]

        place = {"host": "127.0.0.1", "port": self.port, "connect_timeout": 5}
        return pymysql.connect(**place, user="root", database=database or None, autocommit=True)


KINDS: dict[str, type[Server]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}


@contextmanager
def running(kind: type[Server]) -> Iterator[Server]:
    """Make a server, start it, and leave nothing of it behind.

    Raises:
        NotInstalled: its programs are not here, or its user.
    """
    # Not below pytest's directory, which nobody but root may enter.
    directory = Path(tempfile.mkdtemp(prefix="django_jobs_"))
    try:
        _give_to(kind.user, directory)
        server = kind(directory)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def private(database: str) -> Iterator[Server]:
    """Run a server of this kind for a test, which is left out where that is not installed."""
    try:
        with running(KINDS[database]) as server:
            yield server
    except NotInstalled as error:
        missing(f"no server of one's own: {error}")


def _give_to(user: str, directory: Path) -> None:
    if os.geteuid() == 0:
        try:
            shutil.chown(directory, user)
        except LookupError:
            raise NotInstalled(f"there is no user {user} to run it as") from None


def find_program(name: str) -> str:
    """Return where a program is, the newest of several; raise NotInstalled where it is not."""
    newest_first = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=_version, reverse=True)
    path = os.pathsep.join([*newest_first, os.environ.get("PATH", ""), "/usr/sbin"])
    if found := shutil.which(name, path=path):
        return found
    raise NotInstalled(f"{name} is not installed")


def _version(directory: str) -> float:
    return float(directory.split("/")[-2])


def _as_user(user: str, *words: str) -> list[str]:
    if os.geteuid() != 0:
        return [find_program("setpriv"), *words]
    group = str(pwd.getpwnam(user).pw_gid)
    return [find_program("setpriv"), f"--reuid={user}", f"--regid={group}", "--clear-groups", *words]
