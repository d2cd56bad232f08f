"""Types for the values that every part of the project uses, and one parser for each.

A fingerprint, an account id, a Region and a thing name each have one rule. An external value is parsed once; its type
then states that it is valid. Each parser raises `InvalidInput` with the value and the rule. Standard library only,
because the device client and the PKI tools also use this module.
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
EnrolmentName = NewType("EnrolmentName", str)
"""The name of an enrolment: 1 to 32 of a-z 0-9 -, the first not a dash."""
TokenId = NewType("TokenId", str)
"""The identifier of an enrolment token: the enrolment's name, a dot, and 10 of a-z 2-7. It is not secret."""
CampaignName = NewType("CampaignName", str)
"""The name of a campaign: 1 to 48 of a-z 0-9 -, the first not a dash."""
PresenceCode = NewType("PresenceCode", str)
"""Eight digits that a device shows. A user enters them to prove that they are at the device."""

_HEX64 = re.compile(r"[0-9a-f]{64}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9]{1,2}")
_THING = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
_CODE = re.compile(r"[0-9]{8}")
_PROFILE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_ENROLMENT = _PROFILE
_TOKEN_ID = re.compile(rf"{_ENROLMENT.pattern}\.[a-z2-7]{{10}}")
_CAMPAIGN = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
_SHOWN = 80


@dataclass(frozen=True, order=True)
class Target:
    """An account and a Region that a device can be sent to."""

    account: AccountId
    region: Region

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


class State(StrEnum):
    """The state of a device between its first connection and its target (`devstate`)."""

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
    QUARANTINED = "quarantined"
    TRANSFERRED = "transferred"


class ActorKind(StrEnum):
    """The part of an actor's name before the colon."""

    USER = "user"
    CAMPAIGN = "campaign"
    RULE = "rule"
    """An enrolment that claims its devices."""
    SERVICE = "service"


class RenewalStatus(StrEnum):
    """The renewal states by which a list of devices can be filtered."""

    DUE = "due"
    """The device is due to renew its certificate. It may be overdue."""
    OVERDUE = "overdue"
    """The device should have renewed by now."""


def shown(value: object, limit: int = _SHOWN) -> str:
    """Return an untrusted value for use in a message: quoted, on one line, cut after `limit` characters."""
    text = ascii(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def parse_fingerprint(text: object) -> Fingerprint:
    """Return the fingerprint in `text`: hex in either case, optionally separated by colons, dashes or spaces."""
    if isinstance(text, str) and len(text) <= 200:
        bare = re.sub(r"[:\-\s]", "", text).lower()
        if _HEX64.fullmatch(bare):
            return Fingerprint(bare)
    raise InvalidInput(
        "INVALID_FINGERPRINT", f"got {shown(text)}, want the certificate's SHA-256 fingerprint: 64 hex digits"
    )


def parse_account(text: object) -> AccountId:
    """Return a 12-digit account id. It must be text, because a leading zero is significant."""
    if isinstance(text, str) and _ACCOUNT.fullmatch(text):
        return AccountId(text)
    raise InvalidInput("INVALID_ACCOUNT", f"got {shown(text)}, want an AWS account id: 12 digits")


def parse_region(text: object) -> Region:
    """Return a Region code. Whether devices can be sent to the Region depends on the registered targets."""
    if isinstance(text, str) and _REGION.fullmatch(text):
        return Region(text)
    raise InvalidInput("INVALID_REGION", f"got {shown(text)}, want an AWS Region code such as eu-west-1")


def parse_target(account: object, region: object) -> Target:
    return Target(parse_account(account), parse_region(region))


def parse_target_key(text: object) -> Target:
    """Return a target from its text form: ``123456789012/eu-west-1``."""
    account, slash, region = text.partition("/") if isinstance(text, str) else ("", "", "")
    if not slash:
        raise InvalidInput("INVALID_TARGET", f"got {shown(text)}, want account/Region, such as 123456789012/eu-west-1")
    return parse_target(account, region)


def parse_thing_name(text: object) -> ThingName:
    """Return a thing name, by AWS IoT's own rule (API reference, CreateThing: thingName). The rule also excludes
    MQTT's wildcard and separator characters."""
    if isinstance(text, str) and _THING.fullmatch(text):
        return ThingName(text)
    raise InvalidInput("INVALID_THING_NAME", f"got {shown(text)}, want 1 to 128 of the characters a-z A-Z 0-9 : _ -")


def parse_profile(text: object) -> str:
    """Return the name of a device profile, which is part of an IoT policy's name."""
    if isinstance(text, str) and _PROFILE.fullmatch(text):
        return text
    raise InvalidInput("INVALID_PROFILE", f"got {shown(text)}, want 1 to 32 of a-z 0-9 -, the first not a dash")


def parse_enrolment_name(text: object) -> EnrolmentName:
    """Return the name of an enrolment, which is part of the actor of its claims (`rule:<name>`)."""
    if isinstance(text, str) and _ENROLMENT.fullmatch(text):
        return EnrolmentName(text)
    raise InvalidInput("INVALID_ENROLMENT", f"got name {shown(text)}, want 1 to 32 of a-z 0-9 -, the first not a dash")


def parse_token_id(text: object) -> TokenId:
    """Return the identifier of an enrolment token."""
    if isinstance(text, str) and _TOKEN_ID.fullmatch(text):
        return TokenId(text)
    want = "want an enrolment's name, a dot, and 10 of a-z 2-7"
    raise InvalidInput("INVALID_TOKEN_ID", f"got {shown(text)}, {want}")


def parse_campaign_name(text: object) -> CampaignName:
    """Return the name of a campaign, which is part of the actor of its changes (`campaign:<name>`)."""
    if isinstance(text, str) and _CAMPAIGN.fullmatch(text):
        return CampaignName(text)
    raise InvalidInput("INVALID_CAMPAIGN", f"got name {shown(text)}, want 1 to 48 of a-z 0-9 -, the first not a dash")


def parse_code(text: object) -> PresenceCode:
    """Return a presence code: eight digits, optionally separated by dashes or spaces. The error does not quote the
    value, because a mistyped code contains most of the right one."""
    if isinstance(text, str) and len(text) <= _SHOWN:
        bare = re.sub(r"[\-\s]", "", text)
        if _CODE.fullmatch(bare):
            return PresenceCode(bare)
    got = f"{len(text)} characters" if isinstance(text, str) else type(text).__name__
    raise InvalidInput("INVALID_CODE", f"got {got}, want the 8 digits that the device shows")
