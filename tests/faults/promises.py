"""What must hold of each single step, by name, whoever made it: the machine or an engine.

Together they hold for ever: what each step keeps, no row of steps breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django_jobs.states import PENDING, TRANSITIONS, AttemptOutcome, Status
from tests.faults.machine import MAX_ATTEMPTS, Action, Row, Step, Token

Promise = Callable[["Row | None", Action, Step], bool]


def broken(row: Row | None, action: Action, step: Step) -> Iterator[str]:
    """Yield the names of the promises that a step breaks."""
    for name, holds in PROMISES.items():
        if not holds(row, action, step):
            yield name


def _is_legal(row: Row | None, action: Action, step: Step) -> bool:
    if row == step.row:
        return True
    verb = "ask_cancel" if action.verb == "cancel" and _runs(row) else action.verb
    from_, to = TRANSITIONS.get(verb, ({Status.RUNNING}, {Status.RUNNING}))
    return _status(row) in from_ and _status(step.row) in to


def _old_token_changes_nothing(row: Row | None, action: Action, step: Step) -> bool:
    return action.token is not Token.OLD or step == Step(row)


def _row_is_whole(row: Row | None, action: Action, step: Step) -> bool:
    new = step.row
    if new is None:
        return True
    if new.status is not Status.RUNNING and (new.worker, new.started, new.asked) != (None, False, 0):
        return False
    return new.worker in (0, 1) if new.status is Status.RUNNING else True


def _holds_are_kept(row: Row | None, action: Action, step: Step) -> bool:
    new = step.row
    if new is None:
        return True
    return new.holds >= 1 if new.status is Status.WAITING else new.status not in PENDING or new.holds == 0


def _one_hold_falls(row: Row | None, action: Action, step: Step) -> bool:
    if action.verb != "unhold" or row is None or step.row is None:
        return True
    return step.row.holds == row.holds - (row.status is Status.WAITING)


def _attempts_are_numbered(row: Row | None, action: Action, step: Step) -> bool:
    if step.attempt is not None and (row is None or step.attempt.number != row.attempts + 1):
        return False
    if row is None or step.row is None or (action.verb == "requeue" and step.wrote):
        return True
    charged = step.attempt is not None and step.attempt.outcome.charged
    return step.row.attempts == row.attempts + charged <= MAX_ATTEMPTS


def _claim_is_acked_once(row: Row | None, action: Action, step: Step) -> bool:
    # Under the token of the claim, which is over with it; and no claim has a token that was there before.
    if step.attempt is None:
        return True
    return _runs(row) and not _runs(step.row) and step.attempt.token is Token.CURRENT


def _no_run_goes_unwritten(row: Row | None, action: Action, step: Step) -> bool:
    ended = _runs(row) and not _runs(step.row)
    return not ended or action.verb == "release" or step.attempt is not None


def _only_lapsed_leases_are_rescued(row: Row | None, action: Action, step: Step) -> bool:
    return action.verb != "rescue" or not step.wrote or (row is not None and row.lapsed)


def _crash_is_charged(row: Row | None, action: Action, step: Step) -> bool:
    if action.verb != "rescue" or step.attempt is None or row is None:
        return True
    return (step.attempt.outcome is AttemptOutcome.CRASHED) == row.started


def _often_interrupted_starts_with_its_claim(row: Row | None, action: Action, step: Step) -> bool:
    return not (step.row and _runs(step.row) and step.row.alone) or step.row.started


def _wish_is_honoured(row: Row | None, action: Action, step: Step) -> bool:
    if row is None or not row.asked:
        return True
    if _runs(step.row):
        return step.row is not None and step.row.asked >= row.asked
    return step.row is not None and step.row.status in (Status.CANCELLED, Status.COMPLETED)


def _cancelled_is_heard(row: Row | None, action: Action, step: Step) -> bool:
    if action.verb != "cancel" or row is None or step.row is None:
        return True
    if row.status in PENDING:
        return step.row.status is Status.CANCELLED
    return not _runs(row) or step.row.asked == max(row.asked, action.way)


def _requeue_begins_anew(row: Row | None, action: Action, step: Step) -> bool:
    if action.verb != "requeue" or not step.wrote or row is None:
        return True
    return (step.row, step.begun) == (Row(Status.READY, replayed=row.replayed), 1)


def _replayed_once(row: Row | None, action: Action, step: Step) -> bool:
    if action.verb != "replay" or row is None:
        return True
    return step.begun == (row.status is Status.DEAD and not row.replayed)


def _dead_has_run(row: Row | None, action: Action, step: Step) -> bool:
    return not (step.row and step.row.status in (Status.DEAD, Status.COMPLETED)) or step.row.attempts > 0


def _verb_tells(row: Row | None, action: Action, step: Step) -> bool:
    return step.told


def _status(row: Row | None) -> Status | None:
    return row.status if row else None


def _runs(row: Row | None) -> bool:
    return row is not None and row.status is Status.RUNNING


PROMISES: dict[str, Promise] = {
    "only the table's transitions": _is_legal,
    "an old token changes nothing": _old_token_changes_nothing,
    "who runs has a claim, and nobody else": _row_is_whole,
    "holds hold, and are never below 0": _holds_are_kept,
    "one hold falls at a time": _one_hold_falls,
    "attempts are numbered by charged runs": _attempts_are_numbered,
    "a claim is acked at most once": _claim_is_acked_once,
    "no run ends unwritten": _no_run_goes_unwritten,
    "only a lease that is over is rescued": _only_lapsed_leases_are_rescued,
    "a crash is charged, a lost claim is not": _crash_is_charged,
    "the next death of what was interrupted often is charged": _often_interrupted_starts_with_its_claim,
    "who is asked to end does not run again": _wish_is_honoured,
    "a wish to cancel is heard": _cancelled_is_heard,
    "a requeued job begins anew": _requeue_begins_anew,
    "a letter is replayed once": _replayed_once,
    "a verb tells how much it wrote": _verb_tells,
    "no job is final without a run, but a cancelled one": _dead_has_run,
}
