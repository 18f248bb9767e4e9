"""A process that enqueues on and on, whatever happens to its database, with a ledger of what it was told.

    python -m tests.processes.asking LEDGER SEED

It ends with SIGTERM. What becomes of its jobs is looked up in `tests.faults.accounts`.
"""

from __future__ import annotations

import random
import signal
import sys
import threading

import django

from tests.faults.ledger import Ledger

# How many are enqueued at a time, and one of how many transactions is rolled back.
BULK, REGRETS = 5, 10
# How long it does nothing after each, and after an error (seconds): so much that the workers keep up.
PAUSE, REST = 0.01, 0.1


def main(path: str, seed: int) -> None:
    """Enqueue until told to stop."""
    enough, chance = threading.Event(), random.Random(seed)
    signal.signal(signal.SIGTERM, lambda *_: enough.set())
    django.setup()
    from tests.faults.enqueuer import Enqueuer
    from tests.jobs_that_misbehave import run_on_record

    enqueuer = Enqueuer(Ledger(path))

    def one() -> None:
        run_on_record.enqueue(path)

    def several() -> None:
        run_on_record.enqueue_many([(path,)] * BULK)

    while not enough.is_set():
        draft = chance.choice((one, one, one, several))
        word = enqueuer.store(draft, roll_back=chance.randrange(REGRETS) == 0)
        enough.wait(REST if word == "UNKNOWN" else PAUSE)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
