"""The lobby of another operator, Bob: its key, and the offers and acceptances that it signs."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from lobby.domain.history.history_export import digest, signed
from lobby.domain.transfers.transfer_documents import Acceptance, Offer, OfferedDevice
from lobby.ledger.clock import timestamp
from lobby.names import Fingerprint, ThingName
from tests import certificates as make
from tests.history_key import sign_with

ID, OTHER = "a" * 32, "b" * 32
OWN, THEIRS = "999999999999/eu-west-1", "222222222222/us-east-1/bob"
BOB: Final = ec.derive_private_key(0xB0B, ec.SECP256R1())
BOBS_KEY: Final = hashlib.sha256(base64.b64decode(sign_with(BOB, b"0" * 32).key)).hexdigest()
CA: Final = make.authority()


def by_bob(document: Any) -> str:
    return json.dumps(signed(document, sign_with(BOB, digest(document))))


def later(days: int = 1) -> str:
    return timestamp(datetime.now(UTC) + timedelta(days=days))


def acceptance(*certids: Fingerprint, offer: str = ID, by: str = OWN, endpoint: str = "bob.example") -> str:
    return by_bob(Acceptance(offer, by, THEIRS, endpoint, later(0), certids).document())


def certificate(name: str, number: int = 0) -> str:
    now = datetime.now(UTC).replace(microsecond=0)
    return make.pem_of(
        make.device(CA, name, number=number, serial=100 + number, begin=now - make.DAY, end=now + make.YEAR)
    )


def their_offer(
    *pems: tuple[str, str], expires: str | None = None, lobby: str = THEIRS, issued: str | None = None
) -> str:
    devices = tuple(OfferedDevice(make.fingerprint_of(pem), ThingName(name), pem, 3, "a" * 64) for name, pem in pems)
    return by_bob(Offer(OTHER, lobby, "bob.example", "Ann", issued or later(0), expires or later(), devices).document())
