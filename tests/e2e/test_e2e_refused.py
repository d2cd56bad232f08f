"""Refused certificates and their effect on other devices: with the same name, with the same CA, or after a repair.
`test_e2e_hostile.py` has every reason for a refusal."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from lobby.deployment import NAMES
from lobby.wire import crl_key
from pki.ca.certificates import load_certificate
from pki.ca.crl import Reason, Record, build_crl
from pki.devices.credentials import DevicePaths
from tests.e2e.bare_mqtt import HUNG_UP
from tests.e2e.connections import ACCEPTED, RETRY_SECONDS, attempt
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of, name_of, wait_for_event

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Credential:
    """A certificate and its key on the disk."""

    certid: str
    certificate: Path
    key: Path


def _credential(paths: DevicePaths) -> Credential:
    return Credential(certid_of(paths), paths.chain, paths.key)


def _refused(deployed: Deployment, credential: Credential, client_id: str = "x") -> dict[str, object]:
    """Connect until the ledger has the refusal and return the device. Later attempts are refused, too."""

    def refused() -> dict[str, object] | None:
        assert attempt(deployed, credential.certificate, credential.key, client_id) == HUNG_UP
        device = deployed.device(credential.certid)
        return device if device and device["devstate"] == "refused" else None

    device = until(refused, lambda: deployed.device(credential.certid), every=RETRY_SECONDS)
    until(lambda: deployed.status(credential.certid, deployed.lobby) == "INACTIVE")
    assert attempt(deployed, credential.certificate, credential.key, client_id) == HUNG_UP
    return device


def test_a_second_certificate_with_the_same_name_is_refused_and_the_first_stays_active(
    deployed: Deployment, fleet: Fleet
) -> None:
    paths = fleet.make()
    genuine = fleet.power_on(paths)
    deployed.wait(certid_of(paths), "inlobby")
    second = fleet.make(fleet.manufacturer("rival"), name_of(paths))
    device = _refused(deployed, _credential(second), name_of(paths))
    assert device["reason"] == "NAME_TAKEN"
    assert deployed.status(certid_of(paths), deployed.lobby) == "ACTIVE"
    assert genuine.first("connection_lost") is None
    deployed.claim(certid_of(paths))
    deployed.wait(certid_of(paths), "arrived")


def test_a_certificate_that_its_ca_has_revoked_is_refused(deployed: Deployment, fleet: Fleet) -> None:
    manufacturer = fleet.manufacturer("careful", registered=False)
    paths = fleet.make(manufacturer)
    manufacturer.authority().revoke([load_certificate(paths.certificate)], Reason.KEY_COMPROMISE, now=datetime.now(UTC))
    fleet.register(manufacturer)
    assert _refused(deployed, _credential(paths), name_of(paths))["reason"] == "REVOKED_BY_ISSUER"
    other = fleet.make(manufacturer)
    fleet.power_on(other)
    deployed.wait(certid_of(other), "inlobby")


def test_a_refused_device_is_admitted_after_the_repair_and_a_retry(deployed: Deployment, fleet: Fleet) -> None:
    manufacturer = fleet.manufacturer("late")
    ca_id = fleet.register(manufacturer)
    ca = manufacturer.authority()
    stale = build_crl(Record(), ca.intermediate, ca.key, now=NOW - 40 * DAY, days=30)
    where = NAMES.trust_bucket(deployed.lobby.account, deployed.lobby.region)
    deployed.client(deployed.lobby, "s3").put_object(
        Bucket=where, Key=crl_key(ca_id), Body=stale.public_bytes(Encoding.PEM)
    )
    paths = fleet.make(manufacturer)
    certid = certid_of(paths)
    deployed.claim(certid)
    device = fleet.power_on(paths)
    refused = deployed.wait(certid, "refused")
    assert refused["reason"] == "CRL_STALE"
    fleet.register(manufacturer)  # with a new list
    deployed.retry(certid)
    wait_for_event(device, "arrived_at_target")
    arrived = deployed.wait(certid, "arrived")
    assert arrived["reason"] is None
    assert [event for event in events(arrived) if event in ("refuse", "retry", "admit")] == ["refuse", "retry", "admit"]
    assert attempt(deployed, paths.chain, paths.key, name_of(paths)) == ACCEPTED
