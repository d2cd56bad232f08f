"""Issues certificates for devices' own keys: by AWS IoT's CA, or by the CA of an enrolment whose key is in KMS.

In both cases, the certificate is INACTIVE in the lobby's AWS IoT at first, and the caller records it before activating
it. A certificate of the enrolment's CA is registered without the CA (RegisterCertificateWithoutCA), so just-in-time
registration does not accept other certificates of this CA.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.aws.kms_signer import KmsKeys
from lobby.domain import own_ca
from lobby.domain.signer import Signer
from lobby.errors import InvalidInput
from lobby.ledger.clock import now
from lobby.names import ThingName, shown

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate that is INACTIVE in the lobby: PEM and ARN."""

    pem: str
    arn: str


class CertificateIssuer:
    """`serial` returns a random serial number."""

    def __init__(
        self,
        iot: "IoTClient",
        keys: KmsKeys,
        clock: Callable[[], datetime] = now,
        serial: Callable[[], int] = x509.random_serial_number,
    ) -> None:
        self._iot, self._keys, self._clock, self._serial = iot, keys, clock, serial

    def issue(
        self, request: x509.CertificateSigningRequest, csr: str, name: ThingName, signer: Signer | None
    ) -> IssuedCertificate:
        """Return a certificate for a verified request; `csr` is its PEM. Raise `InvalidInput` INVALID_CSR if AWS IoT
        refuses the request, or SIGNER_UNAVAILABLE."""
        if signer is None:
            return self._by_aws(csr)
        sign = self._keys.signing(signer)
        certificate = own_ca.issue(signer, request, name, self._serial(), self._clock(), sign)
        pem = certificate.public_bytes(Encoding.PEM).decode()
        made = self._iot.register_certificate_without_ca(certificatePem=pem, status="INACTIVE")
        return IssuedCertificate(pem, made["certificateArn"])

    def _by_aws(self, csr: str) -> IssuedCertificate:
        try:
            made = self._iot.create_certificate_from_csr(certificateSigningRequest=csr, setAsActive=False)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidRequestException":
                raise
            raise InvalidInput("INVALID_CSR", f"got a request that AWS IoT refuses: {shown(str(error), 200)}") from None
        return IssuedCertificate(made["certificatePem"], made["certificateArn"])
