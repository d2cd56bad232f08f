"""One emulator per test worker, with nothing deployed."""

from collections.abc import Iterator

import pytest

from infra.local.emulator import Emulator
from infra.local.ports import choose_layout
from tests.infra.local.emulated_cloud import aws, free_ports
from tests.infra.local.sign_in_page import Page, open_page


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and "emulator" in item.fixturenames:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(choose_layout(tmp_path_factory.mktemp("cloud"), *free_ports())) as running:
        yield running


@pytest.fixture
def page(emulator: Emulator) -> Iterator[Page]:
    """The sign-in page of a new user pool."""
    with open_page(aws(emulator, 0, "cognito-idp"), emulator.endpoint_url) as sign_in_page:
        yield sign_in_page
