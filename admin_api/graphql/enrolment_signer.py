"""The GraphQL types for the signer of an enrolment."""

import strawberry

from admin_api.operations.signers import EnteredSigner
from lobby.domain import signer as domain

DEFAULT_DAYS = 3650


@strawberry.type(description="The operator's CA that signs certificates of devices instead of AWS IoT's.")
class Signer:
    key: str = strawberry.field(description="The ARN of the CA's key in AWS KMS.")
    ca_certificate: str = strawberry.field(description="The CA's certificate in PEM.")
    days: int = strawberry.field(description="Days for which certificates are valid, at most until the CA expires.")


@strawberry.input(description="The operator's CA that signs certificates of devices instead of AWS IoT's.")
class SignerInput:
    key: str = strawberry.field(
        description="The ARN of the CA's key in AWS KMS, which the deployment names in signingKeys: EC P-256 or RSA,"
        " for signatures."
    )
    ca_certificate: str = strawberry.field(description="The CA's certificate in PEM, of this key.")
    days: int = strawberry.field(
        default=DEFAULT_DAYS,
        description="Days for which certificates are valid, 1 to 36500, at most until the CA expires.",
    )


def signer_from(signer: domain.Signer | None) -> Signer | None:
    return Signer(key=signer.key, ca_certificate=signer.ca, days=signer.days) if signer else None


def signer_entered(entered: SignerInput | None) -> EnteredSigner | None:
    return EnteredSigner(entered.key, entered.ca_certificate, entered.days) if entered else None
