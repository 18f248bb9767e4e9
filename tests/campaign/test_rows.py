"""Which rows there are, and what of the code they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import circumstances, rows
from tests.campaign.conftest import PLAIN, row
from tests.campaign.plugin import as_words
from tests.campaign.rows import NotCollected, collect

FACTS = '''"""What this file is about."""
import pytest

@pytest.mark.faults
@pytest.mark.parametrize("number", range(5))
def test_a_claim_s_token_counts(number): ...

@pytest.mark.faults
class TestKills:
    def test_it(self):
        """No job of a killed worker is lost."""

def test_it_is_no_row(): ...
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where pytest looks for rows, without Django."""
    monkeypatch.setattr(rows, "PYTEST", PLAIN)
    monkeypatch.setattr(rows, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return tmp_path


def test_a_row_is_a_test_function_with_the_mark_whatever_number_of_cases_it_has(place: Path) -> None:
    (place / "test_facts.py").write_text(FACTS)
    one, other = collect(["sqlite"])
    assert (one.test, one.cases, one.title) == (
        "test_facts.py::test_a_claim_s_token_counts",
        5,
        "a claim's token counts",
    )
    assert (other.test, other.title) == (
        "test_facts.py::TestKills::test_it",
        "No job of a killed worker is lost.",
    )
    assert one.about == other.about == "What this file is about."
    assert one.file == "test_facts.py"


def test_a_file_that_cannot_be_read_is_said_and_no_row_is_forgotten_silently(place: Path) -> None:
    (place / "test_facts.py").write_text("import nothing_of_the_sort")
    with pytest.raises(NotCollected, match="nothing_of_the_sort"):
        collect(["sqlite"])


@pytest.mark.parametrize(
    ("words", "called"), [([], True), (["killed"], False), (["docs", "killed"], True), (["a_fact"], True)]
)
def test_rows_are_chosen_by_words_of_their_names(words: list[str], called: bool) -> None:
    assert row().is_called(words) is called


def test_the_name_of_a_test_reads_as_a_sentence() -> None:
    assert as_words("test_each_step_is_the_machine_s") == "each step is the machine's"


def test_a_row_stands_for_the_package_and_its_own_file(tmp_path: Path) -> None:
    package, tests = tmp_path / "django_jobs", tmp_path / "tests"
    package.mkdir()
    tests.mkdir()
    for name in ("django_jobs/a.py", "tests/test_a.py", "tests/test_b.py"):
        (tmp_path / name).write_text("")
    before = circumstances.digest("tests/test_a.py", root=tmp_path)
    (tests / "test_b.py").write_text("changed")
    assert circumstances.digest("tests/test_a.py", root=tmp_path) == before
    (tests / "test_a.py").write_text("changed")
    after = circumstances.digest("tests/test_a.py", root=tmp_path)
    (package / "a.py").write_text("changed")
    assert len({before, after, circumstances.digest("tests/test_a.py", root=tmp_path)}) == 3
