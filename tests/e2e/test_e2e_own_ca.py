"""An enrolment's own CA with its key in KMS, on a deployed lobby with its roles and policies, over real TLS: a device
gets its certificate from it and renews it, and the daily round replaces one that AWS IoT has issued.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from typer.testing import CliRunner

from infra.local.api import ApiRefused
from infra.local.signing_key import signing_key
from lobby.ledger.progress import save_progress
from pki.ca.certificates import load_certificate
from pki.cli import app
from pki.devices.credentials import DevicePaths
from tests.e2e.claiming_device import ClaimConnection, new_key, request_of, stored
from tests.e2e.deployment import Deployment, free_port, until
from tests.e2e.fleet import Fleet, certid_of, wait_for_event
from tests.e2e.renewing_device import ALLOWED, renew, stage
from tests.e2e.sample_fleet import ledger_of
from tests.e2e.vending_requests import VendingDoor, files_of

CREATE: Final = """
mutation($name: String!, $door: String!, $names: String!, $allocation: AllocationInput, $signer: SignerInput) {
  createEnrolment(
    name: $name, door: $door, match: {namePattern: $names}, limit: 9, allocation: $allocation, signer: $signer
  ) { signer { key } }
}"""
ADD: Final = """
mutation($name: String!, $csr: String!) { addClaimCertificate(enrolment: $name, csr: $csr) { certificatePem } }"""


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment that names a key in KMS."""
    deployment = Deployment(tmp_path_factory.mktemp("signing"), free_port(), free_port(), free_port(), signing=True)
    try:
        deployment.up()
        yield deployment
    finally:
        deployment.down()


@pytest.fixture
def own_ca(signing: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """The key, and the certificate of its CA, which the command creates."""
    kms = signing.client(signing.lobby, "kms")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", signing.lobby.account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", signing.file.aws_secret_access_key)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    key, file = signing_key(kms), tmp_path / "own-ca.pem"
    options = ["--organization", "Acme", "--out", str(file), "--endpoint-url", signing.file.aws_endpoint_url]
    made = CliRunner().invoke(app, ["kms-ca", key, *options])
    assert made.exit_code == 0, made.output
    return key, file


def test_a_device_joins_and_renews_with_certificates_of_the_enrolments_ca(
    signing: Deployment, own_ca: tuple[str, Path], tmp_path: Path
) -> None:
    issuer, target = load_certificate(own_ca[1]), signing.targets[0]
    _create(signing, own_ca, "valves", "token")
    vending, folder, fleet = VendingDoor(signing, "valves"), tmp_path / "device", Fleet(signing, tmp_path)
    assert vending.run_example(vending.token(), "valves-1", folder).returncode == 0
    paths = files_of(folder, "valves-1")
    load_certificate(paths.certificate).verify_directly_issued_by(issuer)
    try:
        device, old = fleet.power_on(paths), certid_of(paths)
        wait_for_event(device, "arrived_at_target")
        signing.wait(old, "arrived")
        renew(signing, old)
        new = str(wait_for_event(device, "certificate_renewed")["certificate"])
        until(lambda: stage(signing, old) is None or None, lambda: signing.existing(old))
    finally:
        fleet.power_off()
    _certificate(signing, new).verify_directly_issued_by(issuer)
    assert [signing.status(each, scope) for each in (old, new) for scope in (signing.lobby, target)] == [
        "INACTIVE",
        "INACTIVE",
        "ACTIVE",
        "ACTIVE",
    ]


def test_the_roles_may_sign_with_no_other_key(signing: Deployment, own_ca: tuple[str, Path]) -> None:
    kms = signing.client(signing.lobby, "kms")
    other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    signer = {"key": other, "caCertificate": own_ca[1].read_text()}
    with pytest.raises(ApiRefused, match="INVALID_SIGNER"):
        signing.api("admin").ask(CREATE, name="other", door="token", names="other-*", signer=signer)


def test_the_daily_round_replaces_the_certificate_that_aws_iot_has_issued_at_the_door_claim(
    signing: Deployment, own_ca: tuple[str, Path], tmp_path: Path
) -> None:
    issuer = load_certificate(own_ca[1])
    _create(signing, own_ca, "meters", "claim")
    paths, fleet = _joined_by_claim(signing, "meters", "meters-1", tmp_path), Fleet(signing, tmp_path)
    assert load_certificate(paths.certificate).issuer != issuer.subject
    old = certid_of(paths)
    try:
        device = fleet.power_on(paths)
        signing.wait(old, "arrived")
        until(lambda: "renewDevice" in signing.api().ask(ALLOWED, id=old)["device"]["allowedActions"] or None)
        _run_daily_round(signing)
        wait_for_event(device, "renewal_requested", place="target")
        new = str(wait_for_event(device, "certificate_renewed")["certificate"])
        until(lambda: stage(signing, old) is None or None, lambda: signing.existing(old))
    finally:
        fleet.power_off()
    _certificate(signing, new).verify_directly_issued_by(issuer)
    assert (signing.status(old, signing.lobby), signing.status(new, signing.lobby)) == ("INACTIVE", "ACTIVE")

    _run_daily_round(signing)
    row = signing.existing(old)
    due = [entry["actor"] for entry in row["history"] if (entry["event"], entry["reason"]) == ("due", None)]
    assert (due, row["historyIntact"]) == (["service:reconciler"], True), "it is replaced once"


def _create(signing: Deployment, own_ca: tuple[str, Path], name: str, door: str) -> None:
    """Create an enrolment that signs with its own CA, and whose devices are claimed for the first target."""
    target = signing.targets[0]
    allocation = {"targets": [{"target": {"account": target.account, "region": target.region}}]}
    signer = {"key": own_ca[0], "caCertificate": own_ca[1].read_text(), "days": 365}
    signing.api("admin").ask(CREATE, name=name, door=door, names=f"{name}-*", allocation=allocation, signer=signer)


def _joined_by_claim(signing: Deployment, enrolment: str, serial: str, folder: Path) -> DevicePaths:
    """Have a device provisioned with a claim certificate of the enrolment, and return its files."""
    key = new_key()
    added = signing.api("admin").ask(ADD, name=enrolment, csr=request_of(key, f"{enrolment} claim"))
    pem = added["addClaimCertificate"]["certificatePem"]
    connection = ClaimConnection(signing.file, stored(folder, f"{enrolment}-claim", key, pem))
    try:
        pending = connection.certificate(serial)
        kind, answer = connection.provision(pending, serial)
    finally:
        connection.close()
    assert kind == "accepted", answer
    files, paths = pending.files(folder), DevicePaths.of(folder, serial)
    files.certificate.rename(paths.certificate)
    return DevicePaths(paths.certificate, paths.certificate, files.key, paths.label)


def _run_daily_round(signing: Deployment) -> None:
    """Run the reconciler as if the last round had been a day ago."""
    with ledger_of(signing):
        save_progress("renewal-round", {})
    response = signing.client(signing.lobby, "lambda").invoke(
        FunctionName="device-lobby-reconciler", Payload=json.dumps({"round": "daily"}).encode()
    )
    assert not response.get("FunctionError"), response["Payload"].read()


def _certificate(signing: Deployment, certid: str) -> x509.Certificate:
    """Return a certificate that is registered in the lobby."""
    found = signing.client(signing.lobby, "iot").describe_certificate(certificateId=certid)["certificateDescription"]
    return x509.load_pem_x509_certificate(found["certificatePem"].encode())
