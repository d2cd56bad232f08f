"""No file contains a key, token or password: detect-secrets scans every file of the git repository, in several parts.

Its entropy detectors are off, because fingerprints, hashes and labels look random and are not secret. A false positive
is marked with `pragma: allowlist secret`.
"""

import re
import subprocess
from bisect import bisect_right
from collections.abc import Collection
from functools import cache
from pathlib import Path

import pytest
from detect_secrets.core import scan
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.keyword import DENYLIST
from detect_secrets.settings import transient_settings

pytestmark = pytest.mark.slow

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


@cache
def patterns() -> tuple[re.Pattern[str], ...]:
    """Return the detectors' patterns. Each line with a secret matches one of them."""
    detectors: Collection[type] = get_mapping_from_secret_type_to_class().values()
    keywords = re.compile("|".join(DENYLIST), re.IGNORECASE)
    own = [each for kind in detectors if kind.__name__ in DETECTORS for each in getattr(kind, "denylist", None) or ()]
    return (keywords, *own)


def candidates(text: str) -> list[int]:
    """Return the numbers, from 0, of the lines that match a pattern. detect-secrets needs half a minute for all lines,
    because it applies each detector and filter to each."""
    ends = [match.end() for match in re.finditer("\n", text)]
    found = [match.span() for pattern in patterns() for match in pattern.finditer(text)]
    spans = [range(bisect_right(ends, start), bisect_right(ends, end - 1) + 1) for start, end in found]
    return sorted({number for span in spans for number in span})


def secrets_in(path: Path, scratch: Path) -> list[str]:
    if not path.is_file():
        return []
    text = path.read_text(errors="replace")
    lines, numbers = text.split("\n"), candidates(text)
    copy = scratch / path.name
    copy.write_text("".join(f"{lines[number]}\n" for number in numbers))
    return [f"{path}:{numbers[each.line_number - 1] + 1}: {each.type}" for each in scan.scan_file(str(copy))]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part or "other")
def test_there_are_no_secrets(part: str, tmp_path: Path) -> None:
    with transient_settings(SETTINGS):
        names = [name for name in files() if part_of(name) == part]
        assert [secret for name in names for secret in secrets_in(ROOT / name, tmp_path)] == []


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
    path, scratch = tmp_path / "settings.py", tmp_path / "scratch"
    scratch.mkdir()
    path.write_text(f"\nnothing here\n{line}\n")
    with transient_settings(SETTINGS):
        assert [each.partition(": ")[0] for each in secrets_in(path, scratch)] == [f"{path}:3"]
