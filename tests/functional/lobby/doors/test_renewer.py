"""The renewer: which devices get a new certificate, repeated requests, and attacks on a renewal."""

from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lobby.aws.kms_signer import KmsKeys
from lobby.domain.identity import Identity
from lobby.domain.renewals.renewal import Renewal, stage_of
from lobby.domain.transitions import ClaimRequest
from lobby.doors.issuing import CertificateIssuer
from lobby.doors.renewal import Renewer, handler
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, parse_target
from lobby.wire import NewCertificate, parse_message
from tests import aws
from tests import certificates as make
from tests.aws import Calls

NAME = ThingName("sensor-1")
BY = "2027-12-22T12:00:00.000Z"
OLD = make.device(make.authority(), NAME)
ONE = make.fingerprint_of(make.pem_of(OLD))
KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]


def request(key: Any = KEYS[0], name: str = NAME) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    return csr.public_bytes(Encoding.PEM).decode()


class IssuingIot:
    """The lobby's AWS IoT with a CA that signs requests. moto does not sign with the request's key."""

    def __init__(self) -> None:
        self.iot, self.issued, self.ca = aws.client("iot"), 0, make.authority("Amazon IoT", number=9)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.iot, name)

    def create_certificate_from_csr(self, certificateSigningRequest: str, setAsActive: bool) -> Any:  # noqa: N803
        assert not setAsActive
        self.issued += 1
        csr = x509.load_pem_x509_csr(certificateSigningRequest.encode())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(self.ca.certificate.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(make.NOW)
            .not_valid_after(make.NOW.replace(year=2049))
            .sign(self.ca.key, SHA256())
        )
        pem = certificate.public_bytes(Encoding.PEM).decode()
        return self.iot.register_certificate_without_ca(certificatePem=pem, status="INACTIVE") | {"certificatePem": pem}


class Door:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.iot = ledger, IssuingIot()
        iot: Any = self.iot
        prefix = f"arn:aws:iot:{aws.HOME.region}:{aws.HOME.account}"
        issuer = CertificateIssuer(iot, KmsKeys(lambda _region: aws.client("kms")))
        self.renewer = Renewer(iot, aws.client("iot-data"), ledger, issuer, "device-lobby-waiting", prefix)
        ledger.admit(Identity(ONE, NAME, make.pem_of(OLD)), "service:bouncer")
        claimed = ledger.claim(ONE, ClaimRequest(parse_target("1" * 12, "eu-west-1")), "user:ann")
        device = ledger.arrive(ledger.commission(claimed, "a.example", "service:commissioner"), "service:arrivals")
        ledger.due(device, BY, "service:reconciler")

    def send(self, csr: object, certid: str = ONE, clientid: str = NAME) -> str:
        return handler({"certid": certid, "devicename": clientid, "csr": csr}, None, self.renewer)["outcome"]

    def answers(self) -> list[NewCertificate]:
        messages = [parse_message(payload) for _, payload in aws.published()]
        return [each for each in messages if isinstance(each, NewCertificate)]

    def status(self, certificate: Fingerprint) -> object:
        return self.iot.describe_certificate(certificateId=certificate)["certificateDescription"]["status"]


@pytest.fixture
def door(ledger: Ledger) -> Door:
    found = Door(ledger)
    aws.published().clear()
    return found


def test_a_device_that_was_asked_gets_a_certificate_for_its_new_key(door: Door) -> None:
    assert door.send(request()) == "renewed"
    device = door.ledger.get(ONE)
    assert device is not None
    assert device.pending is not None
    assert (stage_of(device), door.status(device.pending)) == (Renewal.SIGNED, "ACTIVE")
    [answer] = door.answers()
    assert make.fingerprint_of(answer.pem) == device.pending
    assert answer.generation == device.generation


def test_the_same_request_gets_the_same_certificate(door: Door) -> None:
    assert [door.send(request()), door.send(request())] == ["renewed", "sent again"]
    first, second = door.answers()
    assert (first, door.iot.issued) == (second, 1)


def test_another_region_sends_the_certificate_that_the_first_one_has_issued(door: Door) -> None:
    door.send(request())
    first = door.ledger.get(ONE)
    elsewhere = boto3.client("iot", region_name="ap-southeast-2")
    elsewhere.create_policy(policyName="device-lobby-waiting", policyDocument="{}")
    issuer = CertificateIssuer(elsewhere, KmsKeys(lambda _region: aws.client("kms")))
    arn = f"arn:aws:iot:ap-southeast-2:{aws.HOME.account}"
    data = aws.client("iot-data")
    door.renewer = Renewer(elsewhere, data, door.ledger, issuer, "device-lobby-waiting", arn)
    assert door.send(request()) == "sent again"
    assert door.ledger.get(ONE) == first
    assert first is not None
    assert first.pending is not None
    found = elsewhere.describe_certificate(certificateId=first.pending)["certificateDescription"]
    assert found["status"] == "ACTIVE"
    assert {make.fingerprint_of(each.pem) for each in door.answers()} == {first.pending}


def test_a_device_that_has_lost_its_new_key_gets_another_certificate(door: Door) -> None:
    door.send(request())
    assert door.send(request(KEYS[1])) == "renewed"
    device = door.ledger.get(ONE)
    assert device is not None
    assert len(device.retiring) == 1


def test_an_interruption_after_the_record_is_repaired_by_the_next_request(door: Door, calls: Calls) -> None:
    calls.fails["AttachPolicy"] = RuntimeError("interrupted")
    with pytest.raises(RuntimeError):
        door.send(request())
    del calls.fails["AttachPolicy"]
    assert door.send(request()) == "sent again"
    device = door.ledger.get(ONE)
    assert device is not None
    assert device.pending is not None
    assert (door.status(device.pending), door.iot.issued) == ("ACTIVE", 1)


@pytest.mark.parametrize(
    ("csr", "outcome"),
    [
        pytest.param(request(name="sensor-2"), "CSR_OTHER_NAME", id="another CN"),
        pytest.param("nothing", "INVALID_CSR", id="no request"),
        pytest.param(None, "INVALID_CSR", id="nothing"),
        pytest.param({"csr": 1}, "INVALID_CSR", id="an object"),
    ],
)
def test_a_request_that_breaks_a_rule_gets_no_certificate(door: Door, csr: object, outcome: str) -> None:
    assert door.send(csr) == outcome
    assert (door.answers(), door.iot.issued) == ([], 0)


def test_the_key_in_use_cannot_be_renewed(door: Door) -> None:
    assert door.send(request(make.key("SECP256R1"))) == "CSR_KEY_REUSED"


def test_a_replayed_request_gets_nothing_after_the_renewal(door: Door) -> None:
    door.send(request())
    device = door.ledger.get(ONE)
    assert device is not None
    new = str(device.pending)
    device = door.ledger.commission(device, "a.example", "service:commissioner")
    device = door.ledger.arrive(device, "service:arrivals")
    assert [door.send(request()), door.send(request(), certid=new)] == ["replaced", "NOT_DUE"]
    door.ledger.due(device, BY, "service:reconciler")
    assert door.send(request(), certid=new) == "CSR_KEY_REUSED"


def test_a_revoked_device_gets_nothing(door: Door) -> None:
    door.ledger.revoke(ONE, "stolen", "user:ann")
    assert door.send(request()) == "NOT_DUE"


def test_a_device_that_was_not_asked_gets_nothing(door: Door) -> None:
    door.ledger.release(ONE, "user:ann")
    assert door.send(request()) == "NOT_DUE"


def test_a_device_cannot_renew_for_another_device(door: Door) -> None:
    assert door.send(request(), clientid="sensor-2") == "mistaken"
    assert door.send(request(), certid="2b" * 32) == "unknown"
    assert door.send(request(), certid="*") == "unknown"
