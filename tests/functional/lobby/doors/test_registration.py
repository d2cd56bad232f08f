"""Just-in-time registration: which certificates are admitted, which are refused, and in which order."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.x509.oid import NameOID

from lobby.domain.changes import Chosen, Quarantine
from lobby.domain.identity import Identity
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, parse_target
from lobby.wire import crl_key
from tests import aws
from tests import certificates as make
from tests.aws import BUCKET, REGION, WAITING_POLICY, Calls, Clock
from tests.functional.lobby.registration_door import CA, EVENT, GOOD, RegistrationDoor

GOOD_ID = make.fingerprint_of(GOOD)


TARGET = parse_target("1" * 12, "eu-west-1")


WARM = [
    "DescribeCertificate",
    "TransactWriteItems",
    "CreateThing",
    "AttachThingPrincipal",
    "AttachPolicy",
    "UpdateCertificate",
]


COLD = [WARM[0], "DescribeCACertificate", "GetObject", "Query", *WARM[1:]]
"""The query reads the enrolments."""


REFUSAL = [*COLD[:3], "TransactWriteItems", "UpdateCertificate"]


OTHER_CA = make.authority(number=1)


HOUR = timedelta(hours=1)


@pytest.fixture
def door(calls: Calls, clock: Clock) -> RegistrationDoor:
    return RegistrationDoor(calls, clock)


def state(certid: Fingerprint) -> tuple[str, str | None]:
    """Return the row's state and reason."""
    row = aws.item(certid) or {}
    return row["devstate"]["S"], row.get("reason", {}).get("S")


def test_a_good_certificate_is_admitted_with_its_thing_and_policy(door: RegistrationDoor, ledger: Ledger) -> None:
    assert door.deliver(door.first_connection()) == "admitted"
    registry = aws.registry()
    arn = f"arn:aws:iot:{REGION}:{aws.LOBBY}:cert/{GOOD_ID}"
    assert registry == {
        "certificates": {GOOD_ID: "ACTIVE"},
        "things": {"sensor-1": {}},
        "principals": [(arn, "sensor-1")],
        "policies": [(arn, WAITING_POLICY)],
    }
    device = ledger.get(GOOD_ID)
    assert device is not None
    assert (device.devstate, device.devicename, device.certified) == (State.KNOCKING, "sensor-1", True)
    assert ledger.certificate(device) == GOOD
    assert "devicecert" not in (aws.item(GOOD_ID) or {})


def test_the_row_is_written_before_the_certificate_is_activated(door: RegistrationDoor) -> None:
    door.deliver(door.first_connection())
    assert door.calls.names() == COLD
    assert COLD.index("TransactWriteItems") < COLD.index("UpdateCertificate")


def test_the_ca_and_its_list_are_cached_for_some_minutes(door: RegistrationDoor) -> None:
    door.deliver(door.first_connection())
    door.calls.forget()
    door.deliver(door.first_connection(make.pem_of(make.device(CA, "sensor-2", number=2))))
    assert door.calls.names() == WARM
    door.clock.advance(minutes=6)
    door.calls.forget()
    door.deliver(door.first_connection(make.pem_of(make.device(CA, "sensor-3", number=3))))
    assert door.calls.names() == COLD


def test_a_certificate_that_was_claimed_before_needs_the_commissioner(door: RegistrationDoor, ledger: Ledger) -> None:
    with door.calls.uncounted():
        ledger.claim(GOOD_ID, ClaimRequest(TARGET), "user:ann")
    assert door.deliver(door.first_connection()) == "admitted"
    row = aws.item(GOOD_ID) or {}
    assert row["devstate"] == {"S": "claimed"}
    assert row["turn"]["S"].startswith("commissioner#")
    assert aws.status(GOOD_ID) == "ACTIVE"


REFUSED = {
    "EXPIRED": make.pem_of(make.device(CA, end=make.NOW - HOUR)),
    "NOT_YET_VALID": make.pem_of(make.device(CA, begin=make.NOW + HOUR)),
    "UNTRUSTED_CHAIN": make.pem_of(make.device(make.authority("Unknown CA", number=4))),
    "SIGNATURE_INVALID": make.pem_of(make.device(OTHER_CA)),
    "WEAK_KEY": make.pem_of(make.device(CA, kind="rsa-1024")),
    "NOT_A_DEVICE": make.authority("Sub CA", parent=CA, number=3).pem,
    "NAME_INVALID": make.pem_of(make.device(CA, "a/b")),
    "NAME_MISSING": make.pem_of(make.device(CA, name=make.subject((NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=victim")))),
    "NAME_DOUBLED": make.pem_of(
        make.device(CA, name=make.subject((NameOID.COMMON_NAME, "victim"), (NameOID.COMMON_NAME, "me")))
    ),
    "REVOKED_BY_ISSUER": make.pem_of(make.device(CA, serial=666)),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_refused_certificate_has_a_row_with_the_reason_and_is_inactive(
    door: RegistrationDoor, ledger: Ledger, code: str
) -> None:
    door.publish(door.ca_id, make.crl(CA, [666]))
    pem = REFUSED[code]
    certid = make.fingerprint_of(pem)
    assert door.deliver(door.first_connection(pem)) == code
    assert door.calls.names() == REFUSAL
    assert aws.status(certid) == "INACTIVE"
    assert state(certid) == ("refused", code)
    assert aws.registry()["things"] == {}
    assert aws.registry()["policies"] == []
    with door.calls.uncounted():
        device = ledger.get(certid)
        assert device is not None
        assert device.message
        assert [entry.reason for entry in ledger.history(certid)] == [code]


@pytest.mark.parametrize(
    ("code", "crl"),
    [
        ("CRL_MISSING", None),
        ("CRL_STALE", make.crl(CA, until=make.NOW - HOUR)),
        ("CRL_INVALID", make.crl(OTHER_CA, signed_by=OTHER_CA)),
        ("CRL_INVALID", b"garbage"),
    ],
)
def test_without_a_current_valid_list_every_certificate_is_refused(
    door: RegistrationDoor, code: str, crl: bytes | None
) -> None:
    with door.calls.uncounted():
        if crl is None:
            door.s3.delete_object(Bucket=BUCKET, Key=crl_key(door.ca_id))
        else:
            door.publish(door.ca_id, crl)
    assert door.deliver(door.first_connection()) == code
    assert (aws.status(GOOD_ID), state(GOOD_ID)) == ("INACTIVE", ("refused", code))


def test_a_missing_list_is_not_cached(door: RegistrationDoor) -> None:
    with door.calls.uncounted():
        door.s3.delete_object(Bucket=BUCKET, Key=crl_key(door.ca_id))
    assert door.deliver(door.first_connection()) == "CRL_MISSING"
    door.publish(door.ca_id, make.crl(CA))
    assert door.deliver(door.first_connection(make.pem_of(make.device(CA, "sensor-2", number=2)))) == "admitted"


def test_a_certificate_of_a_deactivated_ca_is_refused(door: RegistrationDoor) -> None:
    with door.calls.uncounted():
        door.iot.update_ca_certificate(certificateId=door.ca_id, newStatus="INACTIVE")
    assert door.deliver(door.first_connection()) == "CA_INACTIVE"
    assert (aws.status(GOOD_ID), state(GOOD_ID)) == ("INACTIVE", ("refused", "CA_INACTIVE"))


def test_a_certificate_without_a_registered_ca_is_refused(door: RegistrationDoor) -> None:
    assert door.deliver(door.first_connection(issuer=OTHER_CA)) == "CA_UNKNOWN"
    assert (aws.status(GOOD_ID), state(GOOD_ID)) == ("INACTIVE", ("refused", "CA_UNKNOWN"))


@pytest.mark.parametrize("operation", ["GetObject", "DescribeCACertificate", "DescribeCertificate"])
def test_a_failed_read_is_raised_so_that_the_event_is_retried(door: RegistrationDoor, operation: str) -> None:
    event = door.first_connection()
    door.calls.fails[operation] = ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, operation)
    with pytest.raises(ClientError):
        door.deliver(event)
    assert (aws.status(GOOD_ID), aws.item(GOOD_ID)) == ("PENDING_ACTIVATION", None)
    door.calls.fails.clear()
    assert door.deliver(event) == "admitted"


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED", "ACTIVE"])
def test_only_a_pending_certificate_is_changed(door: RegistrationDoor, status: str) -> None:
    event = door.first_connection()
    with door.calls.uncounted():
        door.iot.update_certificate(certificateId=GOOD_ID, newStatus=status)
    assert door.deliver(event) == "settled"
    assert door.calls.names() == ["DescribeCertificate"]
    assert (aws.status(GOOD_ID), aws.item(GOOD_ID)) == (status, None)


def test_an_event_for_a_deleted_certificate_is_settled(door: RegistrationDoor) -> None:
    event = door.first_connection()
    with door.calls.uncounted():
        door.iot.delete_certificate(certificateId=GOOD_ID)
    assert door.deliver(event) == "settled"


def test_only_the_id_is_read_from_the_event(door: RegistrationDoor) -> None:
    event = door.first_connection(REFUSED["UNTRUSTED_CHAIN"])
    event |= {"certificateStatus": "ACTIVE", "certificatePem": GOOD, "caCertificateId": "0" * 64}
    assert door.deliver(event) == "UNTRUSTED_CHAIN"


def test_of_two_certificates_with_one_cn_the_second_is_refused(door: RegistrationDoor) -> None:
    other = make.pem_of(make.device(CA, "sensor-1", number=2))
    door.deliver(door.first_connection())
    assert door.deliver(door.first_connection(other)) == "NAME_TAKEN"
    second = make.fingerprint_of(other)
    assert (aws.status(second), state(second)) == ("INACTIVE", ("refused", "NAME_TAKEN"))
    assert aws.status(GOOD_ID) == "ACTIVE"
    arn = f"arn:aws:iot:{REGION}:{aws.LOBBY}:cert/{GOOD_ID}"
    assert aws.registry()["principals"] == [(arn, "sensor-1")]


def test_a_certificate_that_was_revoked_before_its_first_connection_is_inactive(
    door: RegistrationDoor, ledger: Ledger
) -> None:
    with door.calls.uncounted():
        ledger.revoke(GOOD_ID, "stolen", "user:ann")
    assert door.deliver(door.first_connection()) == "REVOKED"
    assert (aws.status(GOOD_ID), state(GOOD_ID)) == ("INACTIVE", ("revoked", "REVOKED"))
    assert len(aws.tables()["device-lobby-history"]) == 1


def test_a_device_in_quarantine_is_refused_at_a_door_that_does_not_know_its_certificate(
    door: RegistrationDoor, ledger: Ledger
) -> None:
    event, certid = door.first_connection(), GOOD_ID
    with door.calls.uncounted():
        ledger.admit(Identity(certid, ThingName("sensor-1"), GOOD), "service:bouncer")
        quarantined = ledger.change(Chosen(certid), Quarantine("two addresses"), "user:ann")
    assert door.deliver(event) == "QUARANTINED"
    assert aws.status(certid) == "INACTIVE"
    with door.calls.uncounted():
        assert ledger.get(certid) == quarantined


def test_a_device_whose_thing_has_attributes_is_admitted(door: RegistrationDoor) -> None:
    with door.calls.uncounted():
        door.iot.create_thing(thingName="sensor-1", attributePayload={"attributes": {"site": "north"}})
    assert door.deliver(door.first_connection()) == "admitted"
    assert aws.registry()["things"] == {"sensor-1": {"site": "north"}}


def test_an_unreadable_certificate_is_refused_without_a_name(door: RegistrationDoor, monkeypatch: Any) -> None:
    event = door.first_connection()
    door.calls.fails.clear()
    described = door.iot.describe_certificate(certificateId=GOOD_ID)
    described["certificateDescription"]["certificatePem"] = "nonsense"
    monkeypatch.setattr(door.bouncer, "_describe", lambda _certid: described["certificateDescription"])
    assert door.deliver(event) == "BAD_CERTIFICATE"
    assert state(GOOD_ID) == ("refused", "BAD_CERTIFICATE")
    assert "devicename" not in (aws.item(GOOD_ID) or {})


def test_a_certificate_other_than_that_of_the_event_is_refused(door: RegistrationDoor, monkeypatch: Any) -> None:
    event = door.first_connection()
    described = door.iot.describe_certificate(certificateId=GOOD_ID)["certificateDescription"]
    described["certificatePem"] = make.pem_of(make.device(CA, "sensor-2", number=2))
    monkeypatch.setattr(door.bouncer, "_describe", lambda _certid: described)
    assert door.deliver(event) == "BAD_CERTIFICATE"


def test_the_sample_event_is_what_aws_documents() -> None:
    assert set(json.loads(EVENT.read_text())) == {
        "certificateId",
        "caCertificateId",
        "timestamp",
        "certificateStatus",
        "awsAccountId",
        "certificateRegistrationTimestamp",
    }
    assert Event.ADMIT.value == "admit"
    assert x509.load_pem_x509_certificate(GOOD.encode()).serial_number == 1001
