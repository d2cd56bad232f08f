"""Certificates that may not come in, and what becomes of others meanwhile: whose name they wanted, who shares their CA,
or who was only late. The table of all ways to be refused is `test_e2e_hostile.py`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from lobby.wire import crl_key, trust_bucket
from pki.certificates import load_certificate
from pki.crl import Reason, Record, build_crl
from pki.devices import DevicePaths
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
    certificate: Path
    key: Path


def _good(paths: DevicePaths) -> Paper:
    return Paper(certid_of(paths), paths.chain, paths.key)


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


def test_a_second_certificate_of_the_same_name_is_refused_and_the_first_stays(
    deployed: Deployment, bench: Workbench
) -> None:
    paths = bench.make()
    genuine = bench.power(paths)
    deployed.wait(certid_of(paths), "inlobby")
    second = bench.make(bench.manufacturer("rival"), name_of(paths))
    found = _refused(deployed, _good(second), name_of(paths))
    assert found["reason"] == "NAME_TAKEN"
    assert deployed.status(certid_of(paths), deployed.lobby) == "ACTIVE"
    assert genuine.first("connection_lost") is None
    deployed.claim(certid_of(paths))
    deployed.wait(certid_of(paths), "arrived")


def test_a_certificate_that_its_ca_has_revoked_is_refused(deployed: Deployment, bench: Workbench) -> None:
    manufacturer = bench.manufacturer("careful", registered=False)
    paths = bench.make(manufacturer)
    manufacturer.authority().revoke(load_certificate(paths.certificate), Reason.KEY_COMPROMISE, now=datetime.now(UTC))
    bench.register(manufacturer)
    assert _refused(deployed, _good(paths), name_of(paths))["reason"] == "REVOKED_BY_ISSUER"
    other = bench.make(manufacturer)
    bench.power(other)
    deployed.wait(certid_of(other), "inlobby")


def test_a_refusal_that_was_mended_is_admitted_after_a_retry(deployed: Deployment, bench: Workbench) -> None:
    manufacturer = bench.manufacturer("late")
    ca_id = bench.register(manufacturer)
    ca = manufacturer.authority()
    stale = build_crl(Record(), ca.intermediate, ca.key, now=NOW - 40 * DAY, days=30)
    where = trust_bucket(deployed.lobby.account, deployed.lobby.region)
    deployed.client(deployed.lobby, "s3").put_object(
        Bucket=where, Key=crl_key(ca_id), Body=stale.public_bytes(Encoding.PEM)
    )
    paths = bench.make(manufacturer)
    certid = certid_of(paths)
    deployed.claim(certid)
    device = bench.power(paths)
    refused = deployed.wait(certid, "refused")
    assert refused["reason"] == "CRL_STALE"
    bench.register(manufacturer)  # with a new list
    deployed.retry(certid)
    says(device, "arrived_at_target")
    arrived = deployed.wait(certid, "arrived")
    assert arrived["reason"] is None
    assert [event for event in events(arrived) if event in ("refuse", "retry", "admit")] == ["refuse", "retry", "admit"]
    assert knock(deployed, paths.chain, paths.key, name_of(paths)) == ACCEPTED
