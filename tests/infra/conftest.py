"""Session-wide synthesis of the templates, with cdk-nag and without code in the Lambdas."""

from pathlib import Path

import pytest

from tests import tiers
from tests.infra.templates import Stacks, settings, synthesized


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of this folder out of the fast tier."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """The stacks as deployed to AWS."""
    return synthesized(settings(), tmp_path_factory.mktemp("aws"), nag=True)


@pytest.fixture(scope="session")
def nag(request: pytest.FixtureRequest) -> bool:
    """Whether the stacks of variants of the settings are checked as `stacks` are, which takes 10 s of CPU time each.
    Only the full tier does."""
    return tiers.is_full(request.config)


@pytest.fixture(scope="session")
def local_stacks(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """The stacks as deployed to the emulator."""
    return synthesized(settings(local="true"), tmp_path_factory.mktemp("local"))
