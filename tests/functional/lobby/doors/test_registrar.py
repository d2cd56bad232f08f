"""The registrar: claim certificates in AWS IoT and in the ledger, and unused certificates."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from moto.iot.models import iot_backends

from lobby.contracts.claim_certificates import AddClaimCertificate, AddedClaimCertificate
from lobby.domain.enrolments.claim_certificate import CertificateActivity, Source
from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentEvent, Match
from lobby.doors import registrar
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from lobby.ledger.progress import read_progress
from lobby.names import EnrolmentName, Fingerprint
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock, CutOff
from tests.functional.lobby.claim_door import AMAZON, KEYS_POLICY, POLICY, PUMPS, ClaimDoor, claim_pem, device_pem


@pytest.fixture
def door(calls: Calls, clock: Clock) -> ClaimDoor:
    opened = ClaimDoor(calls, clock)
    opened.enrol(limit=5)
    return opened


def request(number: int = 0) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(make.named("pumps claim"))
    signed = builder.sign(make.key("SECP256R1", 60 + number), SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def signed_by_aws(door: ClaimDoor, parameters: dict[str, Any]) -> dict[str, Any]:
    """Answer CreateCertificateFromCsr as AWS does; moto's certificate is not one of its key."""
    csr = x509.load_pem_x509_csr(parameters["certificateSigningRequest"].encode())
    number = next(each for each in range(30) if make.key("SECP256R1", 60 + each).public_key() == csr.public_key())
    pem = make.pem_of(make.device(AMAZON, "pumps claim", number=60 + number, serial=7000 + number))
    status = "ACTIVE" if parameters["setAsActive"] else "INACTIVE"
    with door.calls.uncounted():
        answer: dict[str, Any] = door.iot.register_certificate_without_ca(certificatePem=pem, status=status)
    return {**answer, "certificatePem": pem}


def issue(door: ClaimDoor, number: int = 0) -> AddedClaimCertificate:
    door.calls.instead["CreateCertificateFromCsr"] = lambda parameters, _call: signed_by_aws(door, parameters)
    return door.claims.add(AddClaimCertificate(PUMPS, "user:ann", request(number)))


def policies(certid: Fingerprint) -> set[str]:
    arn = f"arn:aws:iot:{aws.REGION}:{aws.LOBBY}:cert/{certid}"
    return {each["policyName"] for each in aws.client("iot").list_attached_policies(target=arn)["policies"]}


def test_aws_iot_issues_a_claim_certificate_for_a_request(door: ClaimDoor) -> None:
    added = issue(door)
    claim = door.claim(added.certid)
    assert (claim.enrolment, claim.source, claim.activity) == (PUMPS, Source.ISSUED, CertificateActivity.ACTIVE)
    assert claim.expires == "2027-11-22T12:00:00.000Z"
    assert (aws.status(added.certid), policies(added.certid)) == ("ACTIVE", {POLICY})
    assert EnrolmentEvent.CERTIFIED in [each.event for each in door.enrolments.history(PUMPS)]


def test_a_request_with_the_same_key_gets_the_same_certificate(door: ClaimDoor) -> None:
    assert issue(door) == issue(door)
    assert issue(door, 1) != issue(door)
    assert len(ClaimCertificates().of(PUMPS)) == 2


def test_a_supplied_certificate_is_registered(door: ClaimDoor) -> None:
    certid = door.add_claim(pem=claim_pem(days=2))
    assert (aws.status(certid), policies(certid)) == ("ACTIVE", {POLICY})
    assert door.add_claim(pem=claim_pem(days=2)) == certid
    assert door.claim(certid).expires == "2026-11-24T12:00:00.000Z"


def test_keys_by_aws_iot_need_another_policy(door: ClaimDoor) -> None:
    assert policies(door.add_claim(creates_keys=True)) == {POLICY, KEYS_POLICY}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "INVALID_CERTIFICATE"),
    "both": ({"csr": request(), "pem": claim_pem()}, "INVALID_CERTIFICATE"),
    "not PEM": ({"pem": "hello"}, "INVALID_CERTIFICATE"),
    "a CA": ({"pem": AMAZON.pem}, "INVALID_CERTIFICATE"),
    "expired": ({"pem": claim_pem(days=-1 + 0)}, "INVALID_CERTIFICATE"),
    "a request as certificate": ({"pem": request()}, "INVALID_CERTIFICATE"),
    "a certificate as request": ({"csr": claim_pem()}, "INVALID_CSR"),
    "a long request": ({"csr": request() + "x" * 5000}, "INVALID_CSR"),
}


@pytest.mark.parametrize("case", BAD)
def test_wrong_input_is_rejected_and_changes_nothing(door: ClaimDoor, case: str) -> None:
    entered, code = BAD[case]
    with pytest.raises(InvalidInput) as error:
        door.claims.add(AddClaimCertificate(PUMPS, "user:ann", **entered))
    assert error.value.code == code
    assert ClaimCertificates().all() == []


def test_a_request_that_aws_iot_does_not_sign_is_rejected(door: ClaimDoor) -> None:
    refused = {"Error": {"Code": "InvalidRequestException", "Message": "CSR violates constraints"}}
    door.calls.fails["CreateCertificateFromCsr"] = ClientError(refused, "CreateCertificateFromCsr")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="INVALID_CSR"):
        door.claims.add(AddClaimCertificate(PUMPS, "user:ann", request()))


def test_the_certificate_of_a_device_is_no_claim_certificate(door: ClaimDoor) -> None:
    assert door.provision(door.add_claim())
    with pytest.raises(Conflict, match="CERTIFICATE_IN_USE"):
        door.add_claim(pem=device_pem("pump-1"))


def test_a_certificate_that_aws_iot_has_for_something_else_is_refused(door: ClaimDoor) -> None:
    door.issue(claim_pem(3))
    with pytest.raises(Conflict, match="CERTIFICATE_IN_USE"):
        door.add_claim(number=3)
    assert aws.status(make.fingerprint_of(claim_pem(3))) == "PENDING_ACTIVATION"


def test_a_claim_certificate_has_one_enrolment(door: ClaimDoor) -> None:
    door.add_claim()
    door.enrol("others", limit=1)
    with pytest.raises(Conflict, match="CERTIFICATE_IN_USE"):
        door.add_claim("others")


def test_another_door_has_no_claim_certificates(door: ClaimDoor) -> None:
    valves = Enrolment(EnrolmentName("valves"), Door.REGISTRATION, Match(ca=Fingerprint("a" * 64)), "a", door.now())
    door.enrolments.create(valves)
    with pytest.raises(Conflict, match="WRONG_DOOR"):
        door.add_claim("valves")
    with pytest.raises(NotFound, match="UNKNOWN_ENROLMENT"):
        door.add_claim("none")


@pytest.mark.parametrize("event", [EnrolmentEvent.PAUSED, EnrolmentEvent.REVOKED])
def test_the_state_of_the_enrolment_deactivates_its_claim_certificates_and_nothing_else(
    door: ClaimDoor, event: EnrolmentEvent
) -> None:
    claim = door.add_claim()
    assert door.provision(claim)
    door.enrol("others", limit=1)
    other, before = door.add_claim("others", 1), door.device()
    door.claims.align(door.enrolments.set_state(PUMPS, event, "user:ann"))
    assert (aws.status(claim), door.claim(claim).activity) == ("INACTIVE", CertificateActivity.INACTIVE)
    assert (aws.status(other), aws.status(make.fingerprint_of(device_pem("pump-1")))) == ("ACTIVE", "ACTIVE")
    assert door.device() == before


def test_resuming_an_enrolment_activates_its_claim_certificates(door: ClaimDoor) -> None:
    claim = door.add_claim()
    for event in (EnrolmentEvent.PAUSED, EnrolmentEvent.RESUMED):
        door.claims.align(door.enrolments.set_state(PUMPS, event, "user:ann"))
    assert aws.status(claim) == "ACTIVE"


def test_the_timer_deactivates_the_claim_certificates_of_an_enrolment_that_has_ended(
    door: ClaimDoor, clock: Clock
) -> None:
    door.enrol("short", limit=1, ends="2026-11-23T12:00:00.000Z")
    claim = door.add_claim("short", 1)
    clock.advance(days=1)
    door.run()
    assert aws.status(claim) == "INACTIVE"


def test_a_certificate_that_an_administrator_has_deactivated_stays_inactive(door: ClaimDoor) -> None:
    claim = door.add_claim()
    door.iot.update_certificate(certificateId=claim, newStatus="INACTIVE")
    door.run()
    assert aws.status(claim) == "INACTIVE"


def test_a_revoked_claim_certificate_stays_revoked(door: ClaimDoor) -> None:
    claim = door.add_claim()
    door.claims.revoke(claim, "user:ann")
    door.claims.revoke(claim, "user:bob")
    door.run()
    assert (aws.status(claim), door.claim(claim).activity) == ("INACTIVE", CertificateActivity.INACTIVE)
    assert [each.event for each in door.enrolments.history(PUMPS)].count(EnrolmentEvent.UNCERTIFIED) == 1
    with pytest.raises(Conflict, match="CERTIFICATE_IN_USE"):
        door.add_claim()


@pytest.mark.parametrize("supplied", [True, False])
def test_an_interrupted_addition_can_be_repeated_at_every_step(door: ClaimDoor, supplied: bool) -> None:
    door.calls.instead["CreateCertificateFromCsr"] = lambda parameters, _call: signed_by_aws(door, parameters)
    for step in range(1, 20):
        pem = claim_pem(step) if supplied else None
        wanted = AddClaimCertificate(PUMPS, "user:ann", None if supplied else request(step), pem)
        door.calls.forget()
        door.calls.cut_before = step
        try:
            done = door.claims.add(wanted).certid
        except CutOff:
            done = None
        door.calls.cut_before = None
        known = len(ClaimCertificates().all())
        certid = door.claims.add(wanted).certid
        assert (aws.status(certid), policies(certid)) == ("ACTIVE", {POLICY})
        assert len(ClaimCertificates().all()) in (known, step)
        if done is not None:
            assert done == certid
            break
    assert step > 5
    assert all(each.activity is CertificateActivity.ACTIVE for each in ClaimCertificates().all())


def test_claim_certificates_that_expire_soon_are_reported(door: ClaimDoor, clock: Clock) -> None:
    door.add_claim(pem=claim_pem(days=40))
    door.add_claim(number=1)
    assert door.run()["ClaimCertificatesExpiring"] == 0
    clock.advance(days=11)
    assert door.run()["ClaimCertificatesExpiring"] == 1
    door.claims.align(door.enrolments.set_state(PUMPS, EnrolmentEvent.PAUSED, "user:ann"))
    assert door.run()["ClaimCertificatesExpiring"] == 0


class Remaining:
    """A Lambda's context."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 100_000


def test_the_lambda_serves_the_timer_and_the_api(door: ClaimDoor, capsys: pytest.CaptureFixture[str]) -> None:
    add = AddClaimCertificate(PUMPS, "user:ann", None, claim_pem()).encode()
    assert registrar.handler(add, None, door.service)["certid"] == make.fingerprint_of(claim_pem())
    refused = registrar.handler({**add, "enrolment": "none"}, None, door.service)
    assert refused["refused"]["code"] == "UNKNOWN_ENROLMENT"
    registrar.handler({"operation": "run"}, Remaining(), door.service)
    assert '"ClaimCertificatesExpiring":[0.0]' in capsys.readouterr().out.replace(" ", "")


# Unused certificates


def unused(door: ClaimDoor, cn: str) -> Fingerprint:
    """Issue a certificate without using it."""
    return door.issue(device_pem(cn, 9))


def test_unused_certificates_are_deleted_after_an_hour(door: ClaimDoor, clock: Clock) -> None:
    claim = door.add_claim()
    refused = make.fingerprint_of(device_pem("pump-9", 4))
    assert not door.provision(Fingerprint("a" * 64), "pump-9", 4)
    assert door.provision(claim)
    left = unused(door, "unused")
    for certid in (left, refused, claim, make.fingerprint_of(device_pem("pump-1"))):
        created(door, certid, clock)
    assert door.run()["UnusedCertificatesDeleted"] == 0
    clock.advance(hours=1, seconds=1)
    assert door.run()["UnusedCertificatesDeleted"] == 2
    left_over = {each["certificateId"] for each in door.iot.list_certificates()["certificates"]}
    assert left_over == {claim, make.fingerprint_of(device_pem("pump-1"))}
    assert read_progress("registrar")["eu-west-1"]["cleaned"] == "2026-11-22T12:00:01.000Z"


def created(door: ClaimDoor, certid: Fingerprint, clock: Clock) -> None:
    """Set the creation time of moto's certificate to the test's clock."""
    iot_backends[aws.LOBBY][aws.REGION].certificates[certid].creation_date = clock()


def test_a_pending_certificate_of_a_registered_ca_stays(door: ClaimDoor, clock: Clock) -> None:
    ca = door.iot.register_ca_certificate(caCertificate=AMAZON.pem, setAsActive=True)["certificateId"]
    pem = device_pem("pump-1")
    certid = Fingerprint(
        door.iot.register_certificate(certificatePem=pem, caCertificatePem=AMAZON.pem, status="PENDING_ACTIVATION")[
            "certificateId"
        ]
    )
    assert ca
    created(door, certid, clock)
    clock.advance(hours=3)
    assert door.run()["UnusedCertificatesDeleted"] == 0
    assert aws.status(certid) == "PENDING_ACTIVATION"


def test_a_run_without_time_continues_later(door: ClaimDoor, clock: Clock) -> None:
    created(door, unused(door, "unused"), clock)
    clock.advance(hours=2)
    assert door.run(lambda: True)["UnusedCertificatesDeleted"] == 0
    assert door.run()["UnusedCertificatesDeleted"] == 1
    assert door.run()["UnusedCertificatesDeleted"] == 0
