"""What can be done to jobs, from their list and from the page of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_jobs.admin.changing import change, forecast
from django_jobs.admin.trail import Trail
from django_jobs.admin.verbs import CANCEL, FORCE_CANCEL, REPLAY, REQUEUE, Verb
from django_jobs.models import Job

if TYPE_CHECKING:
    from django_jobs.admin.job import JobAdmin

SHOWN = 20
HINTS = {
    "requeue": _("Runs this job again: its attempts begin anew, its history is kept."),
    "replay": _("Makes a new job with the same arguments; this one stays as it is."),
    "cancel": _("It does not begin or, if it is running, is asked to end."),
    "force_cancel": _("Ends it, whatever it is doing. Asks first."),
}


@admin.action(permissions=["requeue"], description=_("Requeue"))
def requeue(page: JobAdmin, request: HttpRequest, matching: QuerySet[Job]) -> HttpResponse:
    """Put final jobs back in place."""
    return _act(REQUEUE, page, request, matching)


@admin.action(permissions=["replay"], description=_("Replay"))
def replay(page: JobAdmin, request: HttpRequest, matching: QuerySet[Job]) -> HttpResponse:
    """Make new jobs of dead letters."""
    return _act(REPLAY, page, request, matching)


@admin.action(permissions=["cancel"], description=_("Cancel"))
def cancel(page: JobAdmin, request: HttpRequest, matching: QuerySet[Job]) -> HttpResponse:
    """Cancel pending jobs, and ask running ones to end."""
    return _act(CANCEL, page, request, matching)


@admin.action(permissions=["force_cancel"], description=_("Cancel by force"))
def force_cancel(page: JobAdmin, request: HttpRequest, matching: QuerySet[Job]) -> HttpResponse:
    """Cancel pending jobs, and end running ones whatever they are doing; ask first."""
    if request.POST.get("confirmed") != "yes":
        return _ask(page, request, matching)
    return _act(FORCE_CANCEL, page, request, matching)


VERBS: dict[str, Verb] = {
    "requeue": REQUEUE,
    "replay": REPLAY,
    "cancel": CANCEL,
    "force_cancel": FORCE_CANCEL,
}


def _act(verb: Verb, page: JobAdmin, request: HttpRequest, matching: QuerySet[Job]) -> HttpResponse:
    jobs, chosen = _meant(page, request, matching)
    return page.answer(request, change(verb, jobs, trail=Trail.of(request, page.model), chosen=chosen))


def _ask(page: JobAdmin, request: HttpRequest, matching: QuerySet[Job]) -> HttpResponse:
    jobs, chosen = _meant(page, request, matching)
    running = jobs.filter(FORCE_CANCEL.applies, status="running").only("function", "worker_id")
    context: dict[str, Any] = {
        "title": gettext("Cancel by force?"),
        "warning": gettext(
            "What is running is ended, whatever it is doing: what it has not finished is lost. "
            "What is pending does not begin."
        ),
        "forecast": forecast(FORCE_CANCEL, jobs, chosen=chosen),
        "rows": [(job.function, job.pk) for job in running[:SHOWN]],
        "answers": [("yes", gettext("Yes, cancel by force"))],
    }
    return page.confirmation(request, "force_cancel", **context)


def _meant(page: JobAdmin, request: HttpRequest, matching: QuerySet[Job]) -> tuple[QuerySet[Job], int | None]:
    """Return the jobs that are meant, and how many those were that a person has picked."""
    if page.everything(request):
        return matching, None
    # By their keys alone: one that has changed since, and is no more on this list, is counted all the same.
    keys = page.keys(request)
    return page.get_queryset(request).filter(pk__in=keys), len(keys)
