"""What the documents name is there: tests that show something, commands that can be run, records, files."""

import re
from pathlib import Path

import pytest

from infra.local.synthesis import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OURS = ("admin_api", "commissioner", "device", "infra", "lobby", "pki", "tests")
SOURCES = [path for part in OURS for path in (ROOT / part).rglob("*.py") if "node_modules" not in path.parts]


def named(document: Path, pattern: str) -> set[str]:
    return set(re.findall(pattern, document.read_text()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_source_that_is_named_exists(document: Path) -> None:
    """By its path, or the end of it."""
    ends = {"/".join(path.parts[-length:]) for path in SOURCES for length in range(1, 6)}
    assert named(document, r"`([\w/]+\.py)`") <= ends


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_module_that_is_to_be_run_exists(document: Path) -> None:
    for module in named(document, r"python -m ((?:tests|infra|pki|device|admin_api|lobby|commissioner)(?:\.\w+)*)"):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_file_that_is_linked_exists(document: Path) -> None:
    for target in named(document, r"\]\((?!https?://|#|mailto:)([^)#\s]+)"):
        assert (document.parent / target).exists(), target
