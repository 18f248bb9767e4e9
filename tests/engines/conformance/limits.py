from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connections, transaction

from django_jobs.engines.rows import Held
from django_jobs.models import Job
from tests.engines.conformance.making import LEASE, running


@pytest.mark.django_db(transaction=True)
class TestPrepare:
    """For servers: SQLite's one wait, for a lock, is limited when the connection is opened."""

    def test_a_statement_that_waits_for_another_s_lock_is_given_up(self, engine):
        job, told = running(engine), []

        def renew() -> None:
            try:
                engine.prepare(statement_timeout=0.1)
                engine.renew([Held(job.id, job.token)], lease=LEASE)
            except OperationalError as error:
                told.append(error)
            finally:
                connections.close_all()

        with transaction.atomic():
            Job.objects.filter(pk=job.id).update(reason="locked")
            other = threading.Thread(target=renew)
            other.start()
            other.join()
        assert len(told) == 1
        # The connection bears being used again.
        assert engine.renew([Held(job.id, job.token)], lease=LEASE) == []

    def test_a_connection_that_is_prepared_again_keeps_the_lower_limit(self, engine, limit):
        try:
            for seconds in (5.0, 7.0, 3.0):
                engine.prepare(statement_timeout=seconds)
            assert limit() == 3.0
            engine.prepare(statement_timeout=5.0)
            assert limit() == 3.0
        finally:
            connections.close_all()
