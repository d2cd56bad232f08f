"""An enrolment whose own CA, with its key in KMS, signs: devices at the door `token`, and those that renew."""

from dataclasses import replace

import pytest
from cryptography import x509

from lobby.aws.kms_signer import KmsKeys
from lobby.domain.renewals.renewal import Renewal, stage_of
from lobby.domain.signer import SIGNER_UNAVAILABLE, Signer
from lobby.domain.transitions import ClaimRequest
from lobby.doors.issuing import CertificateIssuer
from lobby.doors.renewal import Renewer, handler
from lobby.ledger.store import Ledger
from lobby.names import EnrolmentName
from lobby.wire import NewCertificate, parse_message
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.lobby.enrolled_lobby import PUMPS, A
from tests.functional.lobby.kms_ca import KmsCa, new_kms_ca
from tests.functional.lobby.vending_door import VendingLobby

BY = "2027-12-22T12:00:00.000Z"


class OwnCa:
    """A lobby with an enrolment that names a signer, and a device of it."""

    def __init__(self, calls: Calls, clock: Clock, ledger: Ledger) -> None:
        self.lobby, self.calls = VendingLobby(calls, clock, ledger), calls
        with calls.uncounted():
            self.ca: KmsCa = new_kms_ca()
        self.lobby.enrol_pumps(signer=self.ca.signer)
        issuer = CertificateIssuer(self.lobby.iot, KmsKeys(lambda _region: aws.client("kms")), clock)
        prefix = f"arn:aws:iot:{aws.HOME.region}:{aws.HOME.account}"
        self.renewer = Renewer(self.lobby.iot, aws.client("iot-data"), ledger, issuer, aws.WAITING_POLICY, prefix)

    def is_issuer_of(self, pem: str) -> bool:
        issuer = x509.load_pem_x509_certificate(self.ca.pem.encode())
        return x509.load_pem_x509_certificate(pem.encode()).issuer == issuer.subject

    def disable(self) -> None:
        with self.calls.uncounted():
            self.ca.disable()

    def change(self, signer: Signer | None) -> None:
        self.lobby.enrolments.set_limits(EnrolmentName(PUMPS), lambda each: replace(each, signer=signer), "user:ann")

    def due(self, pem: str) -> None:
        """The device is in its target, and is to renew."""
        ledger, device = self.lobby.ledger, self.lobby.vended(pem)
        claimed = ledger.claim(device.certid, ClaimRequest(A), "user:ann")
        arrived = ledger.arrive(ledger.commission(claimed, "a.example", "service:commissioner"), "service:arrivals")
        ledger.due(arrived, BY, "service:reconciler")

    def renew(self, pem: str, key: int = 8) -> str:
        event = {"certid": make.fingerprint_of(pem), "devicename": "pump-1", "csr": make.signing_request("pump-1", key)}
        return handler(event, None, self.renewer)["outcome"]

    def refused(self) -> int:
        return self.lobby.enrolments.refusals().get(EnrolmentName(PUMPS), {}).get(SIGNER_UNAVAILABLE, 0)


@pytest.fixture
def own(calls: Calls, clock: Clock, ledger: Ledger) -> OwnCa:
    return OwnCa(calls, clock, ledger)


def test_a_device_with_a_token_gets_a_certificate_of_the_enrolments_ca(own: OwnCa) -> None:
    pem = own.lobby.register(own.lobby.token()).pem
    assert own.is_issuer_of(pem)
    assert aws.status(make.fingerprint_of(pem)) == "ACTIVE"
    assert own.calls.of("CreateCertificateFromCsr") == []


def test_the_same_request_gets_the_same_certificate(own: OwnCa) -> None:
    token = own.lobby.token()
    first = own.lobby.register(token).pem
    assert own.lobby.register(token).pem == first
    assert len(own.calls.of("Sign")) == 1


def test_a_device_without_a_request_gets_nothing(own: OwnCa) -> None:
    answer = own.lobby.register(own.lobby.token(), key=None)
    assert (answer.status, answer.code) == (400, "CSR_REQUIRED")
    assert own.calls.of("CreateKeysAndCertificate") == []


def test_a_disabled_key_refuses_the_device_and_the_enrolment_counts_it(own: OwnCa) -> None:
    own.disable()
    token = own.lobby.token()
    answer = own.lobby.register(token)
    assert (answer.status, answer.code, own.refused()) == (503, SIGNER_UNAVAILABLE, 1)
    assert own.ca.arn not in str(answer.body), "the device gets no names of keys"
    assert own.lobby.uses(token) == (0, 0)
    assert aws.registry()["certificates"] == {}


def test_a_device_that_renews_gets_a_certificate_of_the_enrolments_ca(own: OwnCa) -> None:
    pem = own.lobby.register(own.lobby.token()).pem
    own.due(pem)
    assert own.renew(pem) == "renewed"
    [answer] = [each for _, payload in aws.published() if isinstance(each := parse_message(payload), NewCertificate)]
    assert own.is_issuer_of(answer.pem)
    device = own.lobby.vended(pem)
    assert (device.pending, stage_of(device)) == (make.fingerprint_of(answer.pem), Renewal.SIGNED)
    assert device.pending_expires == f"{make.NOW + make.YEAR:%F}"


def test_a_device_that_joined_before_its_enrolment_had_a_signer_renews_with_it(own: OwnCa) -> None:
    own.change(None)
    pem = own.lobby.register(own.lobby.token()).pem
    assert not own.is_issuer_of(pem)
    own.change(own.ca.signer)
    own.due(pem)
    assert own.renew(pem) == "renewed"
    assert own.calls.of("Sign")


def test_a_disabled_key_renews_nothing_until_it_is_enabled(own: OwnCa) -> None:
    pem = own.lobby.register(own.lobby.token()).pem
    own.due(pem)
    own.disable()
    assert (own.renew(pem), own.refused()) == (SIGNER_UNAVAILABLE, 1)
    assert own.lobby.vended(pem).pending is None
    own.ca.enable()
    assert own.renew(pem) == "renewed"
