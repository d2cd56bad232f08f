"""The keys for which devices that renew have requested certificates, in the table of certificates.

A key is recorded before AWS IoT issues a certificate for it. So if the process ends before it records the certificate,
the lobby still recognises the certificate as its own (`lobby.doors.orphaned_certificates`). The item stays, because
several certificates may be issued for a key before one is recorded.
"""

from hashlib import sha256
from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.ledger.table_calls import Calls
from lobby.names import Fingerprint

_PREFIX: Final = "key#"


class RequestedKeyRow(Model):
    """The device that has requested a certificate for a key: of id `key#` and the SHA-256 of the public key (DER)."""

    class Meta(Calls):
        table_name = NAMES.name("certificates")

    certid = UnicodeAttribute(hash_key=True)
    device = UnicodeAttribute()


def record_requested_key(public_key: bytes, device: Fingerprint) -> None:
    """Record that the device requests a certificate for this key (SubjectPublicKeyInfo in DER). Repeating it changes
    nothing."""
    RequestedKeyRow(_id_of(public_key)).update(actions=[RequestedKeyRow.device.set(device)])


def was_requested(public_key: bytes) -> bool:
    """Return whether a device has requested a certificate for this key."""
    try:
        RequestedKeyRow.get(_id_of(public_key), consistent_read=True)
    except DoesNotExist:
        return False
    return True


def _id_of(public_key: bytes) -> str:
    return _PREFIX + sha256(public_key).hexdigest()
