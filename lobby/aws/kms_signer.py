"""Signs with keys in AWS KMS and reads their descriptions, in the Region that the ARN of the key names.

The private key never leaves KMS. Only a SHA-256 is sent, because KMS accepts at most 4,096 bytes (AWS KMS API
reference, "Sign"). A key that cannot be used is reported as `InvalidInput` SIGNER_UNAVAILABLE; throttling and failures
of KMS are raised, so that the work is retried.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError
from cryptography import x509

from lobby.domain.signer import SIGNER_UNAVAILABLE, Signer, region_of
from lobby.domain.trust.remote_key import SignDigest, kms_request
from lobby.errors import InvalidInput
from lobby.names import Region

_UNUSABLE: Final = (
    "DisabledException",
    "KMSInvalidStateException",
    "NotFoundException",
    "InvalidKeyUsageException",
    "InvalidArnException",
    "UnsupportedOperationException",
    "AccessDeniedException",
)


@dataclass(frozen=True)
class KeyDescription:
    """`public` is the public key in DER; `state` and `usage` are KMS's."""

    public: bytes
    usage: str
    state: str


class KmsKeys:
    """`kms` returns the client for a Region: KMS does not find the key of another one."""

    def __init__(self, kms: Callable[[Region], Any]) -> None:
        self._kms = kms

    def describe(self, arn: str) -> KeyDescription:
        """Return the description of a key. Raise `InvalidInput` SIGNER_UNAVAILABLE if the lobby may not read it."""
        found = self._call(arn, lambda kms: kms.describe_key(KeyId=arn))["KeyMetadata"]
        if found["KeyState"] != "Enabled" or found["KeyUsage"] != "SIGN_VERIFY":
            return KeyDescription(b"", found["KeyUsage"], found["KeyState"])
        public = self._call(arn, lambda kms: kms.get_public_key(KeyId=arn))["PublicKey"]
        return KeyDescription(public, found["KeyUsage"], found["KeyState"])

    def signing(self, signer: Signer) -> SignDigest:
        """Return the function that signs with the signer's key."""
        public = x509.load_pem_x509_certificate(signer.ca.encode()).public_key()

        def sign(digest: bytes) -> bytes:
            request = kms_request(signer.key, public, digest)
            signature: bytes = self._call(signer.key, lambda kms: kms.sign(**request))["Signature"]
            return signature

        return sign

    def _call(self, arn: str, call: Callable[[Any], Any]) -> Any:
        try:
            return call(self._kms(region_of(arn)))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _UNUSABLE:
                raise
            raise InvalidInput(
                SIGNER_UNAVAILABLE,
                f"got {code} from KMS for {arn}, want a key that is enabled, and that the lobby may use (signingKeys)",
            ) from None
