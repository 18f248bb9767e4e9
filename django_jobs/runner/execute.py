"""Run one job: an assignment in, an outcome or a refusal out. Writes nothing, reports nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from django_jobs import logs, registry, retries, signals
from django_jobs.conf import conf
from django_jobs.context import JobContext, Workplace, running
from django_jobs.exceptions import (
    CancelRequested,
    HardTimeout,
    MemoryLimitRefused,
    SoftTimeout,
    UnknownJobFunction,
)
from django_jobs.masking import NO_SECRETS, Secrets, secrets_of, stored_secrets
from django_jobs.notebook import Notebook
from django_jobs.options import StoredOptions
from django_jobs.options.sensitive import RETURN
from django_jobs.outcomes import ErrorReport, Outcome
from django_jobs.runner.blame import blame
from django_jobs.runner.interrupts import Stoppable
from django_jobs.runner.memory import Allowance
from django_jobs.serializers import Owner, dump_result, load_args
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.uuid7 import age
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.messages import Assignment, Refusal

# A job of an unknown function is looked at again after a tenth of its age, within these bounds (seconds).
UNKNOWN_DELAY_LEAST, UNKNOWN_DELAY_MOST = 5.0, 600.0


def execute(
    assignment: Assignment, workplace: Workplace, interrupts: Stoppable, notebook: Notebook | None = None
) -> Outcome | Refusal:
    """Run a job and return what came of it; whatever its code raises is part of the outcome."""
    try:
        function = registry.find(assignment.function)
    except UnknownJobFunction as unknown:
        return _unknown_function(assignment, unknown)
    context = context_of(assignment, workplace, interrupts, notebook or Notebook(assignment.meta))
    run = Run(assignment, function, context, interrupts, neighbours=workplace.threads > 1)
    return copy_context().run(run.outcome)


def context_of(
    assignment: Assignment, workplace: Workplace, interrupts: Stoppable, notebook: Notebook
) -> JobContext:
    """Return the job as its own code sees it."""
    return JobContext.made(
        id=assignment.job_id,
        function=assignment.function,
        queue=assignment.queue,
        priority=assignment.priority,
        attempt=assignment.number,
        round=assignment.round,
        max_attempts=assignment.max_attempts,
        worker_id=workplace.worker_id,
        slots=workplace.slots,
        database=workplace.database,
        notebook=notebook,
        cancel_asked=interrupts.cancel_asked(),
    )


def _unknown_function(assignment: Assignment, unknown: UnknownJobFunction) -> Outcome | Refusal:
    waited = age(assignment.job_id)
    if waited < conf().UNKNOWN_FUNCTION_TTL:
        delay = min(max(waited / 10, UNKNOWN_DELAY_LEAST), UNKNOWN_DELAY_MOST)
        return Refusal(assignment.job_id, assignment.token, delay, f"unknown function: {unknown}"[:200])
    error = blame(unknown, kind=ErrorKind.UNKNOWN_FUNCTION, function=assignment.function)
    now = boottime_ns()
    return Outcome(
        assignment.job_id,
        assignment.token,
        AttemptOutcome.FAILED,
        error=error,
        started_ns=now,
        finished_ns=now,
    )


class Run:
    """One run of one job function; its steps are taken one by one where a loop runs it."""

    def __init__(
        self,
        assignment: Assignment,
        function: registry.RegisteredFunction,
        context: JobContext,
        interrupts: Stoppable,
        *,
        neighbours: bool,
    ) -> None:
        self.assignment, self.function, self.context = assignment, function, context
        self.interrupts, self.neighbours = interrupts, neighbours
        self.owner = Owner(assignment.job_id, assignment.function)
        self.options: StoredOptions | None = None
        self.max_memory: int | None = None
        self.secrets = NO_SECRETS
        self.sensitive: dict[str, int | None] = {}
        self.kind = ErrorKind.SERIALIZATION
        self.started_ns = boottime_ns()

    def outcome(self) -> Outcome:
        """Run the job in this thread; return what came of it."""
        self._tell_of_start()
        try:
            result_data = self.interrupts.guard(self._result_data)
        # SystemExit, KeyboardInterrupt and their like end the job that raised them, not the runner.
        except BaseException as error:
            return self.failed(error)
        return self.completed(result_data)

    def failed(self, error: BaseException) -> Outcome:
        """Return the outcome of a run that has raised this; asks the job's own retry rules."""
        # One that the job raises although nobody has asked is a failure like others.
        if isinstance(error, CancelRequested) and self.context.cancel_requested:
            return self._ended(AttemptOutcome.CANCELLED)
        kind = ErrorKind.SOFT_TIMEOUT if isinstance(error, SoftTimeout) else self.kind
        report = blame(error, kind=kind, function=self.assignment.function, secrets=self.secrets)
        return self._ended(AttemptOutcome.FAILED, retry_in=self._retry_in(error), error=report)

    def completed(self, result_data: str | None) -> Outcome:
        """Return the outcome of a run whose result is stored as this."""
        return self._ended(AttemptOutcome.COMPLETED, result_data=result_data)

    def _tell_of_start(self) -> None:
        # Before anything may be interrupted: no order to stop the job is raised, and lost, in a receiver.
        try:
            signals.send(signals.job_started, self.context)
        except BaseException as error:  # not even one that exits changes anything
            logs.receiver_failed(receiver=signals.job_started, error=error, job_id=self.context.id)

    def _result_data(self) -> str | None:
        args, kwargs = self.prepared()
        with running(self.context), Allowance(self.max_memory):
            result = self._synchronous()(*args, **kwargs)
        return self.stored(result)

    def prepared(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of the call, which is the next step."""
        options = self._read_options()
        # What the function calls sensitive now, of a job enqueued before it did, is sensitive too.
        self.sensitive = {**dict(self.function.options.sensitive), **options.sensitive}
        args, kwargs = self._arguments(self.sensitive)
        self.kind = ErrorKind.EXCEPTION
        self.max_memory = options.max_memory
        if self.neighbours and self.max_memory is not None:
            raise MemoryLimitRefused
        return args, kwargs

    def stored(self, result: Any) -> str | None:
        """Return what the call has returned, as it is stored."""
        self.kind = ErrorKind.SERIALIZATION
        secret = RETURN in self.sensitive
        try:
            return dump_result(result, self.owner, like=self.assignment.args, preview=not secret)
        except Exception:
            if secret:
                # What refuses a value often quotes it.
                self.secrets = Secrets([result], besides=self.secrets)
            raise

    def _read_options(self) -> StoredOptions:
        self.options = options = StoredOptions.load(self.assignment.options)
        if (soft := options.soft_timeout) is not None:
            self.context = replace(self.context, soft_ends_ns=self.started_ns + int(soft * 1e9))
        return options

    def _arguments(self, sensitive: Mapping[str, int | None]) -> tuple[list[Any], dict[str, Any]]:
        if sensitive:
            self.secrets = stored_secrets(sensitive, self.assignment.args)
        args, kwargs = load_args(self.assignment.args, self.owner)
        if sensitive:
            self.secrets = secrets_of(sensitive, args, kwargs)
        return args, kwargs

    def _synchronous(self) -> Callable[..., Any]:
        function = self.function.function
        return self.interrupts.awaiting(function) if self.function.is_coroutine else function

    def _retry_in(self, error: BaseException) -> float | None:
        number, most = self.assignment.number, self.assignment.max_attempts
        # The options are what could not be read; or the worker, which stops the run, decides.
        if self.options is None or isinstance(error, HardTimeout):
            return retries.without_exception(self.assignment.options, number=number, max_attempts=most)
        return retries.after_exception(
            error,
            options=self.options,
            policy=self.function.options.retry_callable,
            number=number,
            max_attempts=most,
            job=self.context,
        )

    def _ended(
        self,
        outcome: AttemptOutcome,
        *,
        retry_in: float | None = None,
        result_data: str | None = None,
        error: ErrorReport | None = None,
    ) -> Outcome:
        job_id, token = self.assignment.job_id, self.assignment.token
        return Outcome(job_id, token, outcome, retry_in, result_data, error, self.started_ns, boottime_ns())
