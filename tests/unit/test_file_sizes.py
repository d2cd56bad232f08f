"""No source file has more than 300 lines. A longer one has several subjects and must be split."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("admin_api", "commissioner", "device", "infra", "lobby", "pki", "tests")
NOT_OURS = {"node_modules", "dist", "__pycache__", "cdk.out"}
GENERATED = {"graphql-env.d.ts"}
SUFFIXES = {".css", ".html", ".js", ".mjs", ".py", ".sh", ".ts", ".tsx"}
MAX_LINES = 300


def sources(folder: str) -> Iterator[Path]:
    for where, folders, names in os.walk(ROOT / folder):
        folders[:] = sorted(set(folders) - NOT_OURS)
        yield from (Path(where) / name for name in sorted(names) if Path(name).suffix in SUFFIXES)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_source_file_has_more_than_300_lines(folder: str) -> None:
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for path in sources(folder)
        if path.name not in GENERATED
    }
    assert len(lines) > 10
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}
