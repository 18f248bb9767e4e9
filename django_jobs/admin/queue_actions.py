"""What can be done to queues, from their list and from the page of one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.models import DELETION
from django.db import router
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from django_jobs import queue_verbs
from django_jobs.admin import changing
from django_jobs.admin.tally import Tally
from django_jobs.admin.trail import Deed, Trail
from django_jobs.admin.verbs import SAID
from django_jobs.duties import PAUSE, STEP
from django_jobs.engines import engine_for
from django_jobs.models import Job, Queue
from django_jobs.models.job import STATUS_LABELS
from django_jobs.states import Status

if TYPE_CHECKING:
    from django_jobs.admin.queue import QueueAdmin

HINTS = {
    "pause": _("Workers take no more of its jobs; those that are running go on."),
    "resume": _("Workers take its jobs again."),
    "purge": _("Removes its jobs for good. Asks first, and which."),
}
PURGED = {status.value: status for status in Status if status is not Status.RUNNING}


@admin.action(permissions=["pause"], description=_("Pause"))
def pause(page: QueueAdmin, request: HttpRequest, matching: QuerySet[Queue]) -> HttpResponse:
    """Let no worker take jobs of these queues."""
    return _each(page, request, queue_verbs.pause, "paused", gettext("paused before"))


@admin.action(permissions=["pause"], description=_("Resume"))
def resume(page: QueueAdmin, request: HttpRequest, matching: QuerySet[Queue]) -> HttpResponse:
    """Let workers take jobs of these queues again."""
    return _each(page, request, queue_verbs.resume, "resumed", gettext("not paused"))


@admin.action(permissions=["purge"], description=_("Purge"))
def purge(page: QueueAdmin, request: HttpRequest, matching: QuerySet[Queue]) -> HttpResponse:
    """Remove jobs of these queues for good; ask first, and which."""
    if request.POST.get("confirmed") != "yes":
        return _ask(page, request)
    statuses = [PURGED[each] for each in dict.fromkeys(request.POST.getlist("status")) if each in PURGED]
    return page.answer(request, _purge(_names(page, request), statuses, Trail.of(request, page.model)))


def _names(page: QueueAdmin, request: HttpRequest) -> list[str]:
    return page.names() if page.everything(request) else page.keys(request)


def _each(
    page: QueueAdmin, request: HttpRequest, ask: Callable[[str], bool], kind: str, otherwise: str
) -> HttpResponse:
    tally, trail = Tally(), Trail.of(request, page.model)
    engine = engine_for(router.db_for_write(Job))
    for name in _names(page, request):
        try:
            changed, trail = engine.repeated(partial(_one, ask, name, kind, trail))
        except ValueError:  # nor can a worker be told to serve it
            tally.skipped[gettext("no queue can be called so")] += 1
        else:
            tally.add(Tally(Counter({kind: 1})) if changed else Tally(skipped=Counter({otherwise: 1})))
    return page.answer(request, tally)


def _one(ask: Callable[[str], bool], name: str, kind: str, trail: Trail) -> tuple[bool, Trail]:
    with engine_for(router.db_for_write(Job)).transaction():
        changed = ask(name)
        return changed, trail.after([Deed(Queue(name=name), kind, str(SAID[kind]))]) if changed else trail


def _ask(page: QueueAdmin, request: HttpRequest) -> HttpResponse:
    names = _names(page, request)
    counts = _counts(names)
    labels = dict(STATUS_LABELS)
    context: dict[str, Any] = {
        "title": gettext("Purge?"),
        "warning": gettext(
            "These jobs are removed for good, with their attempts and errors. Running ones are left alone."
        ),
        "rows": [(name, "") for name in names],
        "statuses": [(status, labels[status], counts[status]) for status in PURGED if counts[status]],
        "answers": [("yes", gettext("Yes, remove for good"))],
    }
    return page.confirmation(request, "purge", **context)


def _counts(names: Sequence[str]) -> Counter[str]:
    # To the last one, not up to a cap: who says yes is told what goes.
    total: Counter[str] = Counter()
    for name in names:
        total.update(Job.objects.filter(queue=name, status__in=list(Status)).stats()["total"])
    return total


def _purge(names: Sequence[str], statuses: Sequence[Status], trail: Trail) -> Tally:
    tally, deadline = Tally(), time.monotonic() + changing.SECONDS
    for name in names:
        if purged := _purge_one(name, statuses, trail, deadline):
            tally.changed["purged"] += purged
        jobs = Job.objects.filter(queue=name)
        # What is left in time was locked by somebody else, or has come meanwhile.
        tally.left += jobs.filter(status__in=statuses).count() if time.monotonic() >= deadline else 0
        if running := jobs.running().count():
            tally.skipped[gettext("running")] += running
    return tally


def _purge_one(name: str, statuses: Sequence[Status], trail: Trail, deadline: float) -> int:
    engine = engine_for(router.db_for_write(Job))
    purged, count, key = 0, STEP, None
    while count == STEP and time.monotonic() < deadline:
        if purged:
            time.sleep(PAUSE.total_seconds())
        count, key = engine.repeated(partial(_step, name, statuses, trail, purged, key))
        purged += count
    return purged


def _step(
    name: str, statuses: Sequence[Status], trail: Trail, before: int, key: int | None
) -> tuple[int, int | None]:
    with engine_for(router.db_for_write(Job)).transaction():
        count = queue_verbs.purge(name, statuses=statuses, limit=STEP)
        if count:
            # One entry a queue, which grows with it: whenever this ends, it tells what has been done.
            said = ngettext("%(count)d job removed.", "%(count)d jobs removed.", before + count)
            words = said % {"count": before + count}
            key = trail.note(str(name), str(name), words, flag=DELETION, key=key)
    return count, key
