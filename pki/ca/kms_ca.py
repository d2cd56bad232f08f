"""A CA whose key is in AWS KMS, with which a lobby signs certificates of devices (docs/enrolments.md).

The operator creates the key in KMS, and it never leaves KMS, which also signs the CA's own certificate. Rejects keys
that cannot sign certificates.
"""

from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lobby.domain.trust.remote_key import WANTED, kms_request, remote_key
from lobby.errors import InvalidInput
from pki.ca import profile


def create(kms: Any, arn: str, organization: str, years: int, now: datetime) -> x509.Certificate:
    """Return a new certificate of the CA with this key. Raise `InvalidInput` INVALID_SIGNER, INVALID_ORGANIZATION or
    INVALID_YEARS, and `ClientError` of KMS."""
    name, validity = profile.organization_name(organization), profile.plan_validity(now, years, None)
    found = kms.get_public_key(KeyId=arn)
    if found["KeyUsage"] != "SIGN_VERIFY":
        raise InvalidInput("INVALID_SIGNER", f"got key {arn} for {found['KeyUsage']}, want one for SIGN_VERIFY")
    public = load_der_public_key(found["PublicKey"])

    def sign(digest: bytes) -> bytes:
        signature: bytes = kms.sign(**kms_request(arn, public, digest))["Signature"]
        return signature

    try:
        key = remote_key(public, sign)
    except TypeError:
        raise InvalidInput("INVALID_SIGNER", f"got key {arn} of another kind, want {WANTED}") from None
    return profile.build_signer(name, key, validity)
