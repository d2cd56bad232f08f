"""The door `claim` on the deployed lobby, over real TLS with all roles and policies: which devices join, and which are
denied."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lobby.names import Target
from tests.e2e.bare_mqtt import CONNACK, HUNG_UP, PUBLISH, SUBACK, HandshakeRefused
from tests.e2e.claiming_device import ClaimConnection, Credentials, Refused, bare, new_key, request_of, stored
from tests.e2e.deployment import Deployment, events, until

CREATE = """
mutation($name: String!, $match: EnrolmentMatchInput, $limit: Int, $allocation: AllocationInput, $repeat: String) {
  createEnrolment(
    name: $name, door: "claim", match: $match, limit: $limit, allocation: $allocation, repeat: $repeat
  ) { name provisioningTemplate }
}"""
ADD = """
mutation($name: String!, $csr: String) {
  addClaimCertificate(enrolment: $name, csr: $csr) { certificateId certificatePem state }
}"""
STATUS = "{ enrolments { name admitted refusals { reason count } claimCertificates { certificateId state } } }"
_NUMBERS = count()


class Group:
    """An enrolment with a claim certificate issued by AWS IoT, and connections with it."""

    def __init__(self, deployed: Deployment, directory: Path, **more: Any) -> None:
        self.deployed, self._directory = deployed, directory
        self.name = f"claimed-{next(_NUMBERS)}"
        created = deployed.api("admin").ask(CREATE, name=self.name, **{"limit": 10, **more})["createEnrolment"]
        assert created["provisioningTemplate"] == deployed.file.provisioning_template
        key = new_key()
        csr = request_of(key, f"{self.name} claim")
        added = deployed.api("admin").ask(ADD, name=self.name, csr=csr)["addClaimCertificate"]
        assert added["state"] == "active"
        self.certid = added["certificateId"]
        self.claim = stored(directory, self.name, key, added["certificatePem"])

    def connect(self, client_id: str | None = None) -> ClaimConnection:
        return ClaimConnection(self.deployed.file, self.claim, client_id)

    def status(self) -> dict[str, Any]:
        found = self.deployed.api().ask(STATUS)["enrolments"]
        return next(each for each in found if each["name"] == self.name)

    def refusals(self) -> dict[str, int]:
        return {each["reason"]: each["count"] for each in self.status()["refusals"]}


@pytest.fixture
def group(deployed: Deployment, tmp_path: Path) -> Group:
    return Group(deployed, tmp_path, match={"namePattern": "pump-*"})


@pytest.fixture
def connection(group: Group) -> Iterator[ClaimConnection]:
    opened = group.connect()
    yield opened
    opened.close()


def say_hello(deployed: Deployment, files: Credentials, name: str) -> bytes:
    """Connect as a device does, send a hello, and return the next message on its topic."""
    with bare(deployed.file, files) as mqtt:
        assert mqtt.connect(name) == (CONNACK, b"\x00\x00")
        assert mqtt.subscribe(f"lobby/{name}")[0] == SUBACK
        kind, content = mqtt.publish("$aws/rules/lobby", b"{}")
        while kind != PUBLISH:
            assert (kind, content) != HUNG_UP
            kind, content = mqtt.read()
        return content


@pytest.mark.slow
def test_a_device_joins_by_claim_and_gets_its_route(deployed: Deployment, second: Target, tmp_path: Path) -> None:
    target = {"target": {"account": second.account, "region": second.region}}
    group = Group(deployed, tmp_path, match={"namePattern": "pump-*"}, allocation={"targets": [target]})
    connection = group.connect()
    pending = connection.certificate("pump-join")
    assert deployed.status(pending.certid, deployed.lobby) == "PENDING_ACTIVATION"
    assert connection.provision(pending, "pump-join") == (
        "accepted",
        {"deviceConfiguration": {}, "thingName": "pump-join"},
    )
    connection.close()
    row = deployed.wait(pending.certid, "claimed", "commissioned")
    assert (row["devicename"], events(row)[:2]) == ("pump-join", ["admit", "claim"])
    assert deployed.status(pending.certid, deployed.lobby) == "ACTIVE"
    deployed.wait(pending.certid, "commissioned")
    files = pending.files(tmp_path)
    assert b'"iotep"' in say_hello(deployed, files, "pump-join")
    assert deployed.existing(pending.certid)["historyIntact"]
    assert (group.status()["admitted"], group.refusals()) == (1, {})


@pytest.mark.slow
def test_a_stolen_claim_certificate_gives_no_other_serial_number(
    deployed: Deployment, group: Group, connection: ClaimConnection
) -> None:
    pending = connection.certificate("valve-1")
    kind, answer = connection.provision(pending, "valve-1")
    assert (kind, answer["statusCode"]) == ("rejected", 403)
    row = deployed.existing(pending.certid)
    assert (row["devstate"], row["reason"], row["devicename"]) == ("refused", "SERIAL_UNMATCHED", "valve-1")
    assert group.refusals() == {"SERIAL_UNMATCHED": 1}
    assert deployed.status(pending.certid, deployed.lobby) == "PENDING_ACTIVATION"


@pytest.mark.slow
def test_a_stolen_claim_certificate_admits_no_more_devices_than_the_limit(deployed: Deployment, tmp_path: Path) -> None:
    group = Group(deployed, tmp_path, limit=2)
    connection = group.connect()
    kinds = [connection.provision(connection.certificate(None), f"mass-{number}")[0] for number in range(4)]
    assert kinds == ["accepted", "accepted", "rejected", "rejected"]
    assert (group.status()["admitted"], group.refusals()) == (2, {"ENROLMENT_FULL": 2})
    connection.close()


@pytest.mark.slow
def test_a_stolen_claim_certificate_is_useless_after_its_revocation(
    deployed: Deployment, group: Group, connection: ClaimConnection
) -> None:
    early = connection.certificate("pump-early")
    assert connection.provision(early, "pump-early")[0] == "accepted"
    late = connection.certificate("pump-late")
    deployed.api().ask(
        "mutation($id: String!) { revokeClaimCertificate(certificateId: $id) { state } }", id=group.certid
    )
    assert deployed.status(group.certid, deployed.lobby) == "INACTIVE"
    with pytest.raises((HandshakeRefused, Refused)):
        group.connect()
    assert deployed.status(early.certid, deployed.lobby) == "ACTIVE"
    assert deployed.existing(early.certid)["devstate"] in {"knocking", "inlobby"}
    assert deployed.status(late.certid, deployed.lobby) == "PENDING_ACTIVATION"


@pytest.mark.slow
def test_pausing_an_enrolment_deactivates_its_claim_certificate_until_it_is_resumed(
    deployed: Deployment, group: Group
) -> None:
    api = deployed.api()
    api.ask("mutation($name: String!) { pauseEnrolment(name: $name) { state } }", name=group.name)
    assert deployed.status(group.certid, deployed.lobby) == "INACTIVE"
    assert group.status()["claimCertificates"] == [{"certificateId": group.certid, "state": "inactive"}]
    api.ask("mutation($name: String!) { resumeEnrolment(name: $name) { state } }", name=group.name)
    connection = group.connect()
    assert connection.provision(connection.certificate("pump-later"), "pump-later")[0] == "accepted"
    connection.close()


@pytest.mark.slow
def test_a_claim_certificate_can_do_nothing_else(deployed: Deployment, group: Group) -> None:
    with pytest.raises(Refused):
        group.connect("pump-1")  # the client id of a device
    with bare(deployed.file, group.claim) as mqtt:
        assert mqtt.connect("claim.1") == (CONNACK, b"\x00\x00")
        assert mqtt.publish("$aws/rules/lobby", b"{}") == HUNG_UP
    for topic in ("lobby/pump-1", "#", "$aws/certificates/create/json/accepted"):
        with bare(deployed.file, group.claim) as mqtt:
            assert mqtt.connect("claim.2") == (CONNACK, b"\x00\x00")
            kind, body = mqtt.subscribe(topic)
            assert (kind, body) == HUNG_UP or body[2] == 0x80


@pytest.mark.slow
def test_a_replayed_ownership_token_has_no_effect(
    deployed: Deployment, group: Group, connection: ClaimConnection
) -> None:
    pending = connection.certificate("pump-token")
    assert connection.provision(pending, "pump-token")[0] == "accepted"
    assert connection.provision(pending, "pump-token")[0] == "accepted"
    assert connection.provision(pending, "pump-other")[0] == "rejected"
    assert (group.status()["admitted"], deployed.existing(pending.certid)["devicename"]) == (1, "pump-token")
    deployed.revoke(pending.certid)
    until(lambda: deployed.status(pending.certid, deployed.lobby) == "INACTIVE")
    assert connection.provision(pending, "pump-token")[0] == "rejected"
    assert deployed.status(pending.certid, deployed.lobby) == "INACTIVE"
    again = connection.certificate("pump-token")
    assert connection.provision(again, "pump-token")[0] == "rejected"
    assert deployed.existing(again.certid)["reason"] == "NAME_TAKEN"


@pytest.mark.slow
@pytest.mark.parametrize("repeat", ["refuse", "replace"])
def test_of_two_keys_that_race_for_one_serial_number_one_wins(
    deployed: Deployment, tmp_path: Path, repeat: str
) -> None:
    group = Group(deployed, tmp_path, repeat=repeat)
    serial = f"race-{repeat}"
    connections = [group.connect() for _ in range(2)]
    pending = [each.certificate(serial) for each in connections]
    with ThreadPoolExecutor(2) as pool:
        kinds = list(
            pool.map(lambda pair: pair[0].provision(pair[1], serial)[0], zip(connections, pending, strict=True))
        )
    states = [deployed.existing(each.certid)["devstate"] for each in pending]
    assert sorted(states) == (["knocking", "refused"] if repeat == "refuse" else ["knocking", "revoked"])
    assert kinds.count("accepted") >= 1
    loser = pending[1 - states.index("knocking")]
    until(lambda: deployed.status(loser.certid, deployed.lobby) in {"PENDING_ACTIVATION", "INACTIVE"})
    assert group.status()["admitted"] == 1
    for each in connections:
        each.close()


@pytest.mark.slow
def test_a_request_with_the_name_of_another_device_is_denied(
    deployed: Deployment, group: Group, connection: ClaimConnection
) -> None:
    pending = connection.certificate("pump-victim")
    assert connection.provision(pending, "pump-mine")[0] == "rejected"
    assert deployed.existing(pending.certid)["reason"] == "CN_DIFFERS"
    assert group.status()["admitted"] == 0
