"""What a person may ask for on the pages: which jobs each verb is for, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from django_jobs import client
from django_jobs.states import FINAL, PENDING, CancelRequest, Status

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# What has become of something: how a message counts it, and what its history says.
COUNTED: dict[str, Any] = {
    "requeued": ngettext_lazy("%(count)d requeued", "%(count)d requeued", "count"),
    "cancelled": ngettext_lazy("%(count)d cancelled", "%(count)d cancelled", "count"),
    "asked": ngettext_lazy("%(count)d asked to end", "%(count)d asked to end", "count"),
    "forced": ngettext_lazy("%(count)d being ended by force", "%(count)d being ended by force", "count"),
    "replayed": ngettext_lazy("%(count)d replayed", "%(count)d replayed", "count"),
    "paused": ngettext_lazy("%(count)d paused", "%(count)d paused", "count"),
    "resumed": ngettext_lazy("%(count)d resumed", "%(count)d resumed", "count"),
    "purged": ngettext_lazy("%(count)d purged", "%(count)d purged", "count"),
}
SAID: dict[str, StrOrPromise] = {
    "requeued": _("Requeued."),
    "cancelled": _("Cancelled."),
    "asked": _("Asked to end."),
    "forced": _("To be ended by force."),
    "replayed": _("Replayed as {}."),
    "paused": _("Paused."),
    "resumed": _("Resumed."),
}


def counted(changed: Mapping[str, int]) -> list[str]:
    """Return what has become of how many, a word or two for each kind."""
    return [COUNTED[kind] % {"count": count} for kind, count in sorted(changed.items())]


@dataclass(frozen=True)
class Verb:
    """One thing that can be asked of jobs.

    Attributes:
        becomes: what it makes of a job of each status it is for.
        unless: of these, the jobs it leaves alone all the same.
        because: why it does, in a word or two.
        ask: the client's call; returns, by id, what there is to say of a job besides.
        refuses: which of these jobs the call would refuse, and all others with them.
        refusal: why, in a word or two.
    """

    becomes: Mapping[Status, str]
    unless: Q
    because: StrOrPromise
    ask: Callable[[Sequence[UUID]], Mapping[UUID, object]]
    refuses: Callable[[Sequence[UUID]], Collection[UUID]] = lambda ids: ()
    refusal: StrOrPromise = ""

    @property
    def applies(self) -> Q:
        """The condition that a job can be changed."""
        return Q(status__in=sorted(self.becomes)) & ~self.unless

    def why_not(self, status: str, label: str) -> str:
        """Return why a job of a status was left alone."""
        return str(self.because) if status in self.becomes else label


def _requeue(ids: Sequence[UUID]) -> Mapping[UUID, object]:
    client.requeue(ids)
    return {}


def _cancel(ids: Sequence[UUID]) -> Mapping[UUID, object]:
    client.cancel(ids)
    return {}


def _force(ids: Sequence[UUID]) -> Mapping[UUID, object]:
    client.cancel(ids, force=True)
    return {}


def _replay(ids: Sequence[UUID]) -> Mapping[UUID, object]:
    return {job.replay_of: job.pk for job in client.replay(ids) if job.replay_of}


_CANCELLED = dict.fromkeys(PENDING, "cancelled")
_ASKED = _("asked before")

REQUEUE = Verb(dict.fromkeys(FINAL, "requeued"), Q(pk__in=[]), "", _requeue)
CANCEL = Verb(
    {**_CANCELLED, Status.RUNNING: "asked"},
    Q(status=Status.RUNNING, cancel_requested__gte=CancelRequest.ASKED),
    _ASKED,
    _cancel,
)
FORCE_CANCEL = Verb(
    {**_CANCELLED, Status.RUNNING: "forced"},
    Q(status=Status.RUNNING, cancel_requested__gte=CancelRequest.FORCED),
    _ASKED,
    _force,
)
REPLAY = Verb(
    {Status.DEAD: "replayed"},
    Q(replayed_as__isnull=False),
    _("replayed before"),
    _replay,
    refuses=client.unsigned,
    refusal=_("the arguments are not signed for it"),
)
