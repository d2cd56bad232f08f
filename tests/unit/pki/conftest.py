"""A small CA for the tests of `pki`: one per session for tests that only read it, one per test for tests that write."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pki.ca.authority import Authority, create_hierarchy

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def shared_ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return create_hierarchy(tmp_path_factory.mktemp("shared") / "ca", "Acme GmbH", now=NOW)


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return create_hierarchy(tmp_path / "ca", "Acme GmbH", now=NOW)
