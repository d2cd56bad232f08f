"""Renewal over real TLS with all roles and policies: the whole journey, and who gets no new certificate."""

import json

import pytest
from cryptography import x509

from infra.local.api import ApiRefused
from lobby.names import Target
from pki.ca.certificates import fingerprint, load_certificate
from tests.e2e.bare_mqtt import CONNACK, HUNG_UP, BareMqtt, HandshakeRefused
from tests.e2e.claiming_device import Credentials, bare, new_key, request_of
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import Fleet, certid_of, name_of, wait_for_event
from tests.e2e.renewing_device import HELLO, RENEW, REQUEST, RenewingDevice, await_outcome, renew, stage


def _statuses(deployed: Deployment, certid: str, *scopes: Target) -> list[str | None]:
    return [deployed.status(certid, scope) for scope in scopes]


def test_a_device_in_its_target_renews_its_certificate_and_the_old_one_is_retired(
    deployed: Deployment, fleet: Fleet, first: Target
) -> None:
    paths = fleet.make()
    device, old = fleet.power_on(paths), certid_of(paths)
    deployed.wait(old, "inlobby")
    deployed.claim(old)
    deployed.wait(old, "arrived")
    renew(deployed, old)
    wait_for_event(device, "renewal_requested", place="target")
    new = str(wait_for_event(device, "new_certificate_stored")["certificate"])
    wait_for_event(device, "certificate_renewed", certificate=new)
    deployed.wait(old, "arrived")
    until(lambda: stage(deployed, old) is None or None, lambda: deployed.existing(old))
    scopes = (deployed.lobby, first)
    assert _statuses(deployed, old, *scopes) == ["INACTIVE", "INACTIVE"]
    assert _statuses(deployed, new, *scopes) == ["ACTIVE", "ACTIVE"]
    row = deployed.existing(old)
    assert (row["generation"], row["historyIntact"]) == (2, True)
    history = [(entry["event"], entry["reason"]) for entry in row["history"]]
    assert history[history.index(("due", None)) :] == [
        ("due", None),
        ("due", "ASKED"),
        ("renew", new),
        ("commission", None),
        ("arrive", "RENEWED"),
        ("retire", old),
    ]
    assert deployed.existing(new)["certid"] == old, "the device is found by either fingerprint"
    principals = deployed.client(first, "iot").list_thing_principals(thingName=name_of(paths))["principals"]
    assert {each.rpartition("/")[2] for each in principals} == {old, new}
    fleet.power_off()
    again = fleet.power_on(paths)
    assert wait_for_event(again, "arrived_at_target", generation=2)
    assert again.first("fallback_to_lobby") is None


@pytest.fixture
def arrived(deployed: Deployment, fleet: Fleet) -> RenewingDevice:
    """A device that has arrived, has announced that it can renew, was asked to renew, and is off."""
    paths = fleet.make()
    certid = certid_of(paths)
    client = fleet.power_on(paths)
    deployed.wait(certid, "inlobby")
    deployed.claim(certid)
    deployed.wait(certid, "arrived")
    client.stop()
    device = RenewingDevice(deployed, name_of(paths), Credentials(paths.chain, paths.key))
    renew(deployed, certid)
    return device


@pytest.fixture
def certid(arrived: RenewingDevice) -> str:
    return fingerprint(load_certificate(arrived.files.certificate))


@pytest.mark.full
def test_the_lobby_asks_again_before_the_route(arrived: RenewingDevice) -> None:
    assert arrived.ask(HELLO, {"renew": True}, "renew")["renew"]["generation"] == 1


@pytest.mark.full
def test_a_replayed_request_gets_the_same_certificate_and_another_key_retires_the_lost_one(
    deployed: Deployment, arrived: RenewingDevice, certid: str
) -> None:
    csr = request_of(new_key(), arrived.name)
    once = arrived.ask(REQUEST, {"csr": csr}, "certificate")
    assert arrived.ask(REQUEST, {"csr": csr}, "certificate")["certificate"] == once["certificate"]
    other = arrived.ask(REQUEST, {"csr": request_of(new_key(), arrived.name)}, "certificate")
    assert other["certificate"] != once["certificate"]
    lost = fingerprint_of_pem(once["certificate"])
    until(lambda: deployed.status(lost, deployed.lobby) == "INACTIVE" or None)
    assert deployed.status(certid, deployed.lobby) == "ACTIVE"


def _active(deployed: Deployment, name: str) -> list[str]:
    principals = deployed.client(deployed.lobby, "iot").list_thing_principals(thingName=name)["principals"]
    return [each for each in principals if deployed.status(each.rpartition("/")[2], deployed.lobby) == "ACTIVE"]


@pytest.mark.full
def test_of_two_concurrent_requests_one_certificate_is_left(
    deployed: Deployment, arrived: RenewingDevice, certid: str
) -> None:
    bodies = [{"csr": request_of(new_key(), arrived.name)} for _ in range(2)]
    with bare(deployed.file, arrived.files) as mqtt:
        assert mqtt.connect(arrived.name) == (CONNACK, b"\x00\x00")
        for body in bodies:  # the second one is sent before the first one is answered
            mqtt.publish(REQUEST, json.dumps(body).encode())
    deployed.wait(certid, "commissioned")
    until(lambda: stage(deployed, certid) == "COMMISSIONED" or None)
    until(lambda: len(_active(deployed, arrived.name)) == 2 or None)  # the one in use, and one new one


@pytest.mark.full
@pytest.mark.parametrize(
    ("cn", "code"), [("another-thing", "CSR_OTHER_NAME"), (None, "CSR_OTHER_NAME")], ids=["another name", "no name"]
)
def test_a_request_with_another_name_gets_no_certificate(
    deployed: Deployment, arrived: RenewingDevice, certid: str, cn: str | None, code: str
) -> None:
    arrived.send({"csr": request_of(new_key(), cn)})
    await_outcome(deployed, code, arrived.name)
    assert stage(deployed, certid) == "DUE"


@pytest.mark.full
def test_a_device_that_was_not_asked_gets_no_certificate(deployed: Deployment, fleet: Fleet) -> None:
    paths = fleet.make()
    client, certid = fleet.power_on(paths), certid_of(paths)
    deployed.wait(certid, "inlobby")
    deployed.claim(certid)
    deployed.wait(certid, "arrived")
    client.stop()
    device = RenewingDevice(deployed, name_of(paths), Credentials(paths.chain, paths.key))
    device.send({"csr": request_of(new_key(), device.name)})
    await_outcome(deployed, "NOT_DUE", device.name)
    assert stage(deployed, certid) is None


def _can_connect(device: RenewingDevice) -> bool:
    try:
        with bare(device.deployed.file, device.files) as mqtt:
            return mqtt.connect(device.name) == (CONNACK, b"\x00\x00")
    except HandshakeRefused:
        return False


@pytest.mark.full
def test_a_revoked_device_cannot_ask_and_cannot_be_asked(
    deployed: Deployment, arrived: RenewingDevice, certid: str
) -> None:
    deployed.revoke(certid)
    until(lambda: deployed.status(certid, deployed.lobby) == "INACTIVE" or None)
    assert not _can_connect(arrived)
    with pytest.raises(ApiRefused, match="REVOKED"):
        deployed.api().ask(RENEW, id=certid)


@pytest.mark.full
def test_a_target_gives_no_certificate(
    deployed: Deployment, arrived: RenewingDevice, certid: str, first: Target
) -> None:
    """Its policy does not permit the topic, and it has no such rule."""
    host, port = deployed.layout.endpoint_address(first), deployed.layout.mqtt_port
    files = arrived.files
    with BareMqtt(host, port, deployed.file.server_ca_path, files.certificate, files.key) as mqtt:
        assert mqtt.connect(arrived.name) == (CONNACK, b"\x00\x00")
        body = f'{{"csr": {request_of(new_key(), arrived.name)!r}}}'
        assert mqtt.publish(REQUEST, body.encode()) == HUNG_UP
    assert stage(deployed, certid) == "DUE"


def fingerprint_of_pem(pem: str) -> str:
    return fingerprint(x509.load_pem_x509_certificate(pem.encode()))
