"""A CA whose key is in moto's KMS, as `lobby-pki kms-ca` creates it."""

from dataclasses import dataclass

from lobby.domain.signer import Signer
from pki.ca import kms_ca
from tests import aws
from tests import certificates as make


@dataclass(frozen=True)
class KmsCa:
    """`arn` is the key's."""

    arn: str
    pem: str

    @property
    def signer(self) -> Signer:
        return Signer(self.arn, self.pem, 365)

    def disable(self) -> None:
        aws.client("kms").disable_key(KeyId=self._id)

    def enable(self) -> None:
        aws.client("kms").enable_key(KeyId=self._id)

    @property
    def _id(self) -> str:
        """The key's id: moto finds no ARN for these calls."""
        return self.arn.rpartition("/")[2]


def new_key(spec: str = "ECC_NIST_P256", usage: str = "SIGN_VERIFY") -> str:
    made: str = aws.client("kms").create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    return made


def new_kms_ca(spec: str = "ECC_NIST_P256", years: int = 10) -> KmsCa:
    arn = new_key(spec)
    certificate = kms_ca.create(aws.client("kms"), arn, "Acme", years, make.NOW)
    return KmsCa(arn, make.pem_of(certificate))
