"""What a job is: one stored request to run a job function, and the handle `enqueue` returns."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models, router
from django.utils.translation import gettext_lazy as _

from django_jobs.models import sound
from django_jobs.models.names import NameField
from django_jobs.models.queries import JobQuerySet
from django_jobs.notes import Progress
from django_jobs.options import DEFAULT_QUEUE, result_ttl
from django_jobs.serializers import load_meta
from django_jobs.states import FINAL, Status
from django_jobs.uuid7 import created_at, uuid7

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from django_jobs.models.attempt import Attempt
    from django_jobs.models.error import JobError
    from django_jobs.models.note import JobNote

STATUS_LABELS = [
    (Status.WAITING.value, _("waiting")),
    (Status.SCHEDULED.value, _("scheduled")),
    (Status.READY.value, _("ready")),
    (Status.RUNNING.value, _("running")),
    (Status.COMPLETED.value, _("completed")),
    (Status.DEAD.value, _("dead")),
    (Status.CANCELLED.value, _("cancelled")),
]


class Job(models.Model):
    """One stored request to run a job function.

    Only the engines write its state; everything else reads. `args`, `options` and
    `result_data` hold JSON as text: jsonb refuses NUL and MySQL's JSON changes numbers. Where another
    serializer was chosen, `args` and `result_data` hold its bytes, signed.
    """

    id = sound.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    function = NameField(_("function"), max_length=255)
    queue = NameField(_("queue"), max_length=100, default=DEFAULT_QUEUE)
    status = sound.CharField(_("status"), max_length=10, choices=STATUS_LABELS)
    priority = sound.SmallIntegerField(_("priority"), default=0)
    # Due time while pending; the moment it became final afterwards, so that one index serves both.
    run_after = sound.DateTimeField(_("run after"))
    args = sound.TextField(_("arguments"))
    options = sound.TextField(_("options"), null=True)
    max_attempts = sound.SmallIntegerField(_("max attempts"), db_default=3)
    timeout = sound.FloatField(_("timeout (s)"), null=True)
    holds = sound.IntegerField(_("holds"), db_default=0)
    reason = sound.CharField(_("reason"), max_length=200, db_default="")
    round = sound.IntegerField(_("round"), db_default=1)
    attempts = sound.IntegerField(_("attempts"), db_default=0)
    interruptions = sound.IntegerField(_("interruptions"), db_default=0)
    worker_id = sound.CharField(_("worker"), max_length=100, db_default="")
    started_at = sound.DateTimeField(_("started at"), null=True)
    claim_token = sound.BigIntegerField(_("claim token"), null=True)
    lease = sound.DateTimeField(_("lease"), null=True)
    # What a person asked of the running attempt: 0 nothing, 1 that it ends itself, 2 that it is ended.
    cancel_requested = sound.SmallIntegerField(_("cancel requested"), db_default=0)
    result_data = sound.TextField(_("result"), null=True)
    error = sound.TextField(_("current error"), null=True)
    # A dead letter and the job made of it name each other; the first is the guard that there is only one.
    replayed_as = sound.UUIDField(_("replayed as"), null=True, editable=False)
    replay_of = sound.UUIDField(_("replay of"), null=True, editable=False)

    objects = JobQuerySet.as_manager()

    if TYPE_CHECKING:
        attempt_set: RelatedManager[Attempt]
        joberror_set: RelatedManager[JobError]

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        default_permissions = ("view",)
        permissions = [
            ("requeue_job", "Can requeue jobs"),
            ("cancel_job", "Can cancel jobs"),
            ("force_cancel_job", "Can end running jobs by force"),
            ("replay_deadletter", "Can replay dead letters"),
            ("view_payload", "Can view sensitive arguments of jobs"),
        ]
        indexes = [
            # By fields: MariaDB has no indexes on expressions, and Django leaves out one with F().desc().
            models.Index(
                fields=["status", "queue", "-priority", "run_after", "id"], name="django_jobs_claim"
            ),
            models.Index(fields=["status", "run_after"], name="django_jobs_due"),
        ]

    def __str__(self) -> str:
        return f"{self.function} {self.id}"

    @property
    def is_final(self) -> bool:
        """Whether the job, as last read, is completed, dead or cancelled."""
        return self.status in FINAL

    @property
    def created_at(self) -> datetime:
        """When the job was enqueued, read from its UUIDv7 (milliseconds, the enqueuer's clock)."""
        return created_at(self.id)

    @property
    def finished_at(self) -> datetime | None:
        """When the job became final; None while it is not."""
        return self.run_after if self.is_final else None

    @property
    def result_expires_at(self) -> datetime | None:
        """When the result of a completed job expires; None where it stays as long as the job does."""
        ttl = result_ttl(self.options) if self.status == Status.COMPLETED else None
        return None if ttl is None else self.run_after + timedelta(seconds=ttl)

    @property
    def errors(self) -> models.QuerySet[JobError]:
        """The job's errors, oldest first."""
        return self.joberror_set.order_by("id")

    @property
    def progress(self) -> Progress | None:
        """How far the job said it is; read anew each time. None where it said nothing in this round."""
        note = self._note()
        return note.progress if note else None

    @property
    def meta(self) -> dict[str, Any]:
        """What the job saved of itself last; read anew each time, empty where it saved nothing.

        Raises:
            SerializationError: it names something that no longer exists.
        """
        note = self._note()
        return load_meta(note.meta if note else None)

    @property
    def log(self) -> str:
        """What the attempt that spoke last has logged; read anew each time."""
        note = self._note()
        return (note.log if note else None) or ""

    def _note(self) -> JobNote | None:
        from django_jobs.models.note import JobNote

        return JobNote.objects.filter(pk=self.pk).first()

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the job and return its value.

        Args:
            timeout: seconds to wait at most; None waits for ever.

        Returns:
            What the job function returned, after its round trip through the serializer.

        Raises:
            JobFailed: the job is dead.
            JobCancelled: the job was cancelled.
            ResultTimeout: the job was not final in time.
            ResultTooLarge: the job completed, its result was too large to store.
            ResultExpired: the job completed longer ago than its `result_ttl`.
            SerializationError: the stored result cannot be read, or is not this job's.
            WouldWaitForever: the caller itself keeps the job from running.
            JobNotFound: the job is gone.
        """
        from django_jobs import client

        return client.result(self, timeout=timeout)

    async def aresult(self, timeout: float | None = None) -> Any:
        """Wait for the job without blocking the event loop; otherwise as `result`."""
        from django_jobs import client

        return await client.aresult(self, timeout=timeout)

    def cancel(self, *, force: bool = False) -> bool:
        """Cancel the job if it is pending; ask its worker to cancel it if it is running.

        A running job hears of it within a second or two, when it next calls `current_job.check_cancelled()`;
        one that never does runs to its end, and stays completed then. However else its run ends, it is
        cancelled and not run again.

        Args:
            force: end a running job as a time limit does, whatever its code is doing.

        Returns:
            True if it was pending, or has been asked now; False, with nothing changed, where it is final or
            was asked before. The handle is up to date after True.
        """
        from django_jobs import client

        return self._after(sum(client.cancel([self.id], force=force)))

    def requeue(self) -> bool:
        """Put a dead, cancelled or completed job back in place: same id, new round, history kept.

        Returns:
            True if it was one of these; on any other nothing changes.
        """
        from django_jobs import client

        return self._after(client.requeue([self.id]))

    def replay(self) -> Job | None:
        """Make a new job of this dead letter: same function, arguments and options, and each names the other.

        Once only: a letter that was replayed stays so, also when it is requeued and dies again.

        Returns:
            The new job; None, with nothing changed, where this one is not dead or was replayed before.

        Raises:
            SerializationError: its arguments are signed, and not for this job.
        """
        from django_jobs import client

        made = client.replay([self.id])
        self._after(len(made))
        return made[0] if made else None

    def _after(self, changed: int) -> bool:
        if changed:
            self.refresh_from_db(using=router.db_for_write(Job))
        return changed == 1
