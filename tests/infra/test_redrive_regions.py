"""The ledger of commands such as a redrive: its own tables in a lobby with one Region, and in others the home's."""

import os
from typing import Any, cast

import pytest

from lobby.errors import NotHome
from lobby.ledger.redrive import start_again
from lobby.ledger.regions import command_routing
from lobby.ledger.regions.routing import Access
from lobby.names import Fingerprint, parse_target

LOBBY = parse_target("1" * 12, "eu-west-1")


class Tables:
    """A DynamoDB client whose table has these replicas."""

    def __init__(self, *replicas: str) -> None:
        self._replicas = [{"RegionName": each} for each in replicas]

    def describe_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": {"Replicas": self._replicas} if self._replicas else {}}


@pytest.mark.parametrize(
    ("tables", "regions", "routes"),
    [
        (Tables(), None, [Access.DOOR]),
        (Tables("eu-west-1"), None, [Access.DOOR]),
        (Tables("us-east-1", "eu-central-1"), "eu-west-1,eu-central-1,us-east-1", [Access.DOOR]),
        (Tables("us-east-1", "eu-west-1"), "eu-west-1,us-east-1", [Access.DOOR]),
    ],
    ids=["one Region", "one replica", "the first Region", "another Region"],
)
def test_a_command_uses_the_replicas_of_its_table_as_regions(
    monkeypatch: pytest.MonkeyPatch, tables: Tables, regions: str | None, routes: list[Access]
) -> None:
    routed: list[Access] = []
    monkeypatch.setattr(command_routing, "route", routed.append)
    monkeypatch.setenv("LOBBY_REGIONS", "")
    command_routing.route_command(tables, LOBBY.region, Access.DOOR)
    assert (os.environ["LOBBY_REGIONS"] or None, routed) == (regions, routes)


def test_a_redrive_keeps_its_message_while_no_region_may_write() -> None:
    class Ended:
        def wake(self, *_: object) -> None:
            raise NotHome("LEASE_EXPIRED", "got a lease that has ended")

    with pytest.raises(NotHome):
        start_again(cast(Any, Ended()), Fingerprint("0" * 64))
