"""`lobby-pki kms-ca` on moto: the certificate of a CA whose key is in KMS, and the keys that it refuses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.aws import aws
from tests.functional.lobby.kms_ca import new_key
from tests.functional.pki.command_line import Run


@pytest.fixture(autouse=True)
def cloud() -> Iterator[None]:
    with aws():
        yield


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "RSA_2048"])
def test_kms_signs_the_certificate_of_its_own_key(run: Run, spec: str) -> None:
    key = new_key(spec)
    result = run("kms-ca", key, "--organization", "Acme", "--out", "ca.pem", "--years", "5")
    certificate = x509.load_pem_x509_certificate(Path("ca.pem").read_bytes())
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.rfc4514_string().endswith("O=Acme")
    assert f"until {certificate.not_valid_after_utc:%F}" in result.output
    assert f"--signing-key {key}" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("spec", "usage", "want"),
    [
        ("ECC_NIST_P384", "SIGN_VERIFY", "want EC on P-256"),
        ("RSA_2048", "ENCRYPT_DECRYPT", "want one for SIGN_VERIFY"),
    ],
)
def test_another_key_is_refused_and_no_file_is_written(run: Run, spec: str, usage: str, want: str) -> None:
    result = run("kms-ca", new_key(spec, usage), "--organization", "Acme", "--out", "ca.pem", status=2)
    assert want in " ".join(result.output.split())
    assert not Path("ca.pem").exists()


def test_a_name_that_is_no_key_is_refused_before_anything_is_asked(run: Run) -> None:
    result = run("kms-ca", "alias/signer", "--organization", "Acme", "--out", "ca.pem", status=2)
    assert "want the ARN of a key" in " ".join(result.output.split())


def test_a_key_that_does_not_exist_is_reported(run: Run) -> None:
    gone = new_key().rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    result = run("kms-ca", gone, "--organization", "Acme", "--out", "ca.pem", status=1)
    assert "NotFoundException" in result.output


def test_an_existing_file_is_not_replaced(run: Run) -> None:
    Path("ca.pem").write_text("mine")
    run("kms-ca", new_key(), "--organization", "Acme", "--out", "ca.pem", status=1)
    assert Path("ca.pem").read_text() == "mine"
