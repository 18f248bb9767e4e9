"""What `jobs requeue`, `jobs replay` and `jobs cancel` share: which jobs are meant, and what is reported."""

from __future__ import annotations

import time
from abc import abstractmethod
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import CommandError

from django_jobs.duties import PAUSE, STEP
from django_jobs.exceptions import JobNotFound, SerializationError
from django_jobs.management.jobs import names
from django_jobs.management.jobs.answers import Answer, Subcommand, one_line
from django_jobs.models import Job
from django_jobs.models.queries import JobQuerySet, named
from django_jobs.states import Status
from django_jobs.uuid7 import parse_ids

Changing = Callable[[Sequence[UUID]], Counter[str]]


class Change(Subcommand):
    """Change jobs given by their ids, or all of a status, and count them.

    Attributes:
        done: what has happened to a changed job, in one word: the key of its count.
        also: what has happened to others instead, where that is counted apart: key and words.
        eligible: what `--status` may say, and which statuses that means.
    """

    done: ClassVar[str]
    also: ClassVar[Mapping[str, str]] = {}
    eligible: ClassVar[Mapping[str, frozenset[Status]]]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add ids, filters and `--dry-run`."""
        statuses = list(self.eligible)
        parser.add_argument("ids", nargs="*", metavar="ID", help="the jobs' ids")
        parser.add_argument(
            "--status",
            choices=statuses,
            metavar="STATUS",
            help=f"instead of ids, all jobs of a status: {', '.join(statuses)}",
        )
        parser.add_argument(
            "--queue", type=names.queue, help="with --status: of the queue of this whole name only"
        )
        parser.add_argument(
            "--function",
            type=names.part_of_function,
            help="with --status: with this part in the function's name only",
        )
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def answer(self, options: Mapping[str, Any]) -> Answer:
        """Change the jobs, or only count them."""
        _check_usage(options)
        dry = options["dry_run"]
        change = partial(self._count_ids if dry else self.change, options=options)
        if options["ids"]:
            return self._of_ids(options["ids"], change, dry=dry)
        chosen = self._chosen(options)
        changed = self.count(chosen, options) if dry else sum(_stepwise(chosen, change), Counter[str]())
        return self._report(changed, dry=dry)

    @abstractmethod
    def change(self, ids: Sequence[UUID], options: Mapping[str, Any]) -> Counter[str]:
        """Change those of these jobs that are eligible; return how many were, or raise JobNotFound."""

    def count(self, jobs: JobQuerySet, options: Mapping[str, Any]) -> Counter[str]:
        """Return how many of these eligible jobs would be changed."""
        return Counter({self.done: jobs.count()})

    def _of_ids(self, given: Sequence[str], change: Changing, *, dry: bool) -> Answer:
        try:
            ids = parse_ids(given)
            changed = change(ids)
        except (JobNotFound, SerializationError) as error:
            raise CommandError(one_line(f"{error}; nothing was changed", width=400)) from None
        if not changed.total():
            raise CommandError(f"nothing was changed: {self._why_not(len(ids))}")
        return self._report(changed, len(ids) - changed.total(), dry=dry)

    def _count_ids(self, ids: Sequence[UUID], options: Mapping[str, Any]) -> Counter[str]:
        found = [Job.objects.find(each).pk for each in ids]
        return self.count(self._among(self._statuses()).filter(pk__in=found), options)

    def _chosen(self, options: Mapping[str, Any]) -> JobQuerySet:
        jobs = self._among(self.eligible[options["status"]])
        if options["queue"] is not None:
            jobs = jobs.filter(queue=options["queue"])
        return jobs if options["function"] is None else jobs.filter(named(options["function"]))

    def _among(self, statuses: frozenset[Status]) -> JobQuerySet:
        return Job.objects.filter(status__in=sorted(statuses))

    def _statuses(self) -> frozenset[Status]:
        return frozenset().union(*self.eligible.values())

    def _report(self, changed: Counter[str], left: int = 0, *, dry: bool) -> Answer:
        said = {self.done: self.done, **{key: words for key, words in self.also.items() if changed[key]}}
        would = "would be " if dry else ""
        text = ", ".join(f"{changed[key]} {would}{words}" for key, words in said.items())
        text += f"; {self._why_not(left)}" if left else ""
        counts = {key: changed[key] for key in (self.done, *self.also)}
        return Answer({**counts, "not_eligible": left, "dry_run": dry}, text)

    def _why_not(self, count: int) -> str:
        *most, last = sorted(self._statuses())
        statuses = f"{', '.join(most)} or {last}" if most else last
        return f"{count} left alone (only {statuses} jobs can be {self.done})"


def _check_usage(options: Mapping[str, Any]) -> None:
    narrowed = options["queue"] is not None or options["function"] is not None
    if options["ids"] and (options["status"] or narrowed):
        raise CommandError("give either ids or --status, not both", returncode=2)
    if not options["ids"] and not options["status"]:
        raise CommandError("say which jobs: their ids, or --status", returncode=2)


def _stepwise(jobs: JobQuerySet, change: Changing) -> Iterator[Counter[str]]:
    """Change the jobs there are now, by id; a job that comes, or comes back, meanwhile is not met twice."""
    # By the newest id there is, not by one made here: another host's clock may be ahead of this one's.
    newest = Job.objects.order_by("pk").values_list("pk", flat=True).last()
    if newest is None:
        return
    jobs = jobs.filter(pk__lte=newest).order_by("pk")
    last: UUID | None = None
    while ids := _following(jobs, last):
        try:
            yield change(ids)
        except JobNotFound:  # one was removed since it was found: look again from the same place
            continue
        if len(ids) < STEP:
            return
        last = ids[-1]
        time.sleep(PAUSE.total_seconds())


def _following(jobs: JobQuerySet, last: UUID | None) -> list[UUID]:
    if last is not None:
        jobs = jobs.filter(pk__gt=last)
    return list(jobs.values_list("pk", flat=True)[:STEP])
