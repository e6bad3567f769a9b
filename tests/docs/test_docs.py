"""The documents name what is there: packages, records, tests, files."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "model").glob("*.md")])
RECORDS = sorted((DOCS / "adr").glob("*.md"))


def named(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return found[0]


def dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    optional = [requirement for group in extras.values() for requirement in group]
    return {named(requirement) for requirement in [*project["dependencies"], *optional]}


def test_every_dependency_has_its_reason() -> None:
    rows = [line for line in (DOCS / "adr" / "0002-dependencies.md").read_text().splitlines() if line.startswith("|")]
    given = set(re.findall(r"[\w.*-]+", " ".join(rows)))
    reasons = given | {"axe-playwright-python"} if "axe" in given else given
    missing = {name for name in dependencies() if name not in reasons and not name.startswith(("types-", "pytest"))}
    assert missing == set()


def test_the_index_of_decisions_is_whole() -> None:
    index = (DOCS / "adr" / "0001-record-decisions.md").read_text()
    assert set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", index)) == {record.name for record in RECORDS}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: str(record.name)[:4])
def test_a_decision_has_its_parts(record: Path) -> None:
    text = record.read_text()
    assert text.startswith(f"# {int(record.name[:4])}. ")
    assert re.search(r"^Status: (accepted|superseded by)", text, re.MULTILINE)
    for part in ("Context", "Options", "Decision", "Consequences"):
        assert re.search(rf"^## {part}", text, re.MULTILINE), part


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_are_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    links = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    missing = [link for link in links if link and not (page.parent / link).exists()]
    named_files = re.findall(r"`((?:tests|src|model|docs|script|scenarios|bench)/[\w/.-]+)`", text)
    missing += [name for name in named_files if not (ROOT / name).exists()]
    assert missing == []


def test_tests_that_are_named_are_there() -> None:
    known = {
        name for file in (ROOT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    named_tests = {name for page in PAGES for name in re.findall(r"`(test_\w+)`", page.read_text())}
    assert named_tests - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_tells_nothing_of_the_machine_it_was_written_on(page: Path) -> None:
    assert not re.search(r"/(work|home|root|Users)/", page.read_text())
