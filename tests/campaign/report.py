"""The report, for people: docs/reliability-report.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from tests.campaign import circumstances
from tests.campaign.plugin import as_words
from tests.campaign.records import Record, Records
from tests.campaign.rows import Row

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
HEAD = """\
# The fault report

*The practice this page teaches: believe no promise that nobody has tried to break.*

Written by `make faults`, which puts each promise of [](reliability.md) to the test at full size. A line is a
row: one test on one database. That a row has failed stays here, also when the same code has passed later.
A figure has its unit in its name. The seed replays what is random in a row:
`make faults DATABASE=… ROWS=… TEST_SEED=…`.
"""
COLUMNS = (
    "what must hold",
    "database",
    "outcome",
    "size",
    "figures: median, worst",
    "seed",
    "seconds",
    "commit",
)


def report(rows: Sequence[Row], records: Records) -> str:
    """Return the report of these rows; of databases that are not here now, what was recorded earlier."""
    lines = [HEAD, *_overview(rows, records)]
    everywhere = [*rows, *_rows_from_elsewhere(rows, records)]
    for file, some in groupby(sorted(everywhere, key=lambda row: row.file), key=lambda row: row.file):
        of_file = sorted(some, key=lambda row: (row.test, list(NAMES).index(row.database)))
        lines += ["", f"## {_cell(of_file[0].about.rstrip('.'))}", "", f"`{file}`", "", *_table(COLUMNS)]
        for _, of_test in groupby(of_file, key=lambda row: row.test):
            first, *others = of_test
            lines += [_line(first, records), *(_line(row._replace(title=""), records) for row in others)]
    return "\n".join(lines) + "\n"


def _rows_from_elsewhere(rows: Sequence[Row], records: Records) -> Iterator[Row]:
    """Yield rows for what was recorded of databases that were not asked for their rows."""
    known = {row.test: row for row in rows}
    here = {row.database for row in rows}
    for key in dict.fromkeys(record.key for record in records.all if record.database not in here):
        newest = records.newest(key)
        assert newest is not None
        if alike := known.get(newest.test):
            yield alike._replace(database=newest.database, versions=newest.versions)
        else:
            row = Row(newest.test, newest.database, "", "", 0, newest.versions)
            yield row._replace(title=as_words(row.test.rpartition("::")[2]), about=row.file)


def _overview(rows: Sequence[Row], records: Records) -> Iterator[str]:
    yield from _table(
        ("database", "with", "on", "days", "passed", "failed", "skipped", "older code", "not run yet")
    )
    for database, name in NAMES.items():
        keys = [row.key for row in rows if row.database == database]
        keys = keys or sorted({record.key for record in records.all if record.database == database})
        newest = [record for key in keys if (record := records.newest(key))]
        if not keys:
            yield f"| {name} | was not there | | | | | | | all |"
            continue
        outcomes = [record.outcome for record in newest]
        yield _row(
            name,
            _all_of(_versions(record, name) for record in newest),
            _all_of(record.machine for record in newest),
            _span([record.day for record in newest]),
            *(str(outcomes.count(outcome)) for outcome in ("passed", "failed", "skipped")),
            str(sum(record.digest != circumstances.digest(record.file) for record in newest)),
            str(len(keys) - len(newest)),
        )


def _versions(record: Record, name: str) -> str:
    versions = {(name if what == "database" else what): number for what, number in record.versions.items()}
    return ", ".join(f"{what} {number}" for what, number in versions.items())


def _all_of(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _span(days: list[str]) -> str:
    return " to ".join(sorted({min(days), max(days)})) if days else ""


def _line(row: Row, records: Records) -> str:
    record = records.newest(row.key)
    title, database = _cell(row.title), NAMES[row.database]
    if record is None:
        return _row(title, database, "not run yet", f"{row.cases} cases" if row.cases > 1 else "", *[""] * 4)
    return _row(
        title,
        database,
        _outcome(record, records.of(row.key)),
        _size(record),
        "<br>".join(_cell(_figure(what, told)) for what, told in record.figures.items()),
        str(record.seed),
        f"{record.seconds:,.0f}",
        f"`{record.commit}`" if record.commit else "",
    )


def _outcome(record: Record, runs: list[Record]) -> str:
    said = [record.outcome if record.outcome == "passed" else f"**{record.outcome}**"]
    said += [_cell(case) for case in record.failed if case]
    said += [_cell(reason) for reason in record.reasons]
    earlier = [run for run in runs[:-1] if run.outcome == "failed" and run.digest == record.digest]
    said += [f"**failed** before, with the seed {run.seed}" for run in earlier]
    if record.digest != circumstances.digest(record.file):
        said.append("with older code")
    return "<br>".join(said)


def _size(record: Record) -> str:
    count = sum(record.cases.values())
    said = [*record.sizes, *([f"{count:,} cases"] if count > 1 else [])]
    skipped = record.cases.get("skipped", 0)
    return "<br>".join(
        [_cell(each) for each in said] + ([f"{skipped} skipped"] if skipped and count > 1 else [])
    )


def _figure(what: str, told: dict[str, float]) -> str:
    if told["times"] == 1:
        return f"{what}: {told['worst']:,g}"
    return f"{what}: {told['median']:,g}, {told['worst']:,g} ({told['times']:,g} times)"


def _table(columns: Sequence[str]) -> Iterator[str]:
    yield _row(*columns)
    yield "|" + "---|" * len(columns)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Return a text as nothing but text, in one cell."""
    for mark in "\\`*_[]<>|$#":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", " ")
