"""One emulator, with nothing deployed, for a worker's tests that need no other."""

from collections.abc import Iterator

import pytest

from infra.local.emulator import Emulator
from infra.local.ports import choose_layout
from tests.infra.local.sign_in_page import Page, a_page
from tests.infra.local.test_local_cloud import free_ports, of


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and "plain_cloud" in item.fixturenames:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def plain_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(choose_layout(tmp_path_factory.mktemp("plain-cloud"), *free_ports())) as running:
        yield running


@pytest.fixture
def page(plain_cloud: Emulator) -> Iterator[Page]:
    """The sign-in page of a new user pool."""
    with a_page(of(plain_cloud, 0, "cognito-idp"), plain_cloud.endpoint_url) as made:
        yield made
