"""The identity of a device at a door, with the fields of its certificate's subject, for comparison with enrolments. A
field that occurs more than once is omitted, so that no condition depends on the order of its values.
"""

from typing import Final

from cryptography.x509 import Name
from cryptography.x509.oid import NameOID

from lobby.domain.enrolments.enrolment import SUBJECT_FIELDS, Applicant
from lobby.domain.identity import Identity, load_certificate

_OIDS: Final = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
}


def applicant_of(identity: Identity, ca: str) -> Applicant:
    """Return the device with a verified identity. `ca` is AWS IoT's id of the CA that signed its certificate."""
    return Applicant(identity.certid, identity.name, ca, subject_of(load_certificate(identity.pem).subject))


def subject_of(name: Name) -> dict[str, str]:
    """Return each of `SUBJECT_FIELDS` that the name has once, as text."""
    values = {short: name.get_attributes_for_oid(_OIDS[short]) for short in SUBJECT_FIELDS}
    return {short: str(found[0].value) for short, found in values.items() if len(found) == 1}
