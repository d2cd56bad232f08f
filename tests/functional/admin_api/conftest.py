from collections.abc import Iterator

import pytest

from tests.functional.admin_api.api_on_moto import Lobby, lobby_on_moto


@pytest.fixture
def lobby(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lobby]:
    with lobby_on_moto(monkeypatch) as made:
        yield made
