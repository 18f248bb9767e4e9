from __future__ import annotations

from contextlib import suppress

import pytest
from django.db import Error, transaction

from tests.engines.conformance.making import enqueue


@pytest.mark.django_db(transaction=True)
class TestDisconnect:
    def test_the_next_statement_opens_another_connection(self, engine):
        engine.read_clock()
        before = engine.connection.connection
        engine.disconnect()
        engine.disconnect()
        engine.read_clock()
        assert engine.connection.connection is not before

    def test_a_block_that_failed_before_it_began_is_not_waited_for(self, engine):
        connection = engine.connection
        connection.ensure_connection()
        # So a connection is left that was cut before it was told to commit each statement by itself.
        connection.autocommit = False
        connection.connection.close()
        with pytest.raises(Error), transaction.atomic(using=engine.alias):
            raise AssertionError("there was a connection to begin on")
        assert connection.in_atomic_block
        with suppress(Error):  # of a driver that will not close what is closed
            engine.disconnect()
        enqueue(engine)
        with engine.transaction():
            assert engine.ready_queues() == ["default"]
        assert connection.get_autocommit()
