"""The command that creates the certificate of a CA whose key is in AWS KMS: kms-ca."""

from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.domain.signer import region_of
from pki import storage, terminal
from pki.ca import kms_ca, profile
from pki.ca.certificates import common_name, fingerprint
from pki.lobby_account.account import kms_client, translated_aws_errors
from pki.lobby_account.lobby_selection import EndpointUrl, LobbySelection, Local
from pki.lobby_account.lobby_selection import Profile as AwsProfile

app = typer.Typer()


@app.command("kms-ca")
def create_kms_ca(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="ARN of a key in AWS KMS: ECC_NIST_P256 or RSA, for SIGN_VERIFY.")
    ],
    organization: Annotated[str, typer.Option(help="The organization's name, in the CA certificate.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The new file of the certificate.")],
    years: Annotated[int, typer.Option(help="Validity of the certificate.")] = profile.INTERMEDIATE_YEARS,
    aws_profile: AwsProfile = None,
    endpoint_url: EndpointUrl = None,
    local: Local = False,
) -> None:
    """Create the certificate of a CA whose key is in AWS KMS, for `lobbyctl enrolments create --signer-ca`.

    KMS signs it (kms:Sign, kms:GetPublicKey). Nothing is changed in AWS.
    """
    region = region_of(key)
    options = LobbySelection.of(aws_profile, None, endpoint_url, local, yes=True).options
    with translated_aws_errors():
        certificate = kms_ca.create(kms_client(options, region), key, organization, years, terminal.current_time())
    storage.write_new(out, certificate.public_bytes(Encoding.PEM))
    until = f"{certificate.not_valid_after_utc:%F}"
    terminal.print_result(f"{common_name(certificate)}  until {until}  {fingerprint(certificate)}")
    terminal.print_note(f"a lobby signs with it only if its deployment names it: ./deploy.sh aws --signing-key {key}")
