"""Known vulnerabilities are reported; unchecked packages are never reported as clean."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra import audit
from infra.audit import Run

CLEAN = {"dependencies": [{"name": "idna", "version": "3.1", "vulns": []}]}
FAULT = {"id": "PYSEC-1", "fix_versions": ["3.2"], "aliases": [], "description": ""}
BAD = {"dependencies": [{"name": "idna", "version": "3.1", "vulns": [FAULT]}]}
SKIPPED = {"dependencies": [{"name": "idna", "skip_reason": "Dependency not found on PyPI"}]}
NPM_CLEAN = {"vulnerabilities": {}, "metadata": {"dependencies": {"prod": 70}}}
NPM_BAD = NPM_CLEAN | {"vulnerabilities": {"urql": {"range": "<5", "severity": "high", "fixAvailable": True}}}
NPM_REFUSED = {"message": "405 Method Not Allowed", "error": {}}


def databases(python: Any, npm: Any, commands: list[list[str]] | None = None) -> Run:
    def run(command: Sequence[str], _directory: Path) -> str:
        if commands is not None:
            commands.append(list(command))
        answer = npm if command[0] == "npm" else python
        return answer if isinstance(answer, str) else json.dumps(answer)

    return run


@pytest.mark.parametrize(
    ("python", "npm", "clean", "expected"),
    [
        (CLEAN, NPM_CLEAN, True, "1 Python packages, 0 with known"),
        (BAD, NPM_CLEAN, False, "VULNERABLE idna 3.1: PYSEC-1, fixed in 3.2"),
        (CLEAN, NPM_BAD, False, "VULNERABLE urql <5: high, fixed in another version"),
        (SKIPPED, NPM_CLEAN, False, "not checked: Python packages; PyPI's database: Dependency not found"),
        (
            {"dependencies": []},
            NPM_CLEAN,
            False,
            "not checked: Python packages; PyPI's database: the response is empty",
        ),
        ("", NPM_CLEAN, False, "not checked: Python packages; PyPI's database: it is unreachable"),
        (CLEAN, NPM_REFUSED, False, "not checked: packages of the console; npm's database: 405 Method Not Allowed"),
        (CLEAN, "oops", False, "not checked: packages of the console; npm's database: it is unreachable"),
    ],
    ids=["clean", "python", "npm", "skipped", "empty", "offline", "npm refuses", "npm returns no JSON"],
)
def test_the_report_contains_results_and_unavailable_databases(
    python: Any, npm: Any, clean: bool, expected: str
) -> None:
    reported: list[str] = []
    assert audit.audit(databases(python, npm), reported.append) is clean
    assert expected in "\n".join(reported)


def test_no_other_package_is_queried_if_the_first_cannot_be_checked() -> None:
    commands: list[list[str]] = []
    audit.audit(databases(SKIPPED, NPM_CLEAN, commands), lambda _line: None)
    of_python = [command for command in commands if "pip_audit" in command]
    assert len(of_python) == 1
    assert str(audit.REQUIREMENTS) not in of_python[0]


def test_an_accepted_vulnerability_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ACCEPTED", {"PYSEC-1": "it is in a part that is not used"})
    assert audit.audit(databases(BAD, NPM_CLEAN), lambda _line: None)


@pytest.mark.parametrize(
    ("python", "arguments", "status"), [(CLEAN, [], 0), (BAD, [], 0), (BAD, ["--strict"], 1), (CLEAN, ["--strict"], 0)]
)
def test_a_vulnerability_fails_the_run_only_if_strict(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, python: Any, arguments: list[str], status: int
) -> None:
    monkeypatch.setattr(audit, "run", databases(python, NPM_CLEAN))
    assert audit.main(arguments, tmp_path / "stamp") == status


def test_a_clean_result_is_queried_once_a_day_and_others_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def asked_for(python: Any, times: int, stamp: Path) -> int:
        commands: list[list[str]] = []
        monkeypatch.setattr(audit, "run", databases(python, NPM_CLEAN, commands))
        for _ in range(times):
            audit.main([], stamp)
        return sum("npm" in command for command in commands)

    assert asked_for(CLEAN, 3, tmp_path / "clean") == 1
    assert asked_for(BAD, 3, tmp_path / "bad") == 3


def test_a_result_is_stored_for_the_day_and_the_pins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    pins: Callable[[datetime], str] = audit.today
    assert pins(now) == pins(now)
    assert pins(now) != pins(now + timedelta(days=1))
    before = pins(now)
    (tmp_path / "test.txt").write_text("idna==3.2\n")
    monkeypatch.setattr(audit, "REQUIREMENTS", tmp_path / "test.txt")
    assert pins(now) != before
