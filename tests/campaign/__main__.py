"""`python -m tests.campaign [options]`; `make faults` gives them as variables."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from functools import partial

from tests import databases
from tests.campaign.campaign import Campaign, Interrupted
from tests.campaign.records import Record, Records, write_whole
from tests.campaign.report import report
from tests.campaign.rows import ROOT, NotCollected, Row, collect

RECORDS = ROOT / "docs" / "reliability-report.jsonl"
REPORT = ROOT / "docs" / "reliability-report.md"
LEFT = ROOT / ".faults"


def main(arguments: list[str]) -> int:
    """Run what is asked for; return 1 where a row failed, 130 where somebody interrupted it."""
    # A shell that starts it in the background has it ignore this one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    wanted = _parser().parse_args(arguments)
    try:
        rows = collect(databases.found())
        records = Records(RECORDS)
        chosen = [row for row in rows if _is_wanted(row, wanted)]
        _forget(records, rows, chosen if wanted.fresh else [])
        write = partial(_write, rows, records)
        write()
        if not chosen:
            print("there are no such rows", file=sys.stderr)
            return 2
        campaign = Campaign(records, report=write, place=LEFT, seed=wanted.seed, jobs=wanted.jobs)
        failed = campaign.run(chosen)
    except (KeyboardInterrupt, Interrupted):
        print(f"interrupted; what has run is kept: {REPORT.relative_to(ROOT)}")
        return 130
    except NotCollected as error:
        print(error, file=sys.stderr)
        return 2
    print(f"rows that failed: {failed}; the report is {REPORT.relative_to(ROOT)}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=main.__doc__)
    parser.add_argument("--database", choices=databases.NAMES, help="one database only")
    parser.add_argument("--rows", default="", help="only those whose name contains one of these words")
    parser.add_argument("--fresh", action="store_true", help="also those that have passed with this code")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once")
    parser.add_argument(
        "--seed", type=int, default=os.environ.get("TEST_SEED") or None, help="to replay a run"
    )
    return parser


def _is_wanted(row: Row, wanted: argparse.Namespace) -> bool:
    return wanted.database in (None, row.database) and row.is_called(wanted.rows.split())


def _forget(records: Records, rows: list[Row], fresh: list[Row]) -> None:
    """Remove the runs of these rows, and of tests that are no more."""
    here = {row.database for row in rows}
    known = {row.key for row in rows} - {row.key for row in fresh}

    def is_over(record: Record) -> bool:
        return record.database in here and record.key not in known

    records.forget(is_over)


def _write(rows: list[Row], records: Records) -> None:
    write_whole(REPORT, report(rows, records))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
