"""The API as it is deployed: behind its gateway, with real tokens of the user pool."""

import base64
import json
from typing import Any

import httpx
import pytest

from infra.local.api import Api, ApiRefused, sign_in
from infra.local.lobby_file import LocalOperator
from lobby.names import Target
from tests.e2e.deployment import CLAIM, MOVE, RELEASE, RETRY, REVOKE, Deployment, events
from tests.e2e.workbench import Workbench, certid_of, name_of, says

QUESTION = {"query": "{ targets { account } }"}


def _token(deployed: Deployment, role: str = "operator") -> str:
    return sign_in(deployed.file, deployed.file.operator(role))


def _post(deployed: Deployment, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"authorization": authorization}
    return httpx.post(deployed.file.graphql_url, json=QUESTION, headers=headers, timeout=30)


def _changed(token: str, part: int, **claims: Any) -> str:
    """The token with claims of its header (0) or body (1) replaced, and its signature as it was."""
    parts = token.split(".")
    body = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
    parts[part] = base64.urlsafe_b64encode(json.dumps(body | claims).encode()).decode().rstrip("=")
    return ".".join(parts)


@pytest.mark.parametrize("which", ["none", "empty", "nonsense", "no-signature", "another-role", "unsigned"])
def test_without_a_token_of_the_pool_the_gateway_lets_nobody_in(deployed: Deployment, which: str) -> None:
    token = _token(deployed, "viewer")
    forged = {
        "none": None,
        "empty": "Bearer",
        "nonsense": "Bearer a.b.c",
        "no-signature": f"Bearer {token.rsplit('.', 1)[0]}.",
        "another-role": f"Bearer {_changed(token, 1, **{'cognito:groups': ['admin']})}",
        "unsigned": f"Bearer {_changed(token, 0, alg='none').rsplit('.', 1)[0]}.",
    }[which]
    began = deployed.log_position()
    assert _post(deployed, forged).status_code == httpx.codes.UNAUTHORIZED
    assert not deployed.calls("device-lobby-admin-api", began)
    assert _post(deployed, f"Bearer {token}").status_code == httpx.codes.OK


def test_an_identity_token_is_no_access_token(deployed: Deployment) -> None:
    operator = deployed.file.operator("admin")
    answer = deployed.client(deployed.lobby, "cognito-idp").initiate_auth(
        ClientId=deployed.file.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": operator.user, "PASSWORD": operator.password},
    )
    refused = _post(deployed, f"Bearer {answer['AuthenticationResult']['IdToken']}")
    assert refused.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


def test_a_wrong_password_is_no_way_in(deployed: Deployment) -> None:
    with pytest.raises(Exception, match="NotAuthorizedException"):
        Api(deployed.file, LocalOperator("admin", "not-the-password", "admin"))


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("viewer", set()), ("technician", {"claim"}), ("operator", {"claim", "move", "release", "retry", "revoke"})],
)
def test_each_role_may_do_its_part_and_is_refused_the_rest(
    deployed: Deployment, bench: Workbench, first: Target, role: str, allowed: set[str]
) -> None:
    certid = certid_of(bench.make())
    target = {"account": first.account, "region": first.region}
    asked = {
        "claim": (CLAIM, {"target": target}),
        "move": (MOVE, {"target": target}),
        "retry": (RETRY, {}),
        "release": (RELEASE, {}),
        "revoke": (REVOKE, {}),
        "register": ("mutation($id: String!) { registerTarget(account: $id, region: $id, name: $id) { name } }", {}),
    }
    refused = set()
    for name, (query, variables) in asked.items():
        try:
            deployed.api(role).ask(query, id=certid, **variables)
        except ApiRefused as refusal:
            if refusal.code == "FORBIDDEN":
                refused.add(name)
    assert set(asked) - refused == allowed
    assert (deployed.device(certid) is not None) == ("revoke" in allowed or "claim" in allowed)


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
    assert device.died is None


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
