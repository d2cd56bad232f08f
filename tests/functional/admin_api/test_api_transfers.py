"""Transfers in the API: offers, acceptances and completions, with documents of another lobby, and attacks on them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from lobby.domain.states import State
from lobby.domain.transfers.transfer_documents import Offer, OfferedDevice, read_acceptance, read_offer
from lobby.ledger.clock import timestamp
from lobby.names import Fingerprint, ThingName
from tests import certificates as make
from tests.functional.admin_api.api_on_moto import Lobby, fingerprint
from tests.functional.admin_api.device_steps import admit_with_large_certificate, arrived, state
from tests.functional.admin_api.other_lobby import (
    BOBS_KEY,
    CA,
    ID,
    OTHER,
    OWN,
    THEIRS,
    acceptance,
    by_bob,
    certificate,
    later,
    their_offer,
)
from tests.functional.admin_api.user_pool import REGION, token
from tests.history_key import KEY_NAME

OFFER = """mutation($ids: [ID!]!, $id: String!) {
  offerDevices(certids: $ids, to: "Bob", offer: $id) { document results { certid ok code } } }"""
WITHDRAW = "mutation($ids: [ID!]!) { withdrawTransfers(certids: $ids) { results { devstate code } } }"
ACCEPT = """mutation($text: String!, $key: String!) {
  acceptTransfer(document: $text, key: $key) { document results { certid devicename devstate code } } }"""
COMPLETE = """mutation($text: String!, $key: String!) {
  completeTransfer(document: $text, key: $key) { document results { certid devstate code } } }"""
SHOW = "query($id: ID!) { device(certid: $id) { transfer { step partner expired endpoint by ended } } }"


def offered(lobby: Lobby, *certids: Fingerprint, offer: str = ID) -> Any:
    return lobby.ask(OFFER, {"ids": certids, "id": offer}).data["offerDevices"]


def complete(lobby: Lobby, text: str, key: str | None = None, user: str = "eve") -> Any:
    body = {"query": COMPLETE, "variables": {"text": text, "key": key or BOBS_KEY}}
    return lobby.send(body, f"Bearer {token('admin', **{'cognito:username': user, 'username': user})}")


def codes(answer: Any, mutation: str = "completeTransfer") -> list[str | None]:
    return [each["code"] for each in answer.data[mutation]["results"]]


@pytest.fixture
def bobs_lobby(lobby: Lobby) -> Lobby:
    """The same tables, as another lobby that knows its endpoint."""
    other = Lobby(lobby.ledger, lobby.targets, lobby.anchors)
    object.__setattr__(other.services, "device_endpoint", "here.example")
    return other


def accept(lobby: Lobby, text: str, key: str | None = None, groups: tuple[str, ...] = ("admin",)) -> Any:
    return lobby.ask(ACCEPT, {"text": text, "key": key or BOBS_KEY}, groups)


def test_an_offer_names_the_devices_and_can_be_repeated(lobby: Lobby) -> None:
    one, two = arrived(lobby, 1), lobby.waiting(2)
    found = offered(lobby, one, two, fingerprint(9))
    assert [each["code"] for each in found["results"]] == [None, None, "UNKNOWN_DEVICE"]
    offer = read_offer(json.loads(found["document"]))
    assert (offer.offer, offer.lobby, offer.to) == (ID, OWN, "Bob")
    assert [(each.certid, each.name) for each in offer.devices] == [(one, "sensor-1"), (two, "thing-002")]
    assert read_offer(json.loads(offered(lobby, one, two)["document"])).expires == offer.expires
    assert [each.event for each in lobby.ledger.latest(two, 1)] == ["offer"]
    assert state(lobby, one) is State.ARRIVED
    shown = lobby.ask(SHOW, {"id": one}, ("viewer",)).data["device"]["transfer"]
    assert (shown["step"], shown["partner"], shown["expired"], shown["endpoint"]) == ("offered", "Bob", False, None)


def test_a_completed_transfer_is_made_by_another_admin_and_can_be_repeated(lobby: Lobby) -> None:
    certid = arrived(lobby, 1)
    offered(lobby, certid)
    assert codes(complete(lobby, acceptance(certid), user="alice")) == ["SAME_USER"]
    assert state(lobby, certid) is State.ARRIVED
    for _ in range(2):
        assert codes(complete(lobby, acceptance(certid))) == [None]
    device = lobby.ledger.get(certid)
    assert device is not None
    assert (device.devstate, device.target) == (State.TRANSFERRED, None)
    entry = lobby.ledger.latest(certid, 1)[0]
    assert (entry.event, entry.actor, entry.reason) == ("transfer", "user:eve", f"{ID} to {THEIRS} at bob.example")
    shown = lobby.ask(SHOW, {"id": certid}).data["device"]["transfer"]
    assert (shown["step"], shown["endpoint"], shown["by"]) == ("completed", "bob.example", "user:eve")
    assert lobby.ask(WITHDRAW, {"ids": [certid]}).data["withdrawTransfers"]["results"][0]["code"] == "TRANSFERRED"
    taken = lobby.ask(WITHDRAW, {"ids": [certid]}, ("admin",)).data["withdrawTransfers"]["results"][0]
    assert taken == {"devstate": "inlobby", "code": None}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"offer": OTHER}, "NOT_OFFERED"),
        ({"endpoint": "other.example"}, "ALREADY_TRANSFERRED"),
    ],
)
def test_a_second_acceptance_does_not_redirect_the_device(lobby: Lobby, change: dict[str, str], code: str) -> None:
    certid = lobby.waiting(1)
    offered(lobby, certid)
    if code == "ALREADY_TRANSFERRED":
        complete(lobby, acceptance(certid))
    assert codes(complete(lobby, acceptance(certid, **change))) == [code]


def test_an_acceptance_of_a_withdrawn_or_foreign_device_changes_nothing(lobby: Lobby) -> None:
    certid, never = lobby.waiting(1), lobby.waiting(2)
    offered(lobby, certid)
    lobby.ask(WITHDRAW, {"ids": [certid]})
    answer = complete(lobby, acceptance(certid, never, fingerprint(9)))
    assert codes(answer) == ["NOT_OFFERED", "NOT_OFFERED", "UNKNOWN_DEVICE"]
    assert (state(lobby, certid), state(lobby, never)) == (State.INLOBBY, State.INLOBBY)


def test_an_acceptance_of_a_key_that_was_not_named_or_of_another_lobbys_offer_is_refused(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    text = offered(lobby, certid)["document"]
    assert complete(lobby, acceptance(certid), KEY_NAME).code == "UNTRUSTED_KEY"
    edited = json.loads(acceptance(certid)) | {"endpoint": "evil.example"}
    assert complete(lobby, json.dumps(edited)).code == "SIGNATURE_INVALID"
    assert complete(lobby, acceptance(certid, by=THEIRS)).code == "OTHER_LOBBY"
    assert complete(lobby, text, KEY_NAME).code == "INVALID_DOCUMENT"
    assert state(lobby, certid) is State.INLOBBY


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"ids": [], "id": ID}, "INVALID_COUNT"),
        ({"ids": [fingerprint(number) for number in range(26)], "id": ID}, "INVALID_COUNT"),
        ({"ids": [fingerprint(1)], "id": "x"}, "INVALID_OFFER"),
    ],
)
def test_a_request_that_is_not_valid_is_refused(lobby: Lobby, variables: dict[str, Any], code: str) -> None:
    assert lobby.ask(OFFER, variables).code == code


def test_an_offer_that_has_no_room_for_its_certificates_is_refused_with_the_limit(lobby: Lobby) -> None:
    certids = [admit_with_large_certificate(lobby, number) for number in range(1, 26)]
    answer = lobby.ask(OFFER, {"ids": certids, "id": ID})
    assert answer.code == "OFFER_TOO_LARGE"
    assert "want at most 100000" in answer.body["errors"][0]["message"]
    assert {row.transfer for certid in certids if (row := lobby.ledger.get(certid))} == {None}
    some = offered(lobby, *certids[:20])
    assert len(json.dumps(read_offer(json.loads(some["document"])).document())) < 100_000


@pytest.mark.parametrize("count", [0, 26])
def test_offers_of_no_or_too_many_devices_are_not_withdrawn(lobby: Lobby, count: int) -> None:
    assert lobby.ask(WITHDRAW, {"ids": [fingerprint(number) for number in range(count)]}).code == "INVALID_COUNT"


def test_a_technician_neither_offers_nor_accepts(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    assert lobby.ask(OFFER, {"ids": [certid], "id": ID}, ("technician",)).code == "FORBIDDEN"
    assert accept(lobby, "x", groups=("operator",)).code == "FORBIDDEN"


def test_accepted_devices_are_active_here_and_the_acceptance_names_them(bobs_lobby: Lobby) -> None:
    pem = certificate("pump-1")
    text, certid = their_offer(("pump-1", pem)), make.fingerprint_of(pem)
    for _ in range(2):
        answer = accept(bobs_lobby, text).data["acceptTransfer"]
        assert answer["results"] == [{"certid": certid, "devicename": "pump-1", "devstate": "knocking", "code": None}]
    found = read_acceptance(json.loads(answer["document"]))
    assert (found.offer, found.offered_by, found.endpoint, found.devices) == (OTHER, THEIRS, "here.example", (certid,))
    iot = boto3.client("iot", region_name=REGION)
    description = iot.describe_certificate(certificateId=certid)["certificateDescription"]
    assert description["status"] == "ACTIVE"
    policies = iot.list_attached_policies(target=description["certificateArn"])["policies"]
    assert [each["policyName"] for each in policies] == ["device-lobby-waiting"]
    assert iot.list_thing_principals(thingName="pump-1")["principals"] == [description["certificateArn"]]
    entry = bobs_lobby.ledger.latest(certid, 1)[0]
    assert (entry.event, entry.actor, entry.reason) == ("accept", "user:alice", f"{OTHER} from {THEIRS}")


def test_devices_that_cannot_be_accepted_do_not_stop_the_others(bobs_lobby: Lobby) -> None:
    bobs_lobby.admit(1, "taken")
    good, taken, wrong = certificate("good", 1), certificate("taken", 2), certificate("right", 3)
    expired = make.pem_of(make.device(CA, "old", number=4, serial=4, begin=make.NOW - make.YEAR, end=make.NOW))
    text = their_offer(("taken", taken), ("wrong", wrong), ("old", expired), ("good", good))
    answer = accept(bobs_lobby, text)
    assert codes(answer, "acceptTransfer") == ["NAME_TAKEN", "NAME_DIFFERS", "EXPIRED", None]
    document = read_acceptance(json.loads(answer.data["acceptTransfer"]["document"]))
    assert document.devices == (make.fingerprint_of(good),)
    iot = boto3.client("iot", region_name=REGION)
    assert len(iot.list_certificates()["certificates"]) == 1


@pytest.mark.parametrize("pem", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x" * 8000])
def test_a_certificate_that_cannot_be_read_is_refused(bobs_lobby: Lobby, pem: str) -> None:
    device = OfferedDevice(fingerprint(1), ThingName("junk"), pem, 1, "a" * 64)
    text = by_bob(Offer(OTHER, THEIRS, None, "Ann", later(0), later(), (device,)).document())
    answer = accept(bobs_lobby, text)
    assert codes(answer, "acceptTransfer") == ["BAD_CERTIFICATE"]
    assert answer.data["acceptTransfer"]["document"] is None


def test_a_device_that_this_lobby_has_is_not_accepted_again(bobs_lobby: Lobby) -> None:
    pem = certificate("pump-1")
    accept(bobs_lobby, their_offer(("pump-1", pem)))
    device = OfferedDevice(make.fingerprint_of(pem), ThingName("pump-1"), pem, 3, "a" * 64)
    other = by_bob(Offer("c" * 32, THEIRS, None, "Ann", later(0), later(), (device,)).document())
    assert codes(accept(bobs_lobby, other), "acceptTransfer") == ["ALREADY_ADMITTED"]


def test_an_old_offer_does_not_take_back_a_device_that_was_transferred_onward(bobs_lobby: Lobby) -> None:
    pem = certificate("pump-1")
    text, certid = their_offer(("pump-1", pem)), make.fingerprint_of(pem)
    accept(bobs_lobby, text)
    offered(bobs_lobby, certid)
    assert codes(complete(bobs_lobby, acceptance(certid))) == [None]
    answer = accept(bobs_lobby, text)
    assert codes(answer, "acceptTransfer") == ["OFFER_OUTDATED"]
    assert state(bobs_lobby, certid) is State.TRANSFERRED
    back = their_offer(("pump-1", pem), issued=timestamp(datetime.now(UTC) + timedelta(minutes=1)))
    assert codes(accept(bobs_lobby, back), "acceptTransfer") == [None]


def test_an_expired_or_own_offer_or_one_of_an_unknown_key_is_refused(bobs_lobby: Lobby, lobby: Lobby) -> None:
    device = ("pump-1", certificate("pump-1"))
    assert accept(bobs_lobby, their_offer(device, expires=later(-1))).code == "OFFER_EXPIRED"
    assert accept(bobs_lobby, their_offer(device, issued=later(1), expires=later(9))).code == "INVALID_DOCUMENT"
    assert accept(bobs_lobby, their_offer(device, lobby=OWN)).code == "OWN_OFFER"
    assert accept(bobs_lobby, their_offer(device), KEY_NAME).code == "UNTRUSTED_KEY"
    assert accept(lobby, their_offer(device)).code == "NO_ENDPOINT"
    assert accept(bobs_lobby, "x" * 100_001).code == "INVALID_DOCUMENT"
    assert boto3.client("iot", region_name=REGION).list_certificates()["certificates"] == []
