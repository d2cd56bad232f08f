"""The deployed API with valid tokens. `test_e2e_tokens.py` has forged tokens and users without permission."""

from typing import Any

import pytest

from infra.local.api import Api, ApiRefused
from infra.local.lobby_file import LocalOperator
from lobby.names import Target
from tests.e2e.deployment import CLAIM, Deployment, events
from tests.e2e.fleet import Fleet, certid_of, name_of, wait_for_event


def test_a_wrong_password_is_refused(deployed: Deployment) -> None:
    with pytest.raises(Exception, match="NotAuthorizedException"):
        Api(deployed.file, LocalOperator("admin", "not-the-password", "admin"))


def test_a_technician_claims_for_their_own_target_only(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    certid = certid_of(fleet.make())
    technician = deployed.api("technician")
    with pytest.raises(ApiRefused, match="FORBIDDEN"):
        technician.ask(CLAIM, id=certid, target={"account": second.account, "region": second.region})
    assert deployed.device(certid) is None
    technician.ask(CLAIM, id=certid, target={"account": first.account, "region": first.region})
    (entry,) = deployed.existing(certid)["history"]
    assert entry["actor"] == "user:technician"


ADD = """
mutation AddDevice($certid: ID!, $targetaccount: String!, $targetregion: String!) {
  addDevice(certid: $certid, targetaccount: $targetaccount, targetregion: $targetregion) {
    certid devicename devstate targetaccount targetregion
  }
}"""
GET = "query GetDevice($certid: ID) { getDevice(certid: $certid) { certid devicename devstate } }"
LIST = """
query ListDevices($count: Int, $nextToken: String) {
  listDevices(count: $count, nextToken: $nextToken) { devices { certid devstate targetaccount } nextToken }
}"""
LIST_LOBBY = """
query ListLobbyDevices($count: Int, $devstate: String, $nextToken: String) {
  listLobbyDevices(count: $count, devstate: $devstate, nextToken: $nextToken) {
    devices { certid devicename devstate } nextToken
  }
}"""


def _all(api: Api, query: str, field: str, **variables: Any) -> list[dict[str, Any]]:
    """Return the devices of all pages, seven per page."""
    devices, token = [], None
    while True:
        page = api.ask(query, count=7, nextToken=token, **variables)[field]
        assert len(page["devices"]) <= 7
        devices += page["devices"]
        token = page["nextToken"]
        if token is None:
            return devices


@pytest.mark.full
def test_the_four_operations_of_v01_onboard_a_device(deployed: Deployment, fleet: Fleet, first: Target) -> None:
    api, paths = deployed.api(), fleet.make()
    certid, device = certid_of(paths), fleet.power_on_v01(paths)
    deployed.wait(certid, "inlobby")
    waiting = _all(api, LIST_LOBBY, "listLobbyDevices")
    assert {"certid": certid, "devicename": name_of(paths), "devstate": "inlobby"} in waiting
    added = api.ask(ADD, certid=certid, targetaccount=first.account, targetregion=first.region)["addDevice"]
    assert added["certid"] == certid
    assert (added["targetaccount"], added["targetregion"]) == (first.account, first.region)
    deployed.wait(certid, "arrived")
    shown = api.ask(GET, certid=certid)["getDevice"]
    assert shown == {"certid": certid, "devicename": name_of(paths), "devstate": "arrived"}
    listed = _all(api, LIST, "listDevices")
    assert [each for each in listed if each["certid"] == certid] == [
        {"certid": certid, "devstate": "arrived", "targetaccount": first.account}
    ]
    in_state = _all(api, LIST_LOBBY, "listLobbyDevices", devstate="arrived")
    assert certid in [each["certid"] for each in in_state]
    assert api.ask(GET, certid="0" * 64)["getDevice"] is None
    assert device.crash is None


@pytest.mark.parametrize(
    ("certid", "account", "region", "code"),
    [
        ("zz", "{account}", "{region}", "INVALID_FINGERPRINT"),
        ("{certid}", "12", "{region}", "INVALID_ACCOUNT"),
        ("{certid}", "{account}", "mars", "INVALID_REGION"),
        ("{certid}", "999999999999", "{region}", "UNKNOWN_TARGET"),
    ],
    ids=["fingerprint", "account", "region", "target"],
)
def test_a_malformed_claim_changes_nothing(
    deployed: Deployment, fleet: Fleet, first: Target, certid: str, account: str, region: str, code: str
) -> None:
    known = certid_of(fleet.make())
    names = {"certid": known, "account": first.account, "region": first.region}
    with pytest.raises(ApiRefused) as refused:
        deployed.api().ask(
            ADD,
            certid=certid.format(**names),
            targetaccount=account.format(**names),
            targetregion=region.format(**names),
        )
    assert refused.value.code == code
    assert deployed.device(known) is None


def test_a_repeated_claim_counts_once_and_another_target_is_refused(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on(paths), certid_of(paths)
    deployed.claim(certid, first)
    wait_for_event(device, "arrived_at_target")
    deployed.wait(certid, "arrived")
    assert deployed.claim(certid, first) == "arrived"
    with pytest.raises(ApiRefused, match="ALREADY_CLAIMED"):
        deployed.claim(certid, second)
    assert events(deployed.existing(certid)).count("claim") == 1
