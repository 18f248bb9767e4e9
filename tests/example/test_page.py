"""The page about the guide names its jobs, all of them and no other."""

from __future__ import annotations

import re

from django_jobs import registry
from example_project.settings import PROJECT

PAGE = PROJECT.parent / "docs" / "example.md"


def test_every_job_of_the_guide_is_explained() -> None:
    registry.autodiscover()
    table = PAGE.read_text().split("| job |", 1)[1].split("\n\n", 1)[0]
    named = [name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])]
    ours = [name.rpartition(".")[2] for name in registry.names() if name.startswith("example_project.")]
    assert sorted(named) == sorted(ours)
