"""The report of `make bench`: all values as JSON, their medians as a table."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from pathlib import Path

from benchmarks.bench import ROOT
from benchmarks.figures import Figure

# By database, and there by name and unit: the value of each round.
Kept = dict[str, dict[tuple[str, str], list[float]]]
JSON, TABLE = ROOT / "build" / "benchmarks.json", ROOT / "build" / "benchmarks.md"


def write(kept: Kept, *, rounds: int) -> None:
    """Write both files."""
    about = {**_machine(), "rounds": rounds}
    values = {
        database: [{"name": name, "unit": unit, "values": each} for (name, unit), each in figures.items()]
        for database, figures in kept.items()
    }
    JSON.parent.mkdir(exist_ok=True)
    JSON.write_text(json.dumps({"about": about, "figures": values}, indent=1, ensure_ascii=False) + "\n")
    TABLE.write_text(_about(about) + _table(kept))


def _machine() -> dict[str, object]:
    import django

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "unknown")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "processors": f"{os.cpu_count()} cores ({model})",
        "python": platform.python_version(),
        "django": django.__version__,
        "commit": commit.stdout.strip() or "unknown",
    }


def _about(about: dict[str, object]) -> str:
    return "Measured with {}.\n\n".format(", ".join(f"{key}: {value}" for key, value in about.items()))


def _table(kept: Kept) -> str:
    rows = dict.fromkeys(key for figures in kept.values() for key in figures)
    lines = [
        "| median of the rounds | " + " | ".join(kept) + " |",
        "|---|" + "---:|" * len(kept),
    ]
    for name, unit in rows:
        cells = [_cell(kept[database].get((name, unit)), unit) for database in kept]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(values: list[float] | None, unit: str) -> str:
    return str(Figure("", statistics.median(values), unit)).removeprefix(": ") if values else "–"
