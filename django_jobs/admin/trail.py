"""Who did what: the entries that actions leave in the admin's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import ngettext

from django_jobs.admin.verbs import counted

# So many objects of one action have an entry each; one more entry counts the others.
NAMED = 100


class Deed(NamedTuple):
    """What was done to one object: the object, the word that counts it, and the words of its entry."""

    row: Model
    kind: str
    said: str


@dataclass(frozen=True)
class Trail:
    """The entries of one action so far; a new one after each step, so that a step can be done again.

    Attributes:
        user_id: who acts.
        model: what the entries are about.
        named: how many objects have an entry of their own.
        more: how many have not, by what has become of them.
        summary: the key of the entry that counts those.
    """

    user_id: Any
    model: type[Model]
    named: int = 0
    more: Counter[str] = field(default_factory=Counter)
    summary: int | None = None

    @classmethod
    def of(cls, request: HttpRequest, model: type[Model]) -> Trail:
        """Begin the trail of an action."""
        return cls(request.user.pk, model)

    def after(self, deeds: Sequence[Deed]) -> Trail:
        """Write what was done to each object; return the trail after it."""
        own = deeds[: NAMED - self.named]
        entries = [self._entry(str(each.row.pk), str(each.row), each.said, CHANGE) for each in own]
        LogEntry.objects.bulk_create(entries)
        trail = replace(self, named=self.named + len(own))
        others = Counter(each.kind for each in deeds[len(own) :])
        return trail._counting(others) if others else trail

    def _counting(self, others: Counter[str]) -> Trail:
        more = self.more + others
        name = str(self.model._meta.verbose_name_plural)
        text = ngettext("%(count)d more: %(name)s", "%(count)d more: %(name)s", more.total())
        about, said = text % {"count": more.total(), "name": name}, ", ".join(counted(more)) + "."
        return replace(self, more=more, summary=self.note(None, about, said, flag=CHANGE, key=self.summary))

    def note(self, about: str | None, name: str, said: str, *, flag: int, key: int | None) -> int:
        """Write one entry, or that of a key anew; return its key."""
        entry = self._entry(about, name, said, flag)
        entry.pk = key
        entry.save()
        return int(entry.pk)

    def _entry(self, about: str | None, name: str, said: str, flag: int) -> LogEntry:
        content_type = ContentType.objects.get_for_model(self.model, for_concrete_model=False)
        return LogEntry(
            user_id=self.user_id,
            content_type=content_type,
            object_id=about,
            object_repr=name[:200],
            action_flag=flag,
            change_message=said,
        )
