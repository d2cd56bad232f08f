"""No file contains a key, token or password: detect-secrets scans every file of the git repository, in several parts.

Its entropy detectors are off, because fingerprints, hashes and labels look random and are not secret. A false positive
is marked with `pragma: allowlist secret`.
"""

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from detect_secrets.core import scan
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[2]
DETECTORS = (
    "AWSKeyDetector",
    "BasicAuthDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "JwtTokenDetector",
    "KeywordDetector",
    "NpmDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SlackDetector",
)
FILTERS = ["detect_secrets.filters.allowlist.is_line_allowlisted"] + [
    f"detect_secrets.filters.heuristic.{name}"
    for name in (
        "is_indirect_reference",
        "is_likely_id_string",
        "is_not_alphanumeric_string",
        "is_potential_uuid",
        "is_prefixed_with_dollar_sign",
        "is_sequential_string",
        "is_templated_secret",
    )
]
PINS = ("requirements/", "package-lock.json")
"""Files of hashes, which other tools verify."""
SETTINGS = {
    "plugins_used": [{"name": name} for name in DETECTORS],
    "filters_used": [{"path": path} for path in FILTERS],
}
PARTS = ("admin_api/console", "admin_api", "tests/functional", "tests/unit", "tests", "infra", "")


@cache
def files() -> tuple[str, ...]:
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout to list the files")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(name for name in listed.split("\0") if name and not any(pin in name for pin in PINS))


def part_of(name: str) -> str:
    return next(part for part in PARTS if name.startswith(part))


def secrets_in(name: str) -> Iterator[str]:
    path = ROOT / name
    if path.is_file():
        for secret in scan.scan_file(str(path)):
            yield f"{name}:{secret.line_number}: {secret.type}"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part or "other")
def test_there_are_no_secrets(part: str) -> None:
    with transient_settings(SETTINGS):
        assert [secret for name in files() if part_of(name) == part for secret in secrets_in(name)] == []


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN EC " + "PRIVATE KEY-----",
        "key = 'AKIA" + "IOSFODNN7EXAMPLE'",
        "password = 'hunter2-" + "hunter2'",
        "https://user:" + "hunter2@example.com",
        "ghp_" + "a1B2" * 9,
    ],
    ids=["private key", "AWS key", "password", "URL", "GitHub token"],
)
def test_a_secret_is_detected(tmp_path: Path, line: str) -> None:
    path = tmp_path / "settings.py"
    path.write_text(f"{line}\n")
    with transient_settings(SETTINGS):
        assert list(scan.scan_file(str(path)))
