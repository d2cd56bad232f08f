"""A device in a target of one lobby is transferred to another lobby, claimed there, and stays there after a restart."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from infra.local.api import Api
from lobby.names import Target
from tests.e2e.deployment import CLAIM, Deployment
from tests.e2e.fleet import Fleet, certid_of, wait_for_event
from tests.e2e.staging_lobby import SecondLobby, wait_for_state

OFFER: Final = """mutation($id: ID!, $offer: String!) {
  offerDevices(certids: [$id], to: "Bob", offer: $offer) { document results { code } } }"""
ACCEPT: Final = """mutation($text: String!, $key: String!) {
  acceptTransfer(document: $text, key: $key) { document results { code devstate } } }"""
COMPLETE: Final = """mutation($text: String!, $key: String!) {
  completeTransfer(document: $text, key: $key) { results { code devstate } } }"""
RELEASE: Final = "mutation($id: ID!) { releaseDevice(certid: $id) { forgotten } }"


@pytest.fixture
def second_lobby(deployed: Deployment, tmp_path: Path) -> Iterator[SecondLobby]:
    lobby = SecondLobby(deployed, tmp_path / "staging")
    lobby.run("deploy")
    yield lobby
    lobby.run("destroy")


def key_of(document: str) -> str:
    der = base64.b64decode(json.loads(document)["signature"]["key"])
    return f"SHA256:{hashlib.sha256(der).hexdigest()}"


def done(answer: dict[str, Any], mutation: str) -> dict[str, Any]:
    results: dict[str, Any] = answer[mutation]
    assert [each["code"] for each in results["results"]] == [None], results
    return results


@pytest.mark.full
def test_a_device_is_transferred_to_another_lobby_and_stays_there(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target, second_lobby: SecondLobby
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on(paths), certid_of(paths)
    deployed.wait(certid, "inlobby")
    deployed.claim(certid, second)
    deployed.wait(certid, "arrived")
    ours, theirs = deployed.file.lobby_endpoint, second_lobby.file.lobby_endpoint
    assert ours != theirs

    with closing(Api(second_lobby.file, second_lobby.file.operator("admin"))) as bob:
        offer = done(deployed.api("operator").ask(OFFER, id=certid, offer=uuid4().hex), "offerDevices")["document"]
        accepted = done(bob.ask(ACCEPT, text=offer, key=key_of(offer)), "acceptTransfer")["document"]
        assert key_of(offer) != key_of(accepted)
        assert deployed.status(certid, second_lobby.lobby) == "ACTIVE"
        assert deployed.existing(certid)["devstate"] == "arrived"
        done(deployed.api("admin").ask(COMPLETE, text=accepted, key=key_of(accepted)), "completeTransfer")

        wait_for_event(device, "lobby_changed")
        wait_for_state(bob, certid, "inlobby")
        wait_for_event(device, "lobby_settled")
        assert deployed.status(certid, second) == "INACTIVE"
        bob.ask(CLAIM, id=certid, target={"account": first.account, "region": first.region})
        wait_for_state(bob, certid, "arrived")
        assert deployed.existing(certid)["devstate"] == "transferred"

        device.kill()
        again = fleet.power_on(paths)
        wait_for_event(again, "arrived_at_target")
        bob.ask(RELEASE, id=certid)
        wait_for_event(again, "subscribed", place="lobby")
        wait_for_state(bob, certid, "inlobby")
        hosts = {str(each["endpoint"]).partition(":")[0] for each in again.events() if each["event"] == "connecting"}
        assert theirs in hosts
        assert ours not in hosts
