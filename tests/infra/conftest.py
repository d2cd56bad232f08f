"""Session-wide synthesis of the templates, with cdk-nag and without code in the Lambdas."""

import pytest

from tests.infra.templates import Stacks, settings, synthesized


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """The stacks as deployed to AWS."""
    return synthesized(settings(), tmp_path_factory.mktemp("aws"), nag=True)


@pytest.fixture(scope="session")
def local_stacks(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """The stacks as deployed to the emulator."""
    return synthesized(settings(local="true"), tmp_path_factory.mktemp("local"))
