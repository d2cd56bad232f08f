"""Checks the pinned dependencies for known vulnerabilities (`python -m infra.audit`).

It queries the databases of PyPI and npm. Both need a network, and a mirror may not serve the data. pip-audit then
reports "No known vulnerabilities found" for packages that it could not check. So one package is queried first, and
unchecked packages are never reported as clean. A vulnerability can become known without a change in this project, so
vulnerabilities fail the run only with --strict, which scheduled runs and releases use. A clean result is kept for the
day.

Exit status: 0 reported, 1 with --strict if something is vulnerable or a database is unavailable.
"""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lobby import strict_json

ROOT: Final = Path(__file__).resolve().parents[1]
REQUIREMENTS: Final = ROOT / "requirements" / "test.txt"
"""The requirements of the tests, which include all others."""
CONSOLE: Final = ROOT / "admin_api" / "console"
ACCEPTED: Final[Mapping[str, str]] = {
    "GHSA-wj6h-64fc-37mp": "the duration of a signature depends on the key; a device with a bundle signs one request",
}
"""Vulnerabilities that do not affect this project, by id, with the reason."""
_SECONDS: Final = 300
Run = Callable[[Sequence[str], Path], str]
"""Runs a command in a directory and returns its stdout, regardless of the exit status."""


class DatabaseUnavailable(Exception):
    """A database cannot be queried; the message has the reason."""


@dataclass(frozen=True)
class Vulnerability:
    package: str
    version: str
    name: str
    fixed: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}: {self.name}, fixed in {self.fixed or 'no version yet'}"


def run(command: Sequence[str], directory: Path) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=_SECONDS, check=False)
    return done.stdout


def of_python(run: Run) -> tuple[int, list[Vulnerability]]:
    """Return the number of packages checked and their vulnerabilities. Raise `DatabaseUnavailable`."""
    lines = REQUIREMENTS.read_text().splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if line[:1].isalnum()]
    with tempfile.TemporaryDirectory() as directory:
        probe = Path(directory) / "one.txt"
        probe.write_text("".join(lines[starts[0] : starts[1]]))
        _pip_audit(run, probe)
        return _pip_audit(run, REQUIREMENTS)


def _pip_audit(run: Run, requirements: Path) -> tuple[int, list[Vulnerability]]:
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--requirement",
        str(requirements),
        "--require-hashes",
        "--no-deps",
        "--disable-pip",
        "--format",
        "json",
        "--progress-spinner",
        "off",
        "--timeout",
        "10",
    ]
    found = _json(run(command, ROOT), "PyPI").get("dependencies", [])
    skipped = [each for each in found if "skip_reason" in each]
    if skipped or not found:
        why = skipped[0]["skip_reason"] if skipped else "the response is empty"
        raise DatabaseUnavailable(f"PyPI's database: {why}")
    return len(found), [
        Vulnerability(each["name"], each["version"], fault["id"], ", ".join(fault["fix_versions"]))
        for each in found
        for fault in each["vulns"]
        if fault["id"] not in ACCEPTED
    ]


def of_console(run: Run) -> tuple[int, list[Vulnerability]]:
    """Return the number of the console's dependencies and their vulnerabilities. Raise `DatabaseUnavailable`."""
    report = _json(run(["npm", "audit", "--omit=dev", "--json"], CONSOLE), "npm")
    if "vulnerabilities" not in report:
        raise DatabaseUnavailable(
            f"npm's database: {str(report.get('message', 'it returned an empty response'))[:100]}"
        )
    checked = int(report.get("metadata", {}).get("dependencies", {}).get("prod", 0))
    return checked, [
        Vulnerability(name, each["range"], each["severity"], "another version" if each["fixAvailable"] else "")
        for name, each in report["vulnerabilities"].items()
        if name not in ACCEPTED
    ]


def _json(text: str, whose: str) -> dict[str, Any]:
    try:
        found = strict_json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise DatabaseUnavailable(f"{whose}'s database: it is unreachable")
    return found


def audit(run: Run, report_line: Callable[[str], None]) -> bool:
    """Return whether everything was checked and nothing is vulnerable."""
    clean = True
    for what, ask in (("Python packages", of_python), ("packages of the console", of_console)):
        try:
            checked, found = ask(run)
        except (DatabaseUnavailable, OSError, subprocess.TimeoutExpired) as fault:
            report_line(f"  not checked: {what}; {fault}")
            clean = False
            continue
        report_line(f"  {checked} {what}, {len(found)} with known vulnerabilities")
        for each in found:
            report_line(f"  VULNERABLE {each}")
        clean &= not found
    return clean


def today(now: datetime) -> str:
    """Return the key under which a clean audit of this day and these pins is cached."""
    pins = REQUIREMENTS.read_bytes() + (CONSOLE / "package-lock.json").read_bytes()
    return f"{now:%Y-%m-%d} {hashlib.sha256(pins).hexdigest()}"


def main(arguments: Sequence[str], stamp: Path = ROOT / ".venv" / ".audited") -> int:
    strict, this = "--strict" in arguments, today(datetime.now(UTC))
    if not strict and stamp.exists() and stamp.read_text() == this:
        sys.stderr.write("  checked today: no known vulnerabilities\n")
        return 0
    if audit(run, lambda line: print(line, file=sys.stderr)):
        stamp.write_text(this)
        return 0
    return 1 if strict else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
