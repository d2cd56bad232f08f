"""An enrolment's own CA with its key in KMS, on a deployed lobby with its roles and policies: over real TLS, a device
gets its certificate from this CA and renews it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from typer.testing import CliRunner

from infra.local.api import ApiRefused
from infra.local.signing_key import signing_key
from pki.certificates import load_certificate
from pki.cli import app
from tests.e2e.deployment import Deployment, free_port, until
from tests.e2e.fleet import Fleet, certid_of, wait_for_event
from tests.e2e.renewing_device import renew, stage
from tests.e2e.vending_requests import VendingDoor, files_of

CREATE: Final = """
mutation($allocation: AllocationInput, $signer: SignerInput) {
  createEnrolment(
    name: "valves", door: "token", match: {namePattern: "valves-*"}, allocation: $allocation, signer: $signer
  ) { signer { key } }
}"""


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
    key, file = own_ca
    issuer, target = load_certificate(file), signing.targets[0]
    share = {"target": {"account": target.account, "region": target.region}}
    signer = {"key": key, "caCertificate": file.read_text(), "days": 365}
    admin = signing.api("admin")
    admin.ask(CREATE, allocation={"targets": [share]}, signer=signer)

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
    pem = signing.client(signing.lobby, "iot").describe_certificate(certificateId=new)["certificateDescription"]
    x509.load_pem_x509_certificate(pem["certificatePem"].encode()).verify_directly_issued_by(issuer)
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
        signing.api("admin").ask(CREATE, signer=signer)
