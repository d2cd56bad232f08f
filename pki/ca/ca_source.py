"""The CA that a command acts for: in a directory that `init` created, or a manufacturer's own CA in files.

A manufacturer's own CA is not changed: only its certificate and its revocation lists are read, never its key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from lobby.errors import InvalidInput
from pki.ca import crl
from pki.ca.authority import load_certificates
from pki.ca.certificate_files import read_ca, read_certificates, read_lists
from pki.lobby_account.admission import check_chain

OptionalCaDirectory = Annotated[
    Path | None, typer.Argument(metavar="[DIR]", help="The CA's directory, as created by init; or use --ca.")
]
CaFile = Annotated[
    Path | None,
    typer.Option("--ca", metavar="FILE", help="The certificate of your own CA, which issues the devices (PEM or DER)."),
]
ChainFiles = Annotated[
    list[Path] | None, typer.Option("--chain", metavar="FILE", help="The CAs above it, in any order. Can be repeated.")
]
CrlFiles = Annotated[
    list[Path] | None,
    typer.Option("--crl", metavar="FILE", help="Its revocation lists (PEM or DER, one or several). Can be repeated."),
]


@dataclass(frozen=True)
class LoadedCa:
    """A CA's certificate, the known CAs above it, and its revocation lists."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    lists: tuple[x509.CertificateRevocationList, ...]


def load_ca(
    directory: Path | None,
    ca: Path | None,
    chain: Sequence[Path] = (),
    lists: Sequence[Path] = (),
    *,
    with_lists: bool = True,
) -> LoadedCa:
    """Return the CA of a directory, or of files. Raise `InvalidInput` INVALID_CA unless exactly one of the two is
    given, or if the files contain no revocation list. Raise `RegistrationError` BROKEN_CHAIN, and the errors of the
    loading functions."""
    if (directory is None) == (ca is None):
        got = "both" if ca else "neither"
        raise InvalidInput("INVALID_CA", f"got {got} of DIR and --ca, want one: the directory of init, or your own CA")
    if directory is not None:
        if chain or lists:
            raise InvalidInput("INVALID_CA", f"got --chain or --crl with {directory}, want them only with --ca")
        root, intermediate = load_certificates(directory)
        return LoadedCa(intermediate, (root,), (crl.load_crl(directory),))
    return _own_ca(ca or Path(), chain, lists, with_lists=with_lists)


def _own_ca(path: Path, chain: Sequence[Path], lists: Sequence[Path], *, with_lists: bool) -> LoadedCa:
    certificate = read_ca(path)
    above = tuple(each for file in chain for each in read_certificates(file) if each != certificate)
    if chain:
        check_chain(certificate, above)
    if with_lists and not lists:
        raise InvalidInput(
            "INVALID_CA",
            "got no --crl, want the CA's current revocation list: without one the lobby refuses every device",
        )
    return LoadedCa(certificate, above, tuple(read_lists(lists)))
