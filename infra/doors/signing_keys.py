"""The keys in AWS KMS that may sign devices' certificates for enrolments (`lobby.domain.signer`).

The operator creates the keys, and names them in the setting `signingKeys`. The doors that issue certificates may sign
with exactly these keys, and the API may read their descriptions. A key of another account also needs a key policy that
permits the lobby's account. Without the setting there are no permissions, and no enrolment can name a key.
"""

from aws_cdk import aws_iam as iam

from infra.parts.permissions import allow
from infra.settings import Settings


def issue(settings: Settings) -> list[iam.PolicyStatement]:
    """Allow signing, and registering the certificate, for which AWS defines no resource."""
    if not settings.signing_keys:
        return []
    return [
        allow("SignCertificates", ["kms:Sign"], *settings.signing_keys),
        allow("RegisterSigned", ["iot:RegisterCertificateWithoutCA"], "*"),
    ]


def prove(settings: Settings) -> list[iam.PolicyStatement]:
    """Allow reading a key, to compare it with the CA's certificate."""
    if not settings.signing_keys:
        return []
    return [allow("ReadSigningKeys", ["kms:DescribeKey", "kms:GetPublicKey"], *settings.signing_keys)]


def environment(settings: Settings) -> dict[str, str]:
    return {"SIGNING_KEYS": ",".join(settings.signing_keys)} if settings.signing_keys else {}
