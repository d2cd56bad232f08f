"""Keys on P-256 and certificate signing requests (RFC 2986) with the library ecdsa, in pure Python.

The duration of a signature depends on the secret (CVE-2024-23342), so an attacker can compute the key after measuring
many. Here a key signs one request per start until it has a certificate. OpenSSL makes all later signatures, in TLS.
"""

import hashlib
from typing import Any, Final

import ecdsa
from ecdsa import der
from ecdsa.util import sigencode_der

from device.identity_store import MAX_COMMON_NAME
from lobby.names import ThingName

_COMMON_NAME: Final = (2, 5, 4, 3)
_ECDSA_WITH_SHA256: Final = (1, 2, 840, 10045, 4, 3, 2)
_UTF8_STRING: Final = 0x0C
_SET: Final = 0x31
_DAMAGED: Final = (
    ValueError,
    IndexError,
    der.UnexpectedDER,
    ecdsa.errors.MalformedPointError,
    ecdsa.curves.UnknownCurveError,
)
"""The exceptions that the library raises for damaged keys, found by changing each byte of valid keys."""


class PortableKeys:
    """`device.identity_store.Keys`."""

    def create(self) -> bytes:
        key: bytes = ecdsa.SigningKey.generate(ecdsa.NIST256p).to_pem(format="ssleay")
        return key

    def public_key(self, key: bytes) -> bytes:
        public: bytes = _parse(key).get_verifying_key().to_der()
        return public

    def request(self, key: bytes, name: ThingName) -> str:
        signing = _parse(key)
        info = der.encode_sequence(
            der.encode_integer(0), _subject(name), signing.get_verifying_key().to_der(), der.encode_constructed(0, b"")
        )
        signature = signing.sign_deterministic(info, hashfunc=hashlib.sha256, sigencode=sigencode_der)
        algorithm = der.encode_sequence(der.encode_oid(*_ECDSA_WITH_SHA256))
        request = der.encode_sequence(info, algorithm, der.encode_bitstring(signature, 0))
        pem: bytes = der.topem(request, "CERTIFICATE REQUEST")
        return pem.decode()


def _subject(name: ThingName) -> bytes:
    if len(name) > MAX_COMMON_NAME:
        empty: bytes = der.encode_sequence()
        return empty
    value = bytes([_UTF8_STRING, len(name)]) + name.encode()
    attribute = der.encode_sequence(der.encode_oid(*_COMMON_NAME), value)
    subject: bytes = der.encode_sequence(bytes([_SET]) + der.encode_length(len(attribute)) + attribute)
    return subject


def _parse(pem: bytes) -> Any:
    try:
        key = ecdsa.SigningKey.from_pem(pem.decode(), hashlib.sha256)
    except _DAMAGED as error:
        raise ValueError(f"got no private key ({error})") from None
    if key.curve != ecdsa.NIST256p:
        raise ValueError(f"got a key on {key.curve.name}, want P-256")
    return key
