"""The weather, fetched from a real server that answers each country in a way of its own."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from django_jobs import PermanentError, RetryJob, retries
from django_jobs.context import running
from django_jobs.models import Job
from django_jobs.notebook import Notebook
from django_jobs.options import StoredOptions
from example_project.servers import weather
from example_project.settings import WEATHER_KEY
from example_project.weather import client, jobs
from example_project.weather.client import Refused, Unavailable, observations
from example_project.weather.jobs import import_weather
from example_project.weather.models import Observation
from tests.ports import listen
from tests.test_retries import JOB


@pytest.fixture
def service() -> Iterator[weather.WeatherServer]:
    """A weather service of this test."""
    with (
        weather.running() as server,
        override_settings(WEATHER_URL=server.url, WEATHER_KEY=WEATHER_KEY),
    ):
        yield server


@pytest.fixture
def nobody() -> Iterator[None]:
    """An address at which no service is."""
    with listen() as taken:
        port = taken.getsockname()[1]
    with override_settings(WEATHER_URL=f"http://127.0.0.1:{port}", WEATHER_KEY=WEATHER_KEY):
        yield


@pytest.mark.django_db
def test_what_is_observed_is_stored_and_what_is_none_is_reported(service: weather.WeatherServer) -> None:
    run = replace(JOB, notebook=Notebook())
    with running(run):
        result = import_weather("DE")
    assert (result["country"], result["read"], result["stored"]) == ("DE", 4, 3)
    assert result["rejected"] == [{"number": 3, "reason": "temperature: “M” value must be a decimal number."}]
    assert list(Observation.objects.values_list("station", flat=True)) == ["EDDB", "EDDF", "EDDM"]
    progress, _, log = run.notebook.note
    assert str(progress) == "3 of 4 (75 %), observations stored"
    assert str(log).startswith("observation 3: temperature")


GOOD = {"station": "EDDF", "observed_at": "2026-11-01T12:00:00Z", "temperature": "11.4", "wind": 9}
WRONG: list[object] = [None, [], {}, [1], {"a": 1}, True, 1e300, -1, "", "\x00", "x" * 300, "9" * 5_000]


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(GOOD))
def test_one_strange_observation_costs_no_other(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    given = [GOOD, *({**GOOD, name: wrong} for wrong in WRONG), "no dict", {}]
    monkeypatch.setattr(jobs, "observations", lambda country: given)
    result = import_weather("DE")
    rejected = {each["number"] for each in result["rejected"]}
    assert (result["read"], 1 in rejected, len(rejected) >= len(given) - 3) == (len(given), False, True)
    assert Observation.objects.filter(station="EDDF").exists()


@pytest.mark.django_db
def test_a_moment_without_a_time_zone_is_no_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "observations", lambda country: [{**GOOD, "observed_at": "2026-11-01 12:00"}])
    (rejected,) = import_weather("DE")["rejected"]
    assert "time zone" in rejected["reason"]


@pytest.mark.django_db
def test_the_same_observations_are_stored_once(service: weather.WeatherServer) -> None:
    assert import_weather("DE") == import_weather("DE")
    assert Observation.objects.count() == 3


@pytest.mark.django_db
def test_a_country_without_stations_completes_with_an_empty_report(service: weather.WeatherServer) -> None:
    assert import_weather("AQ") == {"country": "AQ", "read": 0, "stored": 0, "rejected": []}


@pytest.mark.django_db
def test_too_many_requests_are_retried_when_the_service_says(service: weather.WeatherServer) -> None:
    with pytest.raises(RetryJob) as raised:
        import_weather("NO")
    assert raised.value.defer == weather.RETRY_AFTER
    assert import_weather("NO")["stored"] == 2


@pytest.mark.django_db
@pytest.mark.parametrize("country", ["IS", "GB"])
def test_an_error_of_the_service_is_retried_with_growing_delays(
    service: weather.WeatherServer, country: str
) -> None:
    job = import_weather.enqueue(country)
    with pytest.raises(Unavailable) as raised:
        import_weather(country)
    delays = [delay_after(raised.value, job=job, number=number) for number in (1, 4)]
    assert 0.25 <= delays[0] <= 0.5
    assert 2 <= delays[1] <= 4
    assert import_weather(country)["stored"] == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "reason"), [("FR", "401 Unauthorized"), ("de", "no country"), ("../admin", "no country")]
)
def test_what_cannot_heal_is_dead_at_once(service: weather.WeatherServer, country: str, reason: str) -> None:
    job = import_weather.enqueue(country)
    with pytest.raises(PermanentError, match=reason) as raised:
        import_weather(country)
    assert delay_after(raised.value, job=job, number=1) is None


@pytest.mark.django_db
def test_a_mistake_in_the_code_is_not_retried() -> None:
    assert delay_after(KeyError("typo"), job=import_weather.enqueue("DE"), number=1) is None


def delay_after(error: Exception, *, job: Job, number: int) -> float | None:
    return retries.after_exception(
        error,
        options=StoredOptions.load(job.options),
        policy=None,
        number=number,
        max_attempts=job.max_attempts,
        job=JOB,
    )


def test_a_wrong_key_is_refused(service: weather.WeatherServer) -> None:
    with override_settings(WEATHER_KEY="another"), pytest.raises(Refused, match="401"):
        observations("DE")


def test_a_service_that_is_away_is_unavailable(nobody: None) -> None:
    with pytest.raises(Unavailable, match="refused"):
        observations("DE")


def test_a_service_that_says_nothing_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SILENCE_SECONDS", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        override_settings(WEATHER_URL=f"http://127.0.0.1:{mute.getsockname()[1]}", WEATHER_KEY=""),
        pytest.raises(Unavailable, match="timed out"),
    ):
        observations("DE")


def test_a_service_that_drips_never_falls_silent(
    service: weather.WeatherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MOST_BYTES", 3)
    with pytest.raises(Unavailable, match="more than 3 bytes"):
        observations("US")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"observations": 3}', b"\xff\xfe", b"[" * 100_000],
    ids=lambda body: repr(body[:20]),
)
def test_an_answer_that_is_none_is_unavailable(body: bytes) -> None:
    with pytest.raises(Unavailable):
        client._list_in(body)


def test_retry_after_may_be_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 30 < (client.seconds_until(soon) or 0) <= 60
    assert client.seconds_until(format_datetime(datetime(2001, 1, 1, tzinfo=UTC), usegmt=True)) == 0


@pytest.mark.parametrize("header", ["9" * 400, "999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_does_not_put_a_job_off_for_longer_than_a_day(header: str) -> None:
    assert client.seconds_until(header) == client.LONGEST_PAUSE == 24 * 3600


@pytest.mark.parametrize("header", [None, "", "soon", "-3", "nan"])
def test_retry_after_that_says_nothing_leaves_the_delay_to_the_job(header: str | None) -> None:
    assert client.seconds_until(header) is None


@pytest.mark.django_db
def test_the_observations_can_be_looked_at(service: weather.WeatherServer, admin_client: Client) -> None:
    import_weather("DE")
    page = admin_client.get(reverse("admin:weather_observation_changelist")).content.decode()
    assert "EDDF" in page
    assert "11.4" in page


def test_a_service_can_be_stopped_while_it_drips(service: weather.WeatherServer) -> None:
    request = urllib.request.Request(
        f"{service.url}/observations/US", headers={"Authorization": f"Bearer {WEATHER_KEY}"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as dripping:
        assert dripping.read(2) == b"  "
        service.closing.set()
        dripping.read()  # comes to an end
