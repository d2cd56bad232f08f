"""The signed documents of transfers: what is read, and every edit, foreign key and shape that is rejected."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from lobby.domain.history.history_export import digest, signed
from lobby.domain.transfers.document_signature import parse_key_fingerprint, require_signed
from lobby.domain.transfers.transfer_documents import (
    MAX_BYTES,
    Acceptance,
    Offer,
    OfferedDevice,
    parse_document,
    parse_endpoint,
    read_acceptance,
    read_offer,
)
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName
from tests.history_key import KEY_NAME, sign_history, sign_with

AT, END = "2026-11-30T12:00:00.000Z", "2026-12-30T12:00:00.000Z"
ONE, TWO = Fingerprint("1" * 64), Fingerprint("2" * 64)
LOBBY_A, LOBBY_B = "111111111111/eu-west-1", "222222222222/us-east-1/staging"
DEVICE = OfferedDevice(ONE, ThingName("pump-1"), "-----PEM-----", 4, "a" * 64)
OFFER = Offer("a" * 32, LOBBY_A, "a.example", "Bob", AT, END, (DEVICE, replace(DEVICE, certid=TWO)))
ACCEPTANCE = Acceptance("a" * 32, LOBBY_A, LOBBY_B, "b.example:8443", AT, (ONE, TWO))
STRANGER: Final = ec.derive_private_key(0xBAD, ec.SECP256R1())


def text_of(document: Mapping[str, Any]) -> str:
    return json.dumps(signed(document, sign_history(digest(document))))


def read(text: str, key: str = KEY_NAME) -> Mapping[str, Any]:
    document = parse_document(text)
    require_signed(document, parse_key_fingerprint(key))
    return document


def code_of(text: str, key: str = KEY_NAME) -> str:
    with pytest.raises(InvalidInput) as refused:
        read(text, key)
    return refused.value.code


def test_documents_are_read_as_they_were_signed() -> None:
    assert read_offer(read(text_of(OFFER.document()), f"SHA256:{KEY_NAME}")) == OFFER
    assert read_acceptance(read(text_of(ACCEPTANCE.document()))) == ACCEPTANCE
    unknown = replace(OFFER, endpoint=None)
    assert read_offer(read(text_of(unknown.document()))) == unknown


def test_an_edited_document_is_refused() -> None:
    for name, value in (("to", "Eve"), ("expires", "2027-12-30T12:00:00.000Z"), ("devices", [])):
        edited = json.loads(text_of(OFFER.document())) | {name: value}
        assert code_of(json.dumps(edited)) == "SIGNATURE_INVALID"
    moved = json.loads(text_of(ACCEPTANCE.document())) | {"endpoint": "evil.example"}
    assert code_of(json.dumps(moved)) == "SIGNATURE_INVALID"


def test_a_document_of_another_key_is_refused_although_its_signature_is_right() -> None:
    document = OFFER.document()
    forged = json.dumps(signed(document, sign_with(STRANGER, digest(document))))
    assert code_of(forged) == "UNTRUSTED_KEY"
    borrowed = json.loads(forged)
    borrowed["signature"]["key"] = json.loads(text_of(document))["signature"]["key"]
    assert code_of(json.dumps(borrowed)) == "SIGNATURE_INVALID"


@pytest.mark.parametrize(
    "signature",
    [
        {},
        {"algorithm": "none", "key": "", "value": ""},
        {"algorithm": "ECDSA_SHA_256", "key": "%", "value": ""},
        {"algorithm": "ECDSA_SHA_256", "key": 1, "value": ""},
    ],
)
def test_other_signatures_are_refused(signature: dict[str, Any]) -> None:
    assert code_of(json.dumps({**OFFER.document(), "signature": signature})) == "SIGNATURE_INVALID"


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "[]", "{}", '{"signature": 1}', '{"a": 1, "a": 2, "signature": {}}'),
        *(" " * (MAX_BYTES + 1), "[" * 5000, "\ud800"),
    ],
)
def test_a_text_that_is_not_a_document_is_refused(text: str) -> None:
    assert code_of(text) == "INVALID_DOCUMENT"


@pytest.mark.parametrize("key", ["", "SHA256:", "SHA256:" + "g" * 64, "md5:" + "0" * 64, KEY_NAME[1:]])
def test_a_key_is_named_by_its_complete_fingerprint(key: str) -> None:
    assert code_of(text_of(OFFER.document()), key) == "INVALID_KEY"


OFFERS: Final[dict[str, dict[str, Any]]] = {
    "another format": {"format": "device-lobby-history/1"},
    "an acceptance's format": {"format": "device-lobby-acceptance/1"},
    "a later version": {"format": "device-lobby-offer/2"},
    "another field": {"admin": True},
    "no devices": {"devices": []},
    "too many devices": {"devices": [dict(vars(replace(DEVICE, certid=Fingerprint(f"{n:064x}")))) for n in range(26)]},
    "a device twice": {"devices": [dict(vars(DEVICE))] * 2},
    "a device with another field": {"devices": [dict(vars(DEVICE)) | {"target": "x"}]},
    "a device that is text": {"devices": ["x"]},
    "a name that is no thing name": {"devices": [dict(vars(DEVICE)) | {"name": "a/#"}]},
    "a certificate that is too long": {"devices": [dict(vars(DEVICE)) | {"certificate": "x" * 8193}]},
    "entries that are true": {"devices": [dict(vars(DEVICE)) | {"entries": True}]},
    "an id that is too short": {"offer": "a"},
    "a lobby that is no account": {"lobby": "eu-west-1"},
    "a recipient with a line break": {"to": "Bob\nEve"},
    "an endpoint with a path": {"endpoint": "a.example/x"},
    "a date": {"expires": "2026-12-30"},
    "a month that no year has": {"expires": "2026-13-30T12:00:00.000Z"},
    "an hour that no day has": {"expires": "2026-12-30T99:00:00.000Z"},
}


@pytest.mark.parametrize("change", OFFERS.values(), ids=OFFERS)
def test_an_offer_of_another_shape_is_refused_although_it_is_signed(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_offer(read(text_of({**OFFER.document(), **change})))
    assert refused.value.code == "INVALID_DOCUMENT"


@pytest.mark.parametrize(
    "change",
    [{"format": "device-lobby-offer/1"}, {"devices": [ONE, ONE]}, {"devices": "x"}, {"lobby": None}, {"more": 1}],
)
def test_an_acceptance_of_another_shape_is_refused_although_it_is_signed(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_acceptance(read(text_of({**ACCEPTANCE.document(), **change})))
    assert refused.value.code == "INVALID_DOCUMENT"


@pytest.mark.parametrize(
    "endpoint",
    [
        *("", "-a.example", "a..example", "a.example:", "a.example:0", "a.example:65536", "a:b", "a b", "a\n", None, 1),
        *("https://a.example", "user@a.example", "[::1]", "a.example:8883:1", "a" * 254, "a.example:٨"),
    ],
)
def test_an_endpoint_is_a_host_name_and_a_port(endpoint: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_endpoint(endpoint)
    assert refused.value.code == "INVALID_DOCUMENT"
