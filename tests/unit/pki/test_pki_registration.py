"""Registration: the order of the calls, the errors, and repeated calls, with clients that record the calls.

botocore's Stubber validates the responses against AWS's API model.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.names import parse_account, parse_region
from pki.ca.authority import Authority
from pki.ca.certificates import fingerprint
from pki.ca.crl import load_crl
from pki.errors import RegistrationError
from pki.lobby_account.account import Lobby
from pki.lobby_account.registration import publish_crl, register_ca, unregister_ca

ACCOUNT, REGION = "111111111111", "eu-west-1"
BUCKET = f"device-lobby-trust-{ACCOUNT}-{REGION}"
CA_ID = "c" * 64
"""Not the SHA-256 of the DER: AWS does not document how the id is derived."""
ETAG = '"1"'
OWNED = {"Bucket": BUCKET, "ExpectedBucketOwner": ACCOUNT}
Answer = dict[str, Any]


@dataclass
class Stubbed:
    lobby: Lobby
    iot: Stubber
    s3: Stubber
    calls: list[str]

    def no_ca(self) -> None:
        """No CA is registered."""
        self.iot.add_client_error("describe_ca_certificate", "ResourceNotFoundException")
        self.iot.add_response("list_ca_certificates", {"certificates": []})

    def registered(self, ca: Authority, mode: str = "SNI_ONLY", status: str = "INACTIVE") -> None:
        """The CA is registered with an id that is not its fingerprint."""
        self.iot.add_client_error("describe_ca_certificate", "ResourceNotFoundException")
        self.iot.add_response("list_ca_certificates", {"certificates": [{"certificateId": CA_ID}]})
        pem = ca.intermediate.public_bytes(Encoding.PEM).decode()
        description = {"certificateId": CA_ID, "certificatePem": pem, "certificateMode": mode, "status": status}
        self.iot.add_response(
            "describe_ca_certificate", {"certificateDescription": description}, {"certificateId": CA_ID}
        )

    def published(self, content: bytes | None) -> None:
        expected = {**OWNED, "Key": f"crl/{CA_ID}.pem"}
        if content is None:
            self.s3.add_client_error("get_object", "NoSuchKey", expected_params=expected)
        else:
            body = StreamingBody(io.BytesIO(content), len(content))
            self.s3.add_response("get_object", {"Body": body, "ETag": ETAG}, expected)

    def _put(self, replaced: bool) -> dict[str, Any]:
        condition = {"IfMatch": ETAG} if replaced else {"IfNoneMatch": "*"}
        return {**OWNED, "Key": f"crl/{CA_ID}.pem", "Body": ANY, "ContentType": "application/x-pem-file", **condition}

    def accepts_list(self, *, replaced: bool) -> None:
        self.s3.add_response("put_object", {}, self._put(replaced))

    def another_publishes(self, *, replaced: bool) -> None:
        """The published list has changed since it was read."""
        self.s3.add_client_error("put_object", "PreconditionFailed", expected_params=self._put(replaced))

    def updates(self, status: str, auto: str) -> None:
        expected = {"certificateId": CA_ID, "newStatus": status, "newAutoRegistrationStatus": auto}
        self.iot.add_response("update_ca_certificate", {}, expected)


@pytest.fixture
def stubbed() -> Iterator[Stubbed]:
    session = boto3.Session("111111111111", "secret", region_name=REGION)
    iot, s3 = session.client("iot"), session.client("s3")
    calls: list[str] = []
    for client in (iot, s3):
        client.meta.events.register("before-parameter-build.*.*", lambda model, **_: calls.append(model.name))
    lobby = Lobby(parse_account(ACCOUNT), parse_region(REGION), BUCKET, iot, s3)
    with Stubber(iot) as iot_stub, Stubber(s3) as s3_stub:
        yield Stubbed(lobby, iot_stub, s3_stub, calls)
        iot_stub.assert_no_pending_responses()
        s3_stub.assert_no_pending_responses()


def test_the_list_is_published_before_the_ca_is_activated(
    stubbed: Stubbed, shared_ca: Authority, now: datetime
) -> None:
    stubbed.s3.add_response("head_bucket", {}, OWNED)
    stubbed.no_ca()
    stubbed.iot.add_response(
        "register_ca_certificate",
        {"certificateId": CA_ID},
        {
            "caCertificate": shared_ca.intermediate.public_bytes(Encoding.PEM).decode(),
            "certificateMode": "SNI_ONLY",
            "setAsActive": False,
            "allowAutoRegistration": False,
        },
    )
    stubbed.published(None)
    stubbed.accepts_list(replaced=False)
    stubbed.updates("ACTIVE", "ENABLE")
    result = register_ca(stubbed.lobby, shared_ca.intermediate, [load_crl(shared_ca.directory)], now=now)
    assert (result.ca_certificate_id, result.created) == (CA_ID, True)
    assert result.crl_location == f"s3://{BUCKET}/crl/{CA_ID}.pem"
    assert stubbed.calls[-3:] == ["GetObject", "PutObject", "UpdateCACertificate"]
    assert stubbed.calls.index("RegisterCACertificate") < stubbed.calls.index("PutObject")


def test_a_registered_ca_is_activated_again(stubbed: Stubbed, shared_ca: Authority, now: datetime) -> None:
    crl = load_crl(shared_ca.directory)
    stubbed.s3.add_response("head_bucket", {}, OWNED)
    stubbed.registered(shared_ca)
    stubbed.published(crl.public_bytes(Encoding.PEM))
    stubbed.accepts_list(replaced=True)
    stubbed.updates("ACTIVE", "ENABLE")
    result = register_ca(stubbed.lobby, shared_ca.intermediate, [crl], now=now)
    assert (result.ca_certificate_id, result.created) == (CA_ID, False)
    assert "RegisterCACertificate" not in stubbed.calls


def test_a_ca_that_another_command_registers_meanwhile_is_activated(
    stubbed: Stubbed, shared_ca: Authority, now: datetime
) -> None:
    stubbed.s3.add_response("head_bucket", {}, OWNED)
    stubbed.no_ca()
    stubbed.iot.add_client_error("register_ca_certificate", "ResourceAlreadyExistsException")
    stubbed.registered(shared_ca)
    stubbed.published(None)
    stubbed.accepts_list(replaced=False)
    stubbed.updates("ACTIVE", "ENABLE")
    result = register_ca(stubbed.lobby, shared_ca.intermediate, [load_crl(shared_ca.directory)], now=now)
    assert (result.ca_certificate_id, result.created) == (CA_ID, False)


def test_without_a_lobby_nothing_is_registered(stubbed: Stubbed, shared_ca: Authority, now: datetime) -> None:
    stubbed.s3.add_client_error("head_bucket", "404", http_status_code=404, expected_params=OWNED)
    with pytest.raises(RegistrationError, match=r"NO_LOBBY: .*is the lobby deployed in this account and Region"):
        register_ca(stubbed.lobby, shared_ca.intermediate, [load_crl(shared_ca.directory)], now=now)
    assert stubbed.calls == ["HeadBucket"]


def test_a_ca_registered_without_sni_is_rejected(stubbed: Stubbed, shared_ca: Authority, now: datetime) -> None:
    stubbed.s3.add_response("head_bucket", {}, OWNED)
    stubbed.registered(shared_ca, mode="DEFAULT")
    with pytest.raises(RegistrationError, match=r"CA_MODE: got .*DEFAULT, want SNI_ONLY"):
        register_ca(stubbed.lobby, shared_ca.intermediate, [load_crl(shared_ca.directory)], now=now)


def test_a_stale_or_foreign_list_is_rejected_before_any_call(
    stubbed: Stubbed, shared_ca: Authority, ca: Authority, now: datetime
) -> None:
    crl = load_crl(shared_ca.directory)
    with pytest.raises(RegistrationError, match="CRL_STALE"):
        register_ca(stubbed.lobby, shared_ca.intermediate, [crl], now=now + timedelta(days=31))
    with pytest.raises(RegistrationError, match="CRL_INVALID"):
        register_ca(stubbed.lobby, ca.intermediate, [crl], now=now)
    assert stubbed.calls == []


def test_an_older_list_than_the_published_one_is_rejected(stubbed: Stubbed, ca: Authority, now: datetime) -> None:
    older = load_crl(ca.directory)
    newer = ca.renew_crl(now=now)
    stubbed.registered(ca)
    stubbed.published(newer.public_bytes(Encoding.PEM))
    with pytest.raises(RegistrationError, match="CRL_OLDER: got list number 1, but 2 is published"):
        publish_crl(stubbed.lobby, ca.intermediate, [older], now=now)


def test_a_list_that_another_command_publishes_meanwhile_is_not_replaced_by_an_older_one(
    stubbed: Stubbed, ca: Authority, now: datetime
) -> None:
    older, newer = load_crl(ca.directory), ca.renew_crl(now=now)
    stubbed.published(None)
    stubbed.another_publishes(replaced=False)
    stubbed.published(newer.public_bytes(Encoding.PEM))
    with pytest.raises(RegistrationError, match="CRL_OLDER"):
        publish_crl(stubbed.lobby, ca.intermediate, [older], CA_ID, now=now)
    stubbed.published(older.public_bytes(Encoding.PEM))
    stubbed.another_publishes(replaced=True)
    stubbed.published(older.public_bytes(Encoding.PEM))
    stubbed.accepts_list(replaced=True)
    publish_crl(stubbed.lobby, ca.intermediate, [newer], CA_ID, now=now)


def test_a_published_object_that_is_not_a_list_is_replaced(stubbed: Stubbed, ca: Authority, now: datetime) -> None:
    stubbed.published(b"junk")
    stubbed.accepts_list(replaced=True)
    publish_crl(stubbed.lobby, ca.intermediate, [load_crl(ca.directory)], CA_ID, now=now)


def test_the_list_of_an_unknown_ca_is_not_published(stubbed: Stubbed, shared_ca: Authority, now: datetime) -> None:
    stubbed.no_ca()
    with pytest.raises(RegistrationError, match="NOT_REGISTERED"):
        publish_crl(stubbed.lobby, shared_ca.intermediate, [load_crl(shared_ca.directory)], now=now)


def test_a_bucket_that_disappears_is_reported(stubbed: Stubbed, shared_ca: Authority, now: datetime) -> None:
    stubbed.s3.add_client_error("get_object", "NoSuchBucket")
    with pytest.raises(RegistrationError, match="NO_LOBBY"):
        publish_crl(stubbed.lobby, shared_ca.intermediate, [load_crl(shared_ca.directory)], CA_ID, now=now)


def test_unregistering_deletes_the_ca_and_counts_remaining_devices(stubbed: Stubbed, shared_ca: Authority) -> None:
    stubbed.registered(shared_ca, status="ACTIVE")
    stubbed.updates("INACTIVE", "DISABLE")
    pages: list[Answer] = [
        {"certificates": [{"certificateId": "1" * 64}, {"certificateId": "2" * 64}], "nextMarker": "more"},
        {"certificates": [{"certificateId": "3" * 64}]},
    ]
    for page in pages:
        stubbed.iot.add_response("list_certificates_by_ca", page)
    stubbed.iot.add_response("delete_ca_certificate", {}, {"certificateId": CA_ID})
    result = unregister_ca(stubbed.lobby, shared_ca.intermediate)
    assert (result.ca_certificate_id, result.remaining_devices) == (CA_ID, 3)


def test_unregistering_an_unknown_ca_changes_nothing(stubbed: Stubbed, shared_ca: Authority) -> None:
    stubbed.no_ca()
    assert unregister_ca(stubbed.lobby, shared_ca.intermediate).ca_certificate_id is None


def test_another_ca_with_the_expected_id_is_not_changed(stubbed: Stubbed, shared_ca: Authority, ca: Authority) -> None:
    expected_id = fingerprint(shared_ca.intermediate)
    other = {"certificateId": expected_id, "certificatePem": ca.intermediate.public_bytes(Encoding.PEM).decode()}
    stubbed.iot.add_response("describe_ca_certificate", {"certificateDescription": other})
    stubbed.iot.add_response("list_ca_certificates", {"certificates": [{"certificateId": expected_id}]})
    assert unregister_ca(stubbed.lobby, shared_ca.intermediate).ca_certificate_id is None
