"""The monthly report, sent through a real mail server that does not take everything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from django_jobs import PermanentError, TransientError
from example_project.airports.jobs import import_airports
from example_project.airports.models import Import
from example_project.mail import mail_settings
from example_project.reports.jobs import KEEPER, mail_failure, mail_monthly_report
from example_project.reports.models import MonthlyReport
from example_project.reports.writing import report_on
from example_project.servers import mail
from example_project.weather.models import Observation
from tests.example.test_weather import delay_after
from tests.ports import listen

pytestmark = pytest.mark.django_db
ADA = "ada@example.com"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[mail.MailServer]:
    """A mail server of this test."""
    with (
        mail.running(tmp_path / "mail") as server,
        override_settings(**mail_settings(port=server.port), DEFAULT_FROM_EMAIL="guide@example.com"),
    ):
        yield server


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """Where the server keeps what it takes."""
    return tmp_path / "mail"


def read(folder: Path) -> list[EmailMessage]:
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("*"))]


def test_a_report_is_sent_at_the_second_try_as_the_server_asks(
    server: mail.MailServer, letters: Path
) -> None:
    job = mail_monthly_report.enqueue(2026, 10, ADA)
    with pytest.raises(TransientError, match=r"ada@example\.com: 451 4\.7\.1 Greylisted") as raised:
        mail_monthly_report(2026, 10, ADA)
    assert 0 < (delay_after(raised.value, job=job, number=1) or 0) <= 0.5
    assert not read(letters)
    result = mail_monthly_report(2026, 10, ADA)
    (letter,) = read(letters)
    assert (letter["To"], letter["From"]) == (ADA, "guide@example.com")
    assert letter["Subject"] == result["subject"] == "The airport guide in October 2026"
    report = MonthlyReport.objects.get()
    assert letter["Message-ID"] == report.message_id
    assert letter.get_content().split() == report.text.split()
    assert report.sent_at == result["sent_at"] is not None


def test_a_report_that_was_sent_is_not_sent_again(server: mail.MailServer, letters: Path) -> None:
    with pytest.raises(TransientError):
        mail_monthly_report(2026, 10, ADA)
    assert mail_monthly_report(2026, 10, ADA) == mail_monthly_report(2026, 10, ADA)
    assert len(read(letters)) == 1


def test_a_retry_sends_what_was_written_first(server: mail.MailServer, letters: Path) -> None:
    today = datetime.now(UTC)
    with pytest.raises(TransientError):
        mail_monthly_report(today.year, today.month, ADA)
    import_airports("closed_airports.csv", 0, 500)
    mail_monthly_report(today.year, today.month, ADA)
    assert "Airports imported: 0 in 0 batches." in read(letters)[0].get_content()


def test_an_address_that_does_not_exist_is_not_tried_again(server: mail.MailServer) -> None:
    with pytest.raises(PermanentError, match=r"550 5\.1\.1 Nobody of that name"):
        mail_monthly_report(2026, 10, "nobody@example.com")
    assert MonthlyReport.objects.get().sent_at is None


@pytest.mark.parametrize(
    ("code", "expected"), [(421, TransientError), (452, TransientError), (552, PermanentError)]
)
def test_a_server_that_refuses_the_letter_itself_is_believed(
    server: mail.MailServer, monkeypatch: pytest.MonkeyPatch, code: int, expected: type[Exception]
) -> None:
    async def refuse(*_: object) -> str:
        return f"{code} not this one"

    monkeypatch.setattr(mail.Mailbox, "handle_DATA", refuse)
    with pytest.raises(TransientError):
        mail_monthly_report(2026, 10, ADA)
    with pytest.raises(expected, match=f"{code} not this one"):
        mail_monthly_report(2026, 10, ADA)


def test_a_server_that_is_away_is_tried_again() -> None:
    with listen() as taken:
        port = taken.getsockname()[1]
    job = mail_monthly_report.enqueue(2026, 10, ADA)
    with override_settings(**mail_settings(port=port)), pytest.raises(ConnectionError) as raised:
        mail_monthly_report(2026, 10, ADA)
    assert delay_after(raised.value, job=job, number=1) is not None


@pytest.mark.parametrize(
    ("year", "month", "recipient"), [(2026, 13, ADA), (2026, 10, "ada"), (2026, 10, "a@b.c\nBcc: d@e.f")]
)
def test_what_is_no_month_or_no_address_is_refused_before_anything_is_written(
    year: int, month: int, recipient: str
) -> None:
    with pytest.raises(PermanentError, match="no report on"):
        mail_monthly_report(year, month, recipient)
    assert not MonthlyReport.objects.exists()


def test_a_report_counts_its_month_and_no_other() -> None:
    import_airports("closed_airports.csv", 0, 500)
    import_airports("airportsdata", 0, 5)
    Import.objects.filter(source="airportsdata").update(imported_at=datetime(2026, 3, 1, tzinfo=UTC))
    Import.objects.exclude(source="airportsdata").update(
        imported_at=datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
    )
    for day, temperature in ((1, 4), (28, -2)):
        Observation.objects.create(
            station="EDDF",
            country="DE",
            observed_at=datetime(2026, 2, day, tzinfo=UTC),
            temperature=temperature,
            wind=3,
        )
    february = report_on(date(2026, 2, 1))
    assert "Airports imported: 4 in 1 batches." in february
    assert "Rows rejected: 8." in february
    assert "Observations of the weather: 2, 1.0 °C on average." in february
    march = report_on(date(2026, 3, 1))
    assert "Airports imported: 5 in 1 batches." in march
    assert "Observations of the weather: 0." in march


def test_the_keeper_is_told_which_job_is_dead_and_why(server: mail.MailServer, letters: Path) -> None:
    job = import_airports.enqueue("airfields_of_brazil_latin1.csv", 0, 500)
    for number, message in enumerate(["no disk", "cannot be read"], start=1):
        job.joberror_set.create(
            token=number,
            round=1,
            number=number,
            kind="exception",
            exception_type="OSError",
            message=message,
            failed_at=datetime.now(UTC),
        )
    with pytest.raises(TransientError, match="451"):
        mail_failure(job.pk)
    assert mail_failure(job.pk) == {"dead": str(job.pk), "recipient": KEEPER}
    (letter,) = read(letters)
    assert (letter["To"], letter["Subject"]) == (KEEPER, f"Dead: {import_airports.name}")
    assert f"{import_airports.name} {job.pk}" in letter.get_content()
    assert "airfields_of_brazil_latin1.csv" not in letter.get_content()
    assert "attempt 2: OSError: cannot be read" in letter.get_content()


def test_an_import_that_is_dead_calls_for_the_keeper() -> None:
    assert import_airports.options.on_failure == mail_failure.name


def test_the_reports_can_be_looked_at(server: mail.MailServer, admin_client: Client) -> None:
    with pytest.raises(TransientError):
        mail_monthly_report(2026, 10, ADA)
    page = admin_client.get(reverse("admin:reports_monthlyreport_changelist")).content.decode()
    assert ADA in page
    change = reverse("admin:reports_monthlyreport_change", args=[MonthlyReport.objects.get().pk])
    assert "Thumbnails there are: 0." in admin_client.get(change).content.decode()
