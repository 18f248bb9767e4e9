"""What the list and the page show of a job, a function a cell."""

from __future__ import annotations

from django.contrib.admin import display
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from django_jobs.admin import formats
from django_jobs.duties.watch import is_note
from django_jobs.models import Job
from django_jobs.states import CancelRequest


@display(description=_("status"))
def state(job: Job) -> str:
    """Show where the job stands."""
    return formats.badge(job.status, str(job.get_status_display()))


@display(description=_("status"))
def standing(job: Job) -> str:
    """Show where the job stands and, below, its attempts."""
    said = ngettext("%(used)d of %(most)d attempt", "%(used)d of %(most)d attempts", job.max_attempts)
    below = said % {"used": job.attempts, "most": job.max_attempts}
    return format_html('{} <span class="jobs-below">{}</span>', state(job), below)


@display(description=_("reason"))
def reason(job: Job) -> str:
    """Show why the job waits or was stopped."""
    return formats.text(job.reason)


@display(description=_("current error"))
def error(job: Job) -> str:
    """Show what went wrong last in this round."""
    return formats.block(job.error)


@display(description=_("function"))
def function(job: Job) -> str:
    """Show the name of the job function."""
    return formats.code(job.function)


@display(description=_("id"))
def job_id(job: Job) -> str:
    """Show the id as logs and commands do."""
    return formats.code(str(job.pk))


@display(description=_("queue"))
def queue(job: Job) -> str:
    """Show the queue."""
    return formats.text(job.queue)


@display(description=_("queue"))
def place(job: Job) -> str:
    """Show the queue, and the priority where it is not the usual one."""
    if not job.priority:
        return formats.text(job.queue)
    said = gettext("priority %(priority)d") % {"priority": job.priority}
    return format_html('{} <span class="jobs-below">{}</span>', formats.text(job.queue), said)


@display(description=_("priority"))
def priority(job: Job) -> str:
    """Show the priority."""
    return str(job.priority)


@display(description=_("attempts"))
def attempts(job: Job) -> str:
    """Show how many attempts of this round are used; the run under way is not counted yet."""
    return gettext("%(used)d of %(most)d used") % {"used": job.attempts, "most": job.max_attempts}


@display(description=_("round"))
def rounds(job: Job) -> str:
    """Show the round: 1, and one more for each requeue."""
    return str(job.round)


@display(description=_("interruptions"))
def interruptions(job: Job) -> str:
    """Show how often a run was stopped through no fault of its own."""
    return str(job.interruptions)


@display(description=_("created"))
def created(job: Job) -> str:
    """Show when the job was enqueued."""
    return formats.moment(job.created_at)


@display(description=_("due"))
def due(job: Job) -> str:
    """Show when a job is due or, of one that is running, has been due."""
    return formats.moment(job.run_after)


@display(description=_("ended"))
def ended(job: Job) -> str:
    """Show when a job became final."""
    return formats.moment(job.finished_at)


@display(description=_("due or ended"))
def times(job: Job) -> str:
    """Show when the job is due or became final and, below, when it was enqueued."""
    said = format_html(gettext("created {}"), created(job))
    return format_html('{} <span class="jobs-below">{}</span>', formats.moment(job.run_after), said)


@display(description=_("running since"))
def started(job: Job) -> str:
    """Show when the run under way began."""
    return formats.moment(job.started_at)


@display(description=_("timeout"))
def time_limit(job: Job) -> str:
    """Show after how long a run is stopped."""
    return gettext("none") if job.timeout is None else formats.seconds(job.timeout)


@display(description=_("held by"))
def holder(job: Job) -> str:
    """Show the worker that holds the job, and until when its claim is good, where that is known."""
    if not job.worker_id:
        return formats.EMPTY
    if job.lease is None or is_note(job.lease):
        return formats.code(job.worker_id)
    return format_html(gettext("{} until {}"), formats.code(job.worker_id), formats.moment(job.lease))


@display(description=_("cancelling"))
def wish(job: Job) -> str:
    """Show what somebody has asked of the run under way."""
    if not job.cancel_requested:
        return formats.EMPTY
    forced = job.cancel_requested == CancelRequest.FORCED
    return gettext("to be ended by force") if forced else gettext("asked to end")


@display(description=_("arguments"))
def arguments(job: Job) -> str:
    """Show what the function is called with."""
    return formats.stored_json(job.args)


@display(description=_("options"))
def options(job: Job) -> str:
    """Show the options that differ from the defaults and have no column."""
    return formats.stored_json(job.options)


@display(description=_("result"))
def result(job: Job) -> str:
    """Show what the function returned."""
    return formats.stored_json(job.result_data)
