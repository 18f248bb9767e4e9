"""Which job is where, and in which order it stays."""

from __future__ import annotations

from uuid import UUID

import pytest

from django_jobs.wire.messages import Refusal, fence
from django_jobs.wire.sockets import INLINE_LIMIT, send
from django_jobs.worker.work import GivenBack
from tests.worker.making import Shop, claimed, completed, held


def _order(shop: Shop) -> list[UUID]:
    return [job.id for job in shop.handout.empty_buffer()]


def test_no_more_are_out_than_the_pace_allows(floor_with_two: Shop) -> None:
    shop = floor_with_two
    shop.hand_out(*[claimed() for _ in range(5)])
    assert (len(shop.handout.out), len(shop.handout)) == (2, 5)


def test_recalled_jobs_come_before_the_others_in_their_old_order(floor_with_two: Shop) -> None:
    shop, jobs = floor_with_two, [claimed() for _ in range(6)]
    shop.handout.shared.add(*jobs)
    shop.handout.refill(4)
    assert shop.reads(0).job_id == jobs[0].id
    shop.handout.recall()
    assert _order(shop) == [job.id for job in jobs[1:]]
    assert list(shop.handout.out) == [held(jobs[0])]


def test_a_recalled_job_is_handed_out_again(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(args="x" * INLINE_LIMIT)
    shop.hand_out(job)
    shop.handout.recall()
    assert not shop.handout.out
    shop.hand_out()
    assignment = shop.reads(0)
    assert (assignment.job_id, assignment.args) == (job.id, job.args)


def test_a_full_socket_means_later_and_loses_nothing(floor_with_two: Shop) -> None:
    shop, jobs = floor_with_two, [claimed(args="x" * 30_000) for _ in range(60)]
    shop.handout.shared.add(*jobs)
    shop.handout.refill(1000)
    out = len(shop.handout.out)
    assert 0 < out < len(jobs)
    assert len(shop.handout) == len(jobs)
    read = [shop.reads(0).job_id for _ in range(out)]
    shop.handout.refill(1000)
    assert len(shop.handout.out) > out
    shop.handout.recall()
    assert read + _order(shop) == [job.id for job in jobs]


def test_a_report_settles_its_job_once(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(0)
    for _ in range(2):
        shop.finishes(0, completed(job, result_data="1"))
    assert [(each.id, report.result_data) for _, each, report in shop.handout.reports()] == [(job.id, "1")]
    assert not len(shop.handout)


def test_a_report_under_an_older_token_is_dropped(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(token=2)
    shop.hand_out(job)
    shop.begins(0)
    shop.finishes(0, completed(job._replace(token=1)))
    assert shop.handout.reports() == []
    assert list(shop.handout.out) == [held(job)]


@pytest.mark.parametrize("message", [b"", b"x", b"{}" * 20])
def test_what_names_no_run_of_this_worker_is_dropped(floor_with_two: Shop, message: bytes) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(0)
    send(shop.jobs.runners, message)  # as a job can that finds the descriptor
    shop.finishes(0, completed(job))
    shop.floor.collect()
    assert [outcome.job_id for _, outcome in shop.floor.take_work().finished] == [job.id]


@pytest.mark.parametrize("rest", [b"", b"o", b"o" + b"\xff" * 17, b"r{", b"n[1]", b"?"])
def test_what_cannot_be_read_as_a_report_is_said_and_dropped(
    floor_with_two: Shop, rest: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(0)
    send(shop.jobs.runners, fence(job.id, job.token) + rest)  # as a job can that finds the descriptor
    shop.finishes(0, completed(job))
    shop.floor.collect()
    assert [outcome.job_id for _, outcome in shop.floor.take_work().finished] == [job.id]
    assert f"job {job.id} cannot be read" in caplog.text


def test_a_refused_job_goes_back_with_its_delay_and_reason(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(0)
    shop.finishes(0, Refusal(job.id, job.token, 5.0, "unknown function"))
    shop.floor.collect()
    assert shop.floor.take_work().given_back == [GivenBack(job, 5.0, "unknown function")]


def test_nothing_is_handed_out_once_the_lease_has_passed(floor_with_two: Shop) -> None:
    shop = floor_with_two
    shop.slips.lease_ns = 1
    shop.hand_out(claimed())
    assert not shop.handout.out


def test_of_a_paused_queue_what_no_runner_has_read_is_given_back(floor_with_two: Shop) -> None:
    shop, jobs = floor_with_two, [claimed(queue=queue) for queue in ("mail", "mail", "reports", "mail")]
    shop.handout.shared.add(*jobs)
    shop.handout.refill(3)
    assert shop.reads(0).job_id == jobs[0].id
    shop.floor.pause({"mail"})
    assert [given.job for given in shop.floor.take_work().given_back] == [jobs[1], jobs[3]]
    assert _order(shop) == [jobs[2].id]
    assert list(shop.handout.out) == [held(jobs[0])]
