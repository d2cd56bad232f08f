"""The names of a lobby's resources in its own account and in its targets. All contain the lobby's id, if it has one.

With different ids, several lobbies can share one account or target account without equal names. The id comes first,
because a suffix would be ambiguous: `device-lobby-staging-camera` could also be the policy of the profile
`staging-camera` of the lobby without an id. The lobby without an id has the names of earlier versions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NewType

from lobby.errors import InvalidInput
from lobby.names import AccountId, Region, Target, shown

LobbyId = NewType("LobbyId", str)
"""Distinguishes lobbies that share an account."""
ENVIRONMENT: Final = "LOBBY_ID"
"""The environment variable of the Lambdas. It is not set for a lobby without an id."""
MAX_LENGTH: Final = 12
"""Limited, because names of buckets have at most 63 characters, and a longer id could contain the start of another
lobby's names."""
_BASE: Final = "device-lobby"
_ID: Final = re.compile(r"[a-z](-?[a-z0-9])*")
_RESERVED: Final = ("aws", "amazon", "amzn", "cognito", "sthree")
"""Words that AWS reserves in the names of Cognito domains and S3 buckets (Cognito developer guide, "Using your own
domain"; S3 user guide, "General purpose bucket naming rules")."""


def parse_lobby_id(text: object) -> LobbyId:
    """Return the id. Raise `InvalidInput` INVALID_LOBBY_ID."""
    want = f"1 to {MAX_LENGTH} of a-z 0-9 -, starting with a letter, without a dash at the end or two in a row"
    if not isinstance(text, str) or len(text) > MAX_LENGTH or not _ID.fullmatch(text):
        raise InvalidInput("INVALID_LOBBY_ID", f"got {shown(text)}, want {want}")
    reserved = [word for word in _RESERVED if word in text]
    if reserved or text.startswith("device"):
        word = reserved[0] if reserved else "device"
        raise InvalidInput("INVALID_LOBBY_ID", f"got {shown(text)} with {word}, which is reserved; want another id")
    return LobbyId(text)


@dataclass(frozen=True)
class LobbyNames:
    """The names of the lobby with this id."""

    id: LobbyId | None = None

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> "LobbyNames":
        """Return the names of the lobby whose id is in the environment. Raise `InvalidInput` INVALID_LOBBY_ID."""
        text = environment.get(ENVIRONMENT)
        return cls(parse_lobby_id(text)) if text else cls()

    @property
    def prefix(self) -> str:
        return f"{self.id}-{_BASE}" if self.id else _BASE

    def name(self, what: str) -> str:
        """Return the name of a function, role, queue, table, topic, alarm or bucket."""
        return f"{self.prefix}-{what}"

    def rule(self, what: str) -> str:
        """Return the name of a topic rule, which contains no dashes."""
        return self.name(what).replace("-", "_")

    def policy(self, profile: str) -> str:
        """Return the name of the IoT policy that a device with this profile gets in its target."""
        return self.name(profile)

    def stack(self, kind: str = "") -> str:
        """Return the name of a stack: the lobby's, or `Target` or `Role` in a target's account."""
        return f"DeviceLobby{kind}" + (f"-{self.id}" if self.id else "")

    def trust_bucket(self, account: AccountId, region: Region) -> str:
        """Return the name of the bucket that holds the manufacturers' revocation lists."""
        return self.name(f"trust-{account}-{region}")

    def notary_bucket(self, account: AccountId, region: Region) -> str:
        """Return the name of the bucket that holds the anchors of all histories."""
        return self.name(f"notary-{account}-{region}")

    def archive_bucket(self, account: AccountId, region: Region) -> str:
        """Return the name of the bucket that holds the archive of events."""
        return self.name(f"archive-{account}-{region}")

    @property
    def target_role(self) -> str:
        """The IAM role in a target account that the commissioner assumes."""
        return "lobby_commissioner_role" + (f"_{self.id}" if self.id else "")

    def rule_role(self, region: str) -> str:
        """Return the name of the role of a target's topic rules. A role exists once in all Regions of an account."""
        return self.name(f"rules-{region}")

    def metrics(self, namespace: str) -> str:
        """Return the namespace of the lobby's metrics."""
        return f"{namespace}/{self.id}" if self.id else namespace

    def key(self, where: Target) -> str:
        """Return the key that identifies the lobby for others: account/Region, and the id."""
        return f"{where}/{self.id}" if self.id else str(where)


def in_region(bucket: str, region: Region) -> str:
    """Return the name of the same bucket of a lobby in another Region: the trust bucket or the notary's."""
    account = re.search(r"-(\d{12})-", bucket)
    if account is None:
        raise ValueError(f"got the bucket {bucket!r}, want one whose name ends with an account and a Region")
    return f"{bucket[: account.end()]}{region}"
