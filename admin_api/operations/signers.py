"""Checks the signer that a user enters for an enrolment: the key must be a key of the deployment and belong to the CA
certificate.

This is checked before the enrolment is written: AWS KMS returns the key's public key, usage and state. Keys that the
deployment does not name (`signingKeys`) are rejected, because no door may sign with them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lobby.aws.kms_signer import KeyDescription
from lobby.domain.own_ca import parse_signer, require_key_of_ca
from lobby.domain.signer import Signer
from lobby.errors import InvalidInput


@dataclass(frozen=True)
class EnteredSigner:
    """A signer as the user enters it."""

    key: str
    ca: str
    days: int


@dataclass(frozen=True)
class SigningKeys:
    """The keys of the deployment, by ARN. `describe` reads a key from KMS, and raises `InvalidInput`
    SIGNER_UNAVAILABLE."""

    known: Sequence[str]
    describe: Callable[[str], KeyDescription]

    def prove(self, entered: EnteredSigner | None, at: datetime) -> Signer | None:
        """Return the signer. Raise `InvalidInput` INVALID_SIGNER or SIGNER_UNAVAILABLE."""
        if entered is None:
            return None
        signer = parse_signer(entered.key, entered.ca, entered.days, at)
        if signer.key not in self.known:
            named = ", ".join(self.known) or "none yet"
            message = f"got key {signer.key}, want one that the deployment names in signingKeys: {named}"
            raise InvalidInput("INVALID_SIGNER", message)
        found = self.describe(signer.key)
        require_key_of_ca(signer, found.public, found.usage, found.state)
        return signer


def no_signing_keys(arn: str) -> KeyDescription:
    """The `describe` of a deployment that names no keys."""
    raise AssertionError(f"got {arn}, which no deployment names")


NO_SIGNING_KEYS = SigningKeys((), no_signing_keys)
