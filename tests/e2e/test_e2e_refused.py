"""Certificates that may not come in: each leaves a row with its reason, is INACTIVE, and never gets further."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from infra.local.factory import Factory
from lobby.wire import crl_key, trust_bucket
from pki.certificates import load_certificate
from pki.crl import Reason, Record, build_crl
from pki.devices import DevicePaths
from tests.certificates import Issuer, authority, device, fingerprint_of, key, pem_of, subject
from tests.e2e.bare_mqtt import HUNG_UP
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.doors import ACCEPTED, RETRY_SECONDS, knock
from tests.e2e.workbench import Workbench, certid_of, name_of, says

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Paper:
    """A certificate and its key on the disk."""

    certid: str
    pem: str
    certificate: Path
    key: Path


def _issuer(factory: Factory) -> Issuer:
    loaded = factory.authority()
    return Issuer(loaded.intermediate, loaded.key)


def _written(directory: Path, certificate: x509.Certificate) -> Paper:
    paper = Paper(fingerprint_of(pem_of(certificate)), pem_of(certificate), directory / "x.cert", directory / "x.key")
    paper.certificate.write_text(paper.pem)
    secret = key("SECP256R1", 0).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    paper.key.write_bytes(secret)
    return paper


def _good(paths: DevicePaths) -> Paper:
    pem = pem_of(load_certificate(paths.certificate))
    return Paper(certid_of(paths), pem, paths.chain, paths.key)


def _refused(deployed: Deployment, paper: Paper, client_id: str = "x") -> dict[str, object]:
    """Knocks until the ledger has the refusal; then it is out for good."""

    def refused() -> dict[str, object] | None:
        assert knock(deployed, paper.certificate, paper.key, client_id) == HUNG_UP
        found = deployed.device(paper.certid)
        return found if found and found["devstate"] == "refused" else None

    found = until(refused, lambda: deployed.device(paper.certid), every=RETRY_SECONDS)
    until(lambda: deployed.status(paper.certid, deployed.lobby) == "INACTIVE")
    assert knock(deployed, paper.certificate, paper.key, client_id) == HUNG_UP
    return found


CA = [(x509.BasicConstraints(ca=True, path_length=None), True)]


@pytest.mark.parametrize(
    ("build", "reason", "says_why"),
    [
        (lambda issuer: device(issuer, "pump/1", begin=NOW - DAY), "NAME_INVALID", "'pump/1'"),
        (lambda issuer: device(issuer, "#", begin=NOW - DAY), "NAME_INVALID", "'#'"),
        (
            lambda issuer: device(issuer, name=subject((NameOID.ORGANIZATION_NAME, "CN=pump")), begin=NOW - DAY),
            "NAME_MISSING",
            "without CN",
        ),
        (
            lambda issuer: device(
                issuer, name=subject((NameOID.COMMON_NAME, "a"), (NameOID.COMMON_NAME, "b")), begin=NOW - DAY
            ),
            "NAME_DOUBLED",
            "2 CNs",
        ),
        (lambda issuer: device(issuer, "a-ca", begin=NOW - DAY, extensions=CA), "NOT_A_DEVICE", "CA certificate"),
    ],
    ids=["slash", "wildcard", "no-name", "two-names", "ca"],
)
def test_a_certificate_that_names_no_device_is_refused_with_its_reason(
    deployed: Deployment,
    tmp_path: Path,
    build: Callable[[Issuer], x509.Certificate],
    reason: str,
    says_why: str,
) -> None:
    paper = _written(tmp_path, build(_issuer(deployed.local.factory)))
    found = _refused(deployed, paper)
    assert found["reason"] == reason
    assert says_why in str(found["message"])
    assert [entry["event"] for entry in deployed.known(paper.certid)["history"]] == ["refuse"]


@pytest.mark.parametrize(
    ("begin", "end"),
    [(NOW - 9 * DAY, NOW - DAY), (NOW + DAY, NOW + 9 * DAY)],
    ids=["expired", "not-yet"],
)
def test_a_certificate_out_of_its_time_is_hung_up_on_and_leaves_nothing(
    deployed: Deployment, tmp_path: Path, begin: datetime, end: datetime
) -> None:
    paper = _written(tmp_path, device(_issuer(deployed.local.factory), "out-of-time", begin=begin, end=end))
    for _ in range(3):
        assert knock(deployed, paper.certificate, paper.key, "out-of-time") == HUNG_UP
    assert deployed.status(paper.certid, deployed.lobby) is None
    assert deployed.device(paper.certid) is None


@pytest.mark.parametrize("twin", [False, True], ids=["stranger", "twin-of-the-ca"])
def test_a_certificate_of_a_ca_that_is_not_registered_is_hung_up_on_and_leaves_nothing(
    deployed: Deployment, tmp_path: Path, twin: bool
) -> None:
    forged = authority("Somebody else's CA", number=7, begin=NOW - DAY)
    if twin:
        forged = _twin(_issuer(deployed.local.factory).certificate, forged)
    paper = _written(tmp_path, device(forged, "stranger", begin=NOW - DAY))
    for _ in range(3):
        assert knock(deployed, paper.certificate, paper.key, "stranger") == HUNG_UP
    assert deployed.status(paper.certid, deployed.lobby) is None
    assert deployed.device(paper.certid) is None


def _twin(real: x509.Certificate, other: Issuer) -> Issuer:
    """A CA that says of itself what the real one says, with another key."""
    builder = x509.CertificateBuilder(
        issuer_name=real.issuer,
        subject_name=real.subject,
        public_key=other.key.public_key(),
        serial_number=real.serial_number,
        not_valid_before=real.not_valid_before_utc,
        not_valid_after=real.not_valid_after_utc,
        extensions=list(real.extensions),
    )
    return Issuer(builder.sign(other.key, real.signature_hash_algorithm), other.key)  # type: ignore[arg-type]


def test_a_second_certificate_of_the_same_name_is_refused_and_the_first_stays(
    deployed: Deployment, bench: Workbench
) -> None:
    paths = bench.make()
    genuine = bench.power(paths)
    deployed.wait(certid_of(paths), "inlobby")
    second = bench.make(bench.factory("rival"), name_of(paths))
    found = _refused(deployed, _good(second), name_of(paths))
    assert found["reason"] == "NAME_TAKEN"
    assert deployed.status(certid_of(paths), deployed.lobby) == "ACTIVE"
    assert genuine.first("connection_lost") is None
    deployed.claim(certid_of(paths))
    deployed.wait(certid_of(paths), "arrived")


def test_a_certificate_that_its_ca_has_revoked_is_refused(deployed: Deployment, bench: Workbench) -> None:
    factory = bench.factory("careful", registered=False)
    paths = bench.make(factory)
    factory.authority().revoke(load_certificate(paths.certificate), Reason.KEY_COMPROMISE, now=datetime.now(UTC))
    bench.register(factory)
    assert _refused(deployed, _good(paths), name_of(paths))["reason"] == "REVOKED_BY_ISSUER"
    other = bench.make(factory)
    bench.power(other)
    deployed.wait(certid_of(other), "inlobby")


def test_a_refusal_that_was_mended_is_admitted_after_a_retry(deployed: Deployment, bench: Workbench) -> None:
    factory = bench.factory("late")
    ca_id = bench.register(factory)
    ca = factory.authority()
    stale = build_crl(Record(), ca.intermediate, ca.key, now=NOW - 40 * DAY, days=30)
    where = trust_bucket(deployed.lobby.account, deployed.lobby.region)
    deployed.client(deployed.lobby, "s3").put_object(
        Bucket=where, Key=crl_key(ca_id), Body=stale.public_bytes(Encoding.PEM)
    )
    paths = bench.make(factory)
    certid = certid_of(paths)
    deployed.claim(certid)
    device = bench.power(paths)
    refused = deployed.wait(certid, "refused")
    assert refused["reason"] == "CRL_STALE"
    bench.register(factory)  # with a new list
    deployed.retry(certid)
    says(device, "arrived_at_target")
    arrived = deployed.wait(certid, "arrived")
    assert arrived["reason"] is None
    assert [event for event in events(arrived) if event in ("refuse", "retry", "admit")] == ["refuse", "retry", "admit"]
    assert knock(deployed, paths.chain, paths.key, name_of(paths)) == ACCEPTED
