"""Fixtures of the API's tests: a lobby on moto, a terminal for `lobbyctl`, and a built console."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lobby.aws.clients import client
from lobby.ledger.store import Ledger
from tests.functional.admin_api.api_on_moto import Lobby, fresh_lobby, ledger_on_moto
from tests.functional.admin_api.deployed_lambda import console, dist
from tests.functional.admin_api.lobby_over_http import LobbyServer, Terminal, served

__all__ = ["console", "dist"]


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with pytest.MonkeyPatch.context() as monkeypatch, ledger_on_moto(monkeypatch) as ledger_:
        yield ledger_


@pytest.fixture
def lobby(ledger: Ledger) -> Lobby:
    return fresh_lobby(ledger)


@pytest.fixture
def topic(lobby: Lobby) -> Iterator[Any]:
    """The topic of the notices; a client of SNS."""
    sns = client("sns")
    arn = sns.create_topic(Name="device-lobby-notices")["TopicArn"]
    yield sns
    sns.delete_topic(TopicArn=arn)


@pytest.fixture
def server(lobby: Lobby) -> Iterator[LobbyServer]:
    with served(lobby) as running:
        yield running


@pytest.fixture
def terminal(server: LobbyServer, tmp_path: Path) -> Terminal:
    """A terminal in the directory of a local deployment."""
    return Terminal(tmp_path, server).local()


@pytest.fixture
def signed_out(server: LobbyServer, tmp_path: Path) -> Terminal:
    """A terminal without a local deployment and without a sign-in."""
    return Terminal(tmp_path, server)
