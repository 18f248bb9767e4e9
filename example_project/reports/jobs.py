"""Mails: a month's report, not twice if that can be known, and what is dead."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from django_jobs import PermanentError, TransientError, exponential, job
from django_jobs.models import Job
from example_project.reports.models import MonthlyReport
from example_project.reports.sending import send
from example_project.reports.writing import first_of, report_on

# Who is told of dead letters.
KEEPER = "keeper@airport-guide.example"
BACK_OFF = exponential(0.5, cap=300, jitter=True)
# A server that is away or hangs up is an OSError; what it says of itself becomes one of ours.
CAN_HEAL = (TransientError, OSError, OperationalError, InterfaceError)


@job(
    queue="mail",
    timeout=30,
    max_attempts=5,
    retry_delay=BACK_OFF,
    retry_on=CAN_HEAL,
    description="Mail the report of one month",
)
def mail_monthly_report(year: int, month: int, recipient: str) -> dict[str, Any]:
    """Write the report of a month and send it; return what was sent to whom, and when.

    Written once and stored before it is sent, so that a retry sends the same. Only if the process dies
    between the server's yes and our note of it is it sent twice, with one Message-ID; no queue can rule
    that out.
    """
    try:
        first = first_of(year, month)
        validate_email(recipient)
    except (ValueError, ValidationError) as error:
        raise PermanentError(f"no report on {year}-{month} for {recipient!r}: {error}") from error
    report, _ = MonthlyReport.objects.get_or_create(
        month=first, recipient=recipient, defaults={"text": report_on(first)}
    )
    if report.sent_at is None:
        send(report.subject, report.text, to=recipient, message_id=report.message_id)
        report.sent_at = timezone.now()
        report.save(update_fields=["sent_at"])
    return {"subject": report.subject, "recipient": recipient, "sent_at": report.sent_at}


@job(
    queue="mail",
    timeout=30,
    max_attempts=5,
    retry_delay=BACK_OFF,
    retry_on=CAN_HEAL,
    description="Mail the keeper that a job is dead",
)
def mail_failure(job_id: UUID) -> dict[str, Any]:
    """Tell the guide's keeper of a dead letter; given to other job functions as their on_failure.

    Not what it was called with: mail is read by many, and errors are masked where arguments are sensitive,
    while the row has these as they are. The id leads whoever may see them to the job's page.
    """
    dead = Job.objects.find(job_id)
    attempts = [f"attempt {error.number}: {error}" for error in dead.errors.filter(round=dead.round)]
    send(
        f"Dead: {dead.function}",
        "\n".join([f"{dead.function} {dead.pk}", "", *attempts, ""]),
        to=KEEPER,
        message_id=f"<dead-{dead.pk}-{dead.round}@airport-guide.example>",
    )
    return {"dead": str(dead.pk), "recipient": KEEPER}
