"""The small words of the field, as types that cannot be mixed up, and the one parser for each.

A fingerprint, an account id, a Region and a thing name each have a single rule. Whatever comes from outside
passes through its parser once; inside, the type says that it has. Each parser raises `InvalidInput` that
names the value and the rule. Standard library only: the device client and the PKI tools use this too.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from lobby.errors import InvalidInput

Fingerprint = NewType("Fingerprint", str)
"""SHA-256 of the certificate's DER as 64 lower-case hex digits: AWS IoT's certificate id."""
AccountId = NewType("AccountId", str)
"""An AWS account id: 12 digits."""
Region = NewType("Region", str)
"""An AWS Region code such as ``eu-west-1``."""
ThingName = NewType("ThingName", str)
"""The subject CN of the device's certificate, and its MQTT client id."""
PresenceCode = NewType("PresenceCode", str)
"""Eight digits that a device shows to whoever stands before it."""

_HEX64 = re.compile(r"[0-9a-f]{64}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9]{1,2}")
_THING = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
_CODE = re.compile(r"[0-9]{8}")
_PROFILE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SHOWN = 80


@dataclass(frozen=True, order=True)
class Target:
    """Where a device shall serve: an account and a Region."""

    account: AccountId
    region: Region

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


class State(StrEnum):
    """Where a device is between its box and its account (`devstate`)."""

    EXPECTED = "expected"
    KNOCKING = "knocking"
    INLOBBY = "inlobby"
    PROVING = "proving"
    CLAIMED = "claimed"
    COMMISSIONED = "commissioned"
    ARRIVED = "arrived"
    FAILED = "failed"
    REFUSED = "refused"
    REVOKED = "revoked"


def shown(value: object) -> str:
    """A hostile value, made fit for a message: quoted, one line, bounded."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def parse_fingerprint(text: object) -> Fingerprint:
    """A fingerprint as people and tools write it: hex in either case, with colons, dashes or spaces between."""
    if isinstance(text, str) and len(text) <= 200:
        bare = re.sub(r"[:\-\s]", "", text).lower()
        if _HEX64.fullmatch(bare):
            return Fingerprint(bare)
    raise InvalidInput(
        "INVALID_FINGERPRINT", f"got {shown(text)}, want the certificate's SHA-256 fingerprint: 64 hex digits"
    )


def parse_account(text: object) -> AccountId:
    """A 12-digit account id. A leading zero counts, so it must arrive as text."""
    if isinstance(text, str) and _ACCOUNT.fullmatch(text):
        return AccountId(text)
    raise InvalidInput("INVALID_ACCOUNT", f"got {shown(text)}, want an AWS account id: 12 digits")


def parse_region(text: object) -> Region:
    """A Region code. That the Region is open to a device is the registered target's to say."""
    if isinstance(text, str) and _REGION.fullmatch(text):
        return Region(text)
    raise InvalidInput("INVALID_REGION", f"got {shown(text)}, want an AWS Region code such as eu-west-1")


def parse_target(account: object, region: object) -> Target:
    return Target(parse_account(account), parse_region(region))


def parse_target_key(text: object) -> Target:
    """A target as it is written in one word: ``123456789012/eu-west-1``."""
    account, slash, region = text.partition("/") if isinstance(text, str) else ("", "", "")
    if not slash:
        raise InvalidInput("INVALID_TARGET", f"got {shown(text)}, want account/Region, such as 123456789012/eu-west-1")
    return parse_target(account, region)


def parse_thing_name(text: object) -> ThingName:
    """A thing name by AWS IoT's own rule (API reference, CreateThing: thingName), which also keeps it out of
    MQTT's wildcard and separator characters."""
    if isinstance(text, str) and _THING.fullmatch(text):
        return ThingName(text)
    raise InvalidInput("INVALID_THING_NAME", f"got {shown(text)}, want 1 to 128 of the characters a-z A-Z 0-9 : _ -")


def parse_profile(text: object) -> str:
    """The name of a device profile, which is part of an IoT policy's name."""
    if isinstance(text, str) and _PROFILE.fullmatch(text):
        return text
    raise InvalidInput("INVALID_PROFILE", f"got {shown(text)}, want 1 to 32 of a-z 0-9 -, the first not a dash")


def parse_code(text: object) -> PresenceCode:
    """A code as people read it off a device: eight digits, with dashes or spaces between. What was got is not quoted:
    a slip of the finger is not to put most of a code into a message."""
    if isinstance(text, str) and len(text) <= _SHOWN:
        bare = re.sub(r"[\-\s]", "", text)
        if _CODE.fullmatch(bare):
            return PresenceCode(bare)
    got = f"{len(text)} characters" if isinstance(text, str) else type(text).__name__
    raise InvalidInput("INVALID_CODE", f"got {got}, want the 8 digits that the device shows")
