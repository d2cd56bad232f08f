"""One synthesis for all tests of the templates, with cdk-nag and without code in the Lambdas."""

from pathlib import Path

import pytest

from tests.infra.templates import Stacks, settings, synthesized


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On one worker, so that there is one synthesis however many workers there are."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            item.add_marker(pytest.mark.xdist_group("templates"))


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """As deployed to AWS."""
    return synthesized(settings(), tmp_path_factory.mktemp("aws"), nag=True)


@pytest.fixture(scope="session")
def local_stacks(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """As deployed to the emulator."""
    return synthesized(settings(local="true"), tmp_path_factory.mktemp("local"))
