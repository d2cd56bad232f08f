from collections.abc import Iterator

import pytest

from lobby.ledger.store import Ledger
from tests.functional.admin_api.api_on_moto import Lobby, fresh_lobby, ledger_on_moto


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with pytest.MonkeyPatch.context() as monkeypatch, ledger_on_moto(monkeypatch) as made:
        yield made


@pytest.fixture
def lobby(ledger: Ledger) -> Lobby:
    return fresh_lobby(ledger)
