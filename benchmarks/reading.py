"""How many rows a statement read, as each database tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.db import connection


class Read(NamedTuple):
    """What was read: the rows and, in words, whatever else the database tells."""

    rows: int
    words: str

    def __str__(self) -> str:
        return self.words


def read_by(claim: Callable[[], object]) -> Read:
    """Return what one claim reads."""
    return {"postgresql": _explained, "mysql": _handled, "sqlite": _stepped}[connection.vendor](claim)


def _explained(claim: Callable[[], object]) -> Read:
    """EXPLAIN ANALYZE the claim: it claims as well, so one more follows it."""
    plans: list[Any] = []

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "SKIP LOCKED" in sql:
            execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params, many, context)
            plans.append(context["cursor"].fetchone()[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        claim()
    (plan,) = json.loads(plans[0]) if isinstance(plans[0], str) else plans[0]
    scans = [
        node for node in _nodes(plan["Plan"]) if node.get("Relation Name") and "Scan" in node["Node Type"]
    ]
    rows = round(sum(_rows(node) for node in scans))
    pages = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    return Read(rows, f"{rows} rows read (EXPLAIN ANALYZE), {pages} pages")


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _nodes(child)


def _rows(node: dict[str, Any]) -> float:
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


def _handled(claim: Callable[[], object]) -> Read:
    """Count the storage engine's reads of the whole pass: its look at the queues and the clock included."""
    before = _handler_reads()
    between = _handler_reads() - before  # SHOW STATUS reads rows as well
    claim()
    rows = _handler_reads() - before - 2 * between
    return Read(rows, f"{rows} rows read (Handler_read%, with the look at the queues)")


def _handler_reads() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(value) for _, value in cursor.fetchall())


def _stepped(claim: Callable[[], object]) -> Read:
    """SQLite counts no rows: the steps of full scans, which there should be none of, and of its machine."""
    claim()  # its statement is kept prepared from here on
    before = _steps()
    claim()
    scanned, sorted_, steps = (after - earlier for after, earlier in zip(_steps(), before, strict=True))
    return Read(
        scanned, f"{scanned} rows scanned, {sorted_} sorts, {steps} machine steps (sqlite3_stmt_status)"
    )


def _steps() -> tuple[int, int, int]:
    sql = "SELECT sum(nscan), sum(nsort), sum(nstep) FROM sqlite_stmt WHERE sql LIKE '%%RETURNING%%'"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()
