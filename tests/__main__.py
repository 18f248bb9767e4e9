"""`python -m tests [pytest's arguments]`: the tests on every database there is, one after the other.

With --by-vendor, all tests on SQLite, and on the others those of the rooms in which vendors differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests import databases

NOTHING_COLLECTED = 5
BY_VENDOR = "--by-vendor"
ROOMS_BY_VENDOR = ("tests/engines", "tests/processes")


def main(arguments: list[str]) -> int:
    """Run, tell, and return 0 when nothing failed and (with CI=true) nothing was left out."""
    chosen = [each for each in arguments if each != BY_VENDOR]
    rooms = ROOMS_BY_VENDOR if BY_VENDOR in arguments else ()
    report = [_run(name, chosen, rooms if name != "sqlite" else ()) for name in databases.NAMES]
    print("\n" + "\n".join(f"{name:<12}{text}" for name, text, _ in report), flush=True)
    return 0 if all(good for _, _, good in report) else 1


def _run(name: str, arguments: list[str], rooms: tuple[str, ...]) -> tuple[str, str, bool]:
    try:
        databases.find(name)
    except databases.Missing as missing:
        return name, f"left out: {missing}", os.environ.get("CI") != "true"
    what = "all tests" if name == "sqlite" else "the tests that use the database"
    what += f" in {' and '.join(rooms)}" if rooms else ""
    print(f"== {name}: {what}", flush=True)
    began = time.monotonic()
    code = _pytest(name, [*arguments, *rooms])
    seconds = f"{time.monotonic() - began:.0f} s"
    if code == NOTHING_COLLECTED and name != "sqlite":
        return name, "none of the chosen tests uses the database", True
    return name, f"{what}: {'passed' if code == 0 else f'FAILED (exit code {code})'} in {seconds}", code == 0


def _pytest(name: str, arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-n", "2", *arguments]
    # Without the bytecode of the run before, rewriting the asserts alone takes seconds.
    environment = {**os.environ, "TEST_DATABASE": name, "PYTHONDONTWRITEBYTECODE": ""}
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
