"""Claim certificates: accepted certificates, when they are active, and the rules of enrolments at this door."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.domain.enrolments.claim_certificate import ClaimCertificate, ClaimState, Source, is_expiring, state_of
from lobby.domain.enrolments.claim_rules import certificate_entered, key_of_request
from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentState, Match, Repeat
from lobby.domain.enrolments.enrolment_rules import (
    MatchInput,
    parse_door,
    parse_match,
    parse_repeat,
    require_bound,
    require_door,
)
from lobby.errors import Conflict, InvalidInput
from lobby.names import EnrolmentName, Fingerprint
from tests import certificates as make

CA = make.authority()
AT = "2026-11-22T12:00:00.000Z"
LATER = "2027-11-22T12:00:00.000Z"
PUMPS = Enrolment(EnrolmentName("pumps"), Door.CLAIM, Match(), "user:ann", AT, limit=5, repeat=Repeat.REFUSE)
CLAIM = ClaimCertificate(Fingerprint("a" * 64), PUMPS.name, LATER, Source.ISSUED, "user:ann", AT)

STATES: dict[str, tuple[ClaimCertificate, Enrolment, ClaimState]] = {
    "in use": (CLAIM, PUMPS, ClaimState.ACTIVE),
    "full": (CLAIM, replace(PUMPS, admitted=5), ClaimState.ACTIVE),
    "not started": (CLAIM, replace(PUMPS, starts=LATER), ClaimState.ACTIVE),
    "paused": (CLAIM, replace(PUMPS, state=EnrolmentState.PAUSED), ClaimState.INACTIVE),
    "revoked enrolment": (CLAIM, replace(PUMPS, state=EnrolmentState.REVOKED), ClaimState.INACTIVE),
    "ended": (CLAIM, replace(PUMPS, ends=AT), ClaimState.INACTIVE),
    "expired": (replace(CLAIM, expires=AT), PUMPS, ClaimState.EXPIRED),
    "revoked": (replace(CLAIM, revokedat=AT, expires=AT), PUMPS, ClaimState.REVOKED),
}


@pytest.mark.parametrize("case", STATES)
def test_a_claim_certificate_is_active_while_its_enrolment_can_admit(case: str) -> None:
    certificate, enrolment, state = STATES[case]
    assert state_of(certificate, enrolment, AT) is state


def test_only_a_certificate_in_use_is_reported_before_it_expires() -> None:
    soon = replace(CLAIM, expires="2026-12-01T00:00:00.000Z")
    assert is_expiring(soon, PUMPS, AT, "2026-12-22T12:00:00.000Z")
    assert not is_expiring(CLAIM, PUMPS, AT, "2026-12-22T12:00:00.000Z")
    assert not is_expiring(soon, replace(PUMPS, state=EnrolmentState.PAUSED), AT, "2026-12-22T12:00:00.000Z")


def test_any_certificate_that_permits_client_authentication_can_be_supplied() -> None:
    pem = make.pem_of(make.device(CA, name=make.subject()))
    assert certificate_entered(pem, make.NOW) == (make.fingerprint_of(pem), LATER)


HOSTILE: dict[str, str] = {
    "nothing": "",
    "text": "hello",
    "a CA": CA.pem,
    "two": make.pem_of(make.device(CA)) * 2,
    "expired": make.pem_of(make.device(CA, end=make.NOW - make.DAY / 2)),
    "not yet valid": make.pem_of(make.device(CA, begin=make.NOW + make.DAY)),
    "a weak key": make.pem_of(make.device(CA, kind="rsa-1024")),
    "another curve": make.pem_of(make.device(CA, kind="SECP256K1")),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_certificate_that_cannot_be_used_is_rejected(case: str) -> None:
    with pytest.raises(InvalidInput) as error:
        certificate_entered(HOSTILE[case], make.NOW)
    assert error.value.code == "INVALID_CERTIFICATE"


def request(number: int = 0, cn: str = "pumps") -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(make.named(cn))
    return builder.sign(make.key("SECP256R1", number), SHA256()).public_bytes(Encoding.PEM).decode()


def test_requests_with_one_key_are_recognised() -> None:
    assert key_of_request(request()) == key_of_request(f"\n{request(cn='other')}\n")
    assert key_of_request(request()) != key_of_request(request(1))


def forged() -> str:
    """Return a request whose signature was made for another subject."""
    good = x509.load_pem_x509_csr(request().encode()).public_bytes(Encoding.DER)
    return make.pem_of_der(good.replace(b"pumps", b"pumpz")).replace("CERTIFICATE", "CERTIFICATE REQUEST")


@pytest.mark.parametrize(
    "csr",
    ["", "hello", CA.pem, request()[:100], "x" * 5000, forged()],
    ids=["empty", "text", "certificate", "cut off", "too long", "forged"],
)
def test_a_request_that_cannot_be_read_is_rejected(csr: str) -> None:
    with pytest.raises(InvalidInput) as error:
        key_of_request(csr)
    assert error.value.code == "INVALID_CSR"


def test_the_door_claim_needs_no_condition_and_takes_none_about_the_certificate() -> None:
    assert parse_match(MatchInput(), Door.CLAIM) == Match()
    assert parse_match(MatchInput(listed=True), Door.CLAIM) == Match(listed=True)
    for entered in (MatchInput(ca="a" * 64), MatchInput(subject=[("O", "Acme")])):
        with pytest.raises(InvalidInput, match="INVALID_MATCH"):
            parse_match(entered, Door.CLAIM)
    with pytest.raises(InvalidInput, match="INVALID_MATCH"):
        parse_match(MatchInput())


def test_a_shared_key_needs_a_limit_or_a_list() -> None:
    require_bound(Door.CLAIM, Match(listed=True), None)
    require_bound(Door.CLAIM, Match(), 1)
    require_bound(Door.REGISTRATION, Match(), None)
    with pytest.raises(InvalidInput, match="INVALID_LIMIT"):
        require_bound(Door.CLAIM, Match(), None)


def test_a_second_key_is_refused_unless_the_user_decides_otherwise() -> None:
    assert parse_repeat(None, Door.CLAIM) is Repeat.REFUSE
    assert parse_repeat("ask", Door.CLAIM) is Repeat.ASK
    assert parse_repeat(None, Door.REGISTRATION) is None
    for text, door in (("never", Door.CLAIM), ("refuse", Door.REGISTRATION)):
        with pytest.raises(InvalidInput, match="INVALID_REPEAT"):
            parse_repeat(text, door)


def test_an_unknown_door_is_rejected() -> None:
    assert parse_door("claim") is Door.CLAIM
    with pytest.raises(InvalidInput, match="INVALID_DOOR"):
        parse_door("window")


def test_other_doors_have_no_claim_certificates() -> None:
    require_door(PUMPS, Door.CLAIM)
    with pytest.raises(Conflict, match="WRONG_DOOR"):
        require_door(replace(PUMPS, door=Door.REGISTRATION), Door.CLAIM)
