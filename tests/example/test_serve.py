"""`manage.py serve` as a person uses it: log in, look at the jobs, press Ctrl-C."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, build_opener

import pytest

from example_project.airports.management.commands.serve import STOP_SIGNALS, StopAsked
from tests.example.guide import Guide, family, wait_until
from tests.processes.conftest import is_gone
from tests.servers import Server

pytestmark = pytest.mark.timeout(240)
everywhere = pytest.mark.only_on("sqlite", "postgresql", "mariadb")


def told_by(serving: subprocess.Popen[str]) -> dict[str, str]:
    """Read what it prints until the password; return address, user and password."""
    assert serving.stdout is not None
    said = ""
    for line in serving.stdout:
        said += line
        if "password" in line:
            break
    found = re.search(r"(?P<url>http://\S+/admin/)\s+user +(?P<user>\S+)\s+password +(?P<password>\S+)", said)
    assert found, said + serving.stdout.read()
    return found.groupdict()


def browser() -> OpenerDirector:
    # This machine's own address is not to be looked for behind a proxy.
    return build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))


def page(browser: OpenerDirector, url: str, **form: str) -> str:
    data = urlencode(form).encode() if form else None
    with browser.open(url, data, timeout=60) as answer:
        return str(answer.read().decode())


def log_in(told: dict[str, str]) -> OpenerDirector:
    visitor = browser()
    login = f"{told['url']}login/?next=/admin/"
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page(visitor, login))
    inside = page(visitor, login, username=told["user"], password=told["password"], csrfmiddlewaretoken=token)
    assert "Log out" in inside
    return visitor


@pytest.fixture
def guide(guide: Guide, server: Server | None) -> Guide:
    """A guide on the database these tests are about."""
    guide.server = server
    return guide


@everywhere
def test_one_can_log_in_watch_the_jobs_and_end_it_all(guide: Guide) -> None:
    serving = guide.manage("serve", "--port", "0", "--every", "0.2")
    told = told_by(serving)
    visitor = log_in(told)
    wait_until(lambda: "make_thumbnail" in page(visitor, f"{told['url']}django_jobs/job/"))
    for fact in (
        "queue = 'live-weather' AND status = 'completed'",
        "queue = 'live-mail' AND status = 'completed' AND attempts > 1",
        "queue = 'live-photos' AND status = 'dead'",
        "queue = 'live-reckoning' AND status = 'completed'",
        "queue = 'live-hanging' AND status = 'dead'",
    ):
        wait_until(lambda fact=fact: guide.count(f"django_jobs_job WHERE {fact}") > 0)
    processes = family(serving.pid)
    assert len(processes) > 3
    serving.send_signal(signal.SIGINT)
    said, _ = serving.communicate()
    assert serving.returncode == 0, said
    assert said.endswith("Everything has ended. The jobs are kept.\n")
    wait_until(lambda: all(is_gone(pid) for pid in processes))
    assert guide.count("django_jobs_job WHERE status = 'running'") == 0
    with pytest.raises(OSError, match="refused"):
        browser().open(told["url"], timeout=60)


def test_killed_it_leaves_nothing_behind(guide: Guide) -> None:
    serving = guide.manage("serve", "--port", "0")
    told_by(serving)
    processes = family(serving.pid)
    serving.kill()
    serving.communicate()
    wait_until(lambda: all(is_gone(pid) for pid in processes))


def test_sigterm_ends_it_like_ctrl_c_and_the_next_password_is_another(guide: Guide) -> None:
    passwords = set()
    for _ in range(2):
        serving = guide.manage("serve", "--port", "0")
        passwords.add(told_by(serving)["password"])
        serving.terminate()
        assert serving.communicate()[0].endswith("Everything has ended. The jobs are kept.\n")
        assert serving.returncode == 0
    assert len(passwords) == 2
    assert guide.count("auth_user") == 1


def test_a_port_that_is_taken_is_answered_by_a_sentence(guide: Guide) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        serving = guide.manage("serve", "--port", str(taken.getsockname()[1]))
        said, _ = serving.communicate()
    assert serving.returncode == 1
    assert re.search(r"Port \d+ cannot be had: .*in use.* Another one: make serve PORT=8001\n$", said)
    assert "Traceback" not in said


def test_an_interval_that_is_none_is_refused(guide: Guide) -> None:
    serving = guide.manage("serve", "--every", "0")
    assert "--every must be more than 0 seconds, not 0" in serving.communicate()[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ctrl_c_that_comes_while_python_hears_none_is_remembered() -> None:
    class Ending:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        stop = StopAsked()
        stop.check()
        ending = Ending()
        del ending
        with pytest.raises(KeyboardInterrupt):
            stop.check()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
