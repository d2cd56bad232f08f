"""The options that name an enrolment's signer: a key in AWS KMS, the CA certificate of this key, and a validity.

The options must be given together, and the file must be readable as text.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from admin_api.cli.errors import usage_error

SignerKey = Annotated[
    str | None,
    typer.Option(metavar="ARN", help="Key in AWS KMS that signs the devices' certificates. [default: AWS IoT's CA]"),
]
SignerCa = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The certificate of the signer's CA, in PEM (lobby-pki kms-ca).")
]
SignerDays = Annotated[
    int | None, typer.Option(metavar="DAYS", help="Validity of certificates of the signer. [default: 3650]")
]


def signer_of(key: str | None, ca: Path | None, days: int | None) -> dict[str, Any] | None:
    """Return the signer that the options state, or None if there is none of them."""
    if key is None and ca is None and days is None:
        return None
    if key is None or ca is None:
        raise usage_error("got a part of the signer, want --signer-key and --signer-ca together")
    try:
        pem = ca.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise usage_error(f"got --signer-ca {ca}, which cannot be read ({error}), want a certificate in PEM") from None
    return {"key": key, "caCertificate": pem} | ({} if days is None else {"days": days})
