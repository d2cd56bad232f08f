"""Shared test code is in support modules. A test module that imported another one would also get its fixtures and
marks."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
IMPORT = re.compile(r"^\s*(?:from|import) tests\.(?:\w+\.)*test_\w+", re.MULTILINE)


def test_no_module_imports_a_test_module() -> None:
    importing = [path.relative_to(TESTS).as_posix() for path in TESTS.rglob("*.py") if IMPORT.search(path.read_text())]
    assert importing == []
