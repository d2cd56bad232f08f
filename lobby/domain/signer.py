"""The signer of an enrolment: a CA of the operator whose key is in AWS KMS, which issues the certificates of devices
instead of AWS IoT's CA, so that their identity does not depend on one AWS account.

Every Lambda that reads enrolments imports this module, including Lambdas without `cryptography`; `own_ca` issues the
certificates. Rejects text that is not the ARN of a key.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from lobby.errors import InvalidInput
from lobby.names import Region, parse_region, shown

SIGNER_UNAVAILABLE: Final = "SIGNER_UNAVAILABLE"
"""The code of a certificate that the signer could not issue: its CA has expired, or its key cannot be used."""
_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class Signer:
    """`key` is the ARN of the CA's key in KMS, `ca` its certificate in PEM. Certificates are valid for `days`."""

    key: str
    ca: str
    days: int

    def encode(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def decode(cls, body: Mapping[str, Any]) -> "Signer":
        return cls(str(body["key"]), str(body["ca"]), int(body["days"]))


def parse_key_arn(text: object) -> str:
    """Return the ARN of a key in KMS. An alias is refused, because it can be moved to another key. Raise `InvalidInput`
    INVALID_SIGNER."""
    if not isinstance(text, str) or not _KEY.fullmatch(text):
        raise invalid_signer(f"{shown(text)}, want the ARN of a key: arn:aws:kms:<region>:<account>:key/<id>")
    return text


def region_of(arn: str) -> Region:
    """Return the Region of a key."""
    return parse_region(parse_key_arn(arn).split(":")[3])


def invalid_signer(got: str) -> InvalidInput:
    """Return the error for an invalid signer."""
    return InvalidInput("INVALID_SIGNER", f"got {got}")
