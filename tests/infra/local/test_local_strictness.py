"""The settings of strict mode: the file, its changes while the emulator runs, and wrong values."""

from pathlib import Path

import pytest

from infra.local.errors import StartFailed
from infra.local.strictness import FILE, RELAXED, STRICT, CurrentStrictness, Strictness


def test_without_a_file_nothing_is_limited(tmp_path: Path) -> None:
    assert CurrentStrictness(tmp_path)() == RELAXED == Strictness()


def test_a_change_applies_to_the_next_call(tmp_path: Path) -> None:
    current = CurrentStrictness(tmp_path)
    STRICT.write(tmp_path)
    assert current() == STRICT
    RELAXED.write(tmp_path)
    assert current() == RELAXED


def test_only_the_owner_may_read_and_write_the_file(tmp_path: Path) -> None:
    STRICT.write(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_negative_limit_is_refused_with_its_name() -> None:
    with pytest.raises(StartFailed, match="got lambda_concurrency -1, want at least 0"):
        Strictness(lambda_concurrency=-1)


@pytest.mark.parametrize("text", ["", "[]", '{"unknown": 1}'], ids=["empty", "list", "unknown field"])
def test_a_malformed_file_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        Strictness.from_json(text)


def test_a_stream_has_at_least_one_shard() -> None:
    with pytest.raises(StartFailed, match="got stream_shards 0, want at least 1"):
        Strictness(stream_shards=0)
