"""The API as it is deployed, for people who may. Those who may not, and forged tokens, are in `test_e2e_tokens.py`."""

from typing import Any

import pytest

from infra.local.api import Api, ApiRefused
from infra.local.lobby_file import LocalOperator
from lobby.names import Target
from tests.e2e.deployment import CLAIM, Deployment, events
from tests.e2e.workbench import Workbench, certid_of, name_of, says


def test_a_wrong_password_is_no_way_in(deployed: Deployment) -> None:
    with pytest.raises(Exception, match="NotAuthorizedException"):
        Api(deployed.file, LocalOperator("admin", "not-the-password", "admin"))


def test_a_technician_claims_for_their_own_target_only(
    deployed: Deployment, bench: Workbench, first: Target, second: Target
) -> None:
    certid = certid_of(bench.make())
    technician = deployed.api("technician")
    with pytest.raises(ApiRefused, match="FORBIDDEN"):
        technician.ask(CLAIM, id=certid, target={"account": second.account, "region": second.region})
    assert deployed.device(certid) is None
    technician.ask(CLAIM, id=certid, target={"account": first.account, "region": first.region})
    (entry,) = deployed.known(certid)["history"]
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
    """Every page, seven devices at a time."""
    found, token = [], None
    while True:
        page = api.ask(query, count=7, nextToken=token, **variables)[field]
        assert len(page["devices"]) <= 7
        found += page["devices"]
        token = page["nextToken"]
        if token is None:
            return found


def test_v01s_four_operations_do_the_whole_job_word_for_word(
    deployed: Deployment, bench: Workbench, first: Target
) -> None:
    api, paths = deployed.api(), bench.make()
    certid, device = certid_of(paths), bench.power_v01(paths)
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
    deployed: Deployment, bench: Workbench, first: Target, certid: str, account: str, region: str, code: str
) -> None:
    known = certid_of(bench.make())
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


def test_a_claim_that_is_made_twice_is_one_claim_and_another_is_refused(
    deployed: Deployment, bench: Workbench, first: Target, second: Target
) -> None:
    paths = bench.make()
    device, certid = bench.power(paths), certid_of(paths)
    deployed.claim(certid, first)
    says(device, "arrived_at_target")
    deployed.wait(certid, "arrived")
    assert deployed.claim(certid, first) == "arrived"
    with pytest.raises(ApiRefused, match="ALREADY_CLAIMED"):
        deployed.claim(certid, second)
    assert events(deployed.known(certid)).count("claim") == 1
