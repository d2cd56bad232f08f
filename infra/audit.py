"""Known vulnerabilities of what is pinned here: `python -m infra.audit` asks PyPI's and npm's databases.

Both need a network, and answers that a mirror may not have. pip-audit then says "No known vulnerabilities found" of
packages it could not look at; so one package is asked about first, and what was not looked at is never called clean.
A vulnerability may become known overnight, without any change here: it is told, and fails with --strict only, which is
for a timer and for releases. What was found clean is not asked again that day.

Exit status: 0 told, 1 with --strict: something is vulnerable, or a database cannot be asked.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
REQUIREMENTS: Final = ROOT / "requirements" / "test.txt"
"""What is deployed and what the project works with: it includes all the others."""
CONSOLE: Final = ROOT / "admin_api" / "console"
ACCEPTED: Final[Mapping[str, str]] = {}
"""Vulnerabilities that do not concern this project, by id, with the reason."""
_SECONDS: Final = 300
Run = Callable[[Sequence[str], Path], str]
"""Runs a command in a directory and gives its standard output, whatever its exit status."""


class NotAsked(Exception):
    """A database that cannot be asked, and why."""


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
    """How many packages were looked at, and what was found. Raises `NotAsked`."""
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
        why = skipped[0]["skip_reason"] if skipped else "it answered with nothing"
        raise NotAsked(f"PyPI's database: {why}")
    return len(found), [
        Vulnerability(each["name"], each["version"], fault["id"], ", ".join(fault["fix_versions"]))
        for each in found
        for fault in each["vulns"]
        if fault["id"] not in ACCEPTED
    ]


def of_console(run: Run) -> tuple[int, list[Vulnerability]]:
    """The same of what is built into the console. Raises `NotAsked`."""
    report = _json(run(["npm", "audit", "--omit=dev", "--json"], CONSOLE), "npm")
    if "vulnerabilities" not in report:
        raise NotAsked(f"npm's database: {str(report.get('message', 'it answered with nothing'))[:100]}")
    looked_at = int(report.get("metadata", {}).get("dependencies", {}).get("prod", 0))
    return looked_at, [
        Vulnerability(name, each["range"], each["severity"], "another version" if each["fixAvailable"] else "")
        for name, each in report["vulnerabilities"].items()
        if name not in ACCEPTED
    ]


def _json(text: str, whose: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NotAsked(f"{whose}'s database: it cannot be reached")
    return found


def audit(run: Run, tell: Callable[[str], None]) -> bool:
    """Whether everything was looked at and nothing was found."""
    clean = True
    for what, ask in (("Python packages", of_python), ("packages of the console", of_console)):
        try:
            looked_at, found = ask(run)
        except (NotAsked, OSError, subprocess.TimeoutExpired) as fault:
            tell(f"  not looked at: {what}; {fault}")
            clean = False
            continue
        tell(f"  {looked_at} {what}, {len(found)} with known vulnerabilities")
        for each in found:
            tell(f"  VULNERABLE {each}")
        clean &= not found
    return clean


def today(now: datetime) -> str:
    """What a clean audit of this day and these pins is remembered by."""
    pins = REQUIREMENTS.read_bytes() + (CONSOLE / "package-lock.json").read_bytes()
    return f"{now:%Y-%m-%d} {hashlib.sha256(pins).hexdigest()}"


def main(arguments: Sequence[str], stamp: Path = ROOT / ".venv" / ".audited") -> int:
    strict, this = "--strict" in arguments, today(datetime.now(UTC))
    if not strict and stamp.exists() and stamp.read_text() == this:
        sys.stderr.write("  looked at today: no known vulnerabilities\n")
        return 0
    if audit(run, lambda line: print(line, file=sys.stderr)):
        stamp.write_text(this)
        return 0
    return 1 if strict else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
