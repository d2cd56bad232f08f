"""The certificates of admitted devices, in a table of their own: written once, and read only when one is needed.

In the device's row, the certificate would be written again with each transition. PEM is stored compressed. Base64 has
only six bits per character, so the item of an EC or RSA certificate stays below 1 kB, which is one write unit.
"""

import zlib
from collections.abc import Collection

from pynamodb.exceptions import DoesNotExist

from lobby.domain.device import Device
from lobby.ledger.models import CertificateRow
from lobby.names import Fingerprint


def certificate_row(device: Device) -> CertificateRow:
    """Return the row of a device's certificate. Raise `ValueError` if the device has none in memory."""
    if device.devicecert is None:
        raise ValueError(f"got no certificate of {device.certid}, want the one that was admitted")
    return CertificateRow(device.certid, pem=compressed(device.devicecert))


def is_recorded(certid: Fingerprint) -> bool:
    """Return whether a device has, or has had, this certificate."""
    try:
        CertificateRow.get(certid, consistent_read=True)
    except DoesNotExist:
        return False
    return True


def read_pems(certids: Collection[Fingerprint], *, consistent: bool = False) -> dict[Fingerprint, str]:
    """Return the certificates that exist, in PEM. At most 100 are read with one call."""
    if not certids:
        return {}
    rows = CertificateRow.batch_get(list(certids), consistent_read=consistent)
    return {Fingerprint(row.certid): pem_of(row.pem) for row in rows}


def compressed(pem: str) -> bytes:
    return zlib.compress(pem.encode(), 9)


def pem_of(stored: bytes) -> str:
    return zlib.decompress(stored).decode()
