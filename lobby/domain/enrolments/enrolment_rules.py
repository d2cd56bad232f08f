"""Reads a user's input for an enrolment. Each value has one rule; an invalid value raises `InvalidInput` with the value
and the rule.

Whether the targets are registered and have the profile is checked by the caller, who has the registry.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from lobby.domain.enrolments.allocation import HOOK_PREFIX, MAX_TARGETS, MAX_WEIGHT, Allocation, Share
from lobby.domain.enrolments.enrolment import SUBJECT_FIELDS, Door, Enrolment, Match, Repeat
from lobby.domain.name_patterns import parse_name_pattern
from lobby.errors import Conflict, InvalidInput
from lobby.names import ThingName, parse_fingerprint, parse_profile, parse_thing_name, shown
from lobby.wire import DEFAULT_CONFIG, parse_config

MAX_LIMIT: Final = 1_000_000_000
MAX_SERIALS: Final = 1000
"""Serial numbers in one request."""
_MAX_TEXT: Final = 128
_FRACTION: Final = re.compile(r"\.[0-9]{1,9}(?=Z|[+-])")
_FUNCTION: Final = re.compile(rf"{HOOK_PREFIX}[a-zA-Z0-9_-]{{1,{64 - len(HOOK_PREFIX)}}}")


@dataclass(frozen=True)
class MatchInput:
    """The conditions as a user enters them."""

    ca: str | None = None
    subject: Sequence[tuple[str, str]] = ()
    name_pattern: str | None = None
    listed: bool = False


@dataclass(frozen=True)
class AllocationInput:
    """The allocation as a user enters it: `shares`, or the name of a `function`, or only defaults for claims."""

    shares: Sequence[Share] = ()
    function: str | None = None
    profile: str | None = None
    config: object = field(default=None)
    presence: bool = False


def parse_door(text: str) -> Door:
    """Return the door in a text. Raise `InvalidInput` INVALID_DOOR."""
    if text not in set(Door):
        raise InvalidInput("INVALID_DOOR", f"got door {shown(text)}, want one of {', '.join(Door)}")
    return Door(text)


def require_door(enrolment: Enrolment, door: Door) -> None:
    """Raise `Conflict` WRONG_DOOR."""
    if enrolment.door is not door:
        got = f"got enrolment {enrolment.name} of door {enrolment.door}"
        raise Conflict("WRONG_DOOR", f"{got}, want one of door {door}")


def parse_repeat(text: str | None, door: Door) -> Repeat | None:
    """Return the treatment of a second key of a serial number, by default `refuse`; None at a door where the
    certificate itself proves the name. Raise `InvalidInput` INVALID_REPEAT."""
    if door is not Door.CLAIM:
        if text is not None:
            raise InvalidInput("INVALID_REPEAT", f"got repeat {shown(text)} for door {door}, want it for claim only")
        return None
    if text is not None and text not in set(Repeat):
        raise InvalidInput("INVALID_REPEAT", f"got repeat {shown(text)}, want one of {', '.join(Repeat)}")
    return Repeat(text) if text is not None else Repeat.REFUSE


def require_bound(door: Door, match: Match, limit: int | None) -> None:
    """Raise `InvalidInput` INVALID_LIMIT for an enrolment by claim that admits any number of devices: all of them share
    a key, so a stolen one would admit any number."""
    if door is Door.CLAIM and not match.listed and limit is None:
        want = "want one of them: its devices share a key that can be stolen"
        raise InvalidInput("INVALID_LIMIT", f"got neither a limit nor a list of serial numbers, {want}")


def parse_match(entered: MatchInput, door: Door = Door.REGISTRATION) -> Match:
    """Return the conditions of an enrolment. Raise `InvalidInput` INVALID_MATCH, INVALID_FINGERPRINT or
    INVALID_NAME_PATTERN. A condition is required at the door `registration`. At the other doors, the claim certificate
    or the token is the condition. There, AWS IoT issues the device's certificate, so its CA and subject say nothing
    about the device."""
    if door is not Door.REGISTRATION and (entered.ca is not None or entered.subject):
        want = "want a name pattern, a list of serial numbers, or none"
        message = f"got a CA or subject fields for door {door}, {want}"
        raise InvalidInput("INVALID_MATCH", message)
    if entered.listed and entered.name_pattern is not None:
        raise InvalidInput("INVALID_MATCH", "got a list of serial numbers and a name pattern, want one of them")
    match = Match(
        parse_fingerprint(entered.ca) if entered.ca is not None else None,
        _subject(entered.subject),
        parse_name_pattern(entered.name_pattern) if entered.name_pattern is not None else None,
        entered.listed,
    )
    if match == Match() and door is Door.REGISTRATION:
        message = "got no condition, want a CA, subject fields, a name pattern, or a list of serial numbers"
        raise InvalidInput("INVALID_MATCH", message)
    return match


def _subject(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in fields:
        if key not in SUBJECT_FIELDS:
            known = ", ".join(SUBJECT_FIELDS)
            raise InvalidInput("INVALID_MATCH", f"got subject field {shown(key)}, want one of {known}")
        if key in found:
            raise InvalidInput("INVALID_MATCH", f"got subject field {key} twice, want one value")
        found[key] = parse_text(value, f"the value of subject field {key}", "INVALID_MATCH")
    return found


def parse_allocation(entered: AllocationInput) -> Allocation:
    """Return the allocation of an enrolment. Raise `InvalidInput` INVALID_ALLOCATION, INVALID_PROFILE or
    INVALID_CONFIG."""
    shares = tuple(entered.shares)
    if shares and entered.function is not None:
        raise _bad_allocation(f"{len(shares)} targets and function {shown(entered.function)}, want one of both")
    chooses = bool(shares) or entered.function is not None
    if not (chooses or entered.presence) and entered.profile is None and entered.config is None:
        raise _bad_allocation("no value, want targets, a function, or profile, config or presence of users' claims")
    if len(shares) > MAX_TARGETS or len({share.target for share in shares}) < len(shares):
        raise _bad_allocation(f"{len(shares)} targets, want at most {MAX_TARGETS}, each once")
    for share in shares:
        if not 1 <= share.weight <= MAX_WEIGHT:
            raise _bad_allocation(f"weight {share.weight} of {share.target}, want 1 to {MAX_WEIGHT}")
    if entered.function is not None and not _FUNCTION.fullmatch(entered.function):
        want = f"want the name of a Lambda function that starts with {HOOK_PREFIX}, of at most 64 a-z A-Z 0-9 _ -"
        raise _bad_allocation(f"function {shown(entered.function)}, {want}")
    return Allocation(
        shares,
        entered.function,
        parse_profile(entered.profile) if entered.profile is not None else None,
        DEFAULT_CONFIG if entered.config is None else parse_config(entered.config),
        entered.presence,
    )


def parse_limit(limit: int | None) -> int | None:
    if limit is not None and not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput("INVALID_LIMIT", f"got {limit} devices, want 1 to {MAX_LIMIT}")
    return limit


def parse_period(starts: str | None, ends: str | None) -> tuple[str | None, str | None]:
    """Return both times as ISO 8601 UTC with milliseconds. Raise `InvalidInput` INVALID_TIME."""
    first, last = _time(starts), _time(ends)
    if first is not None and last is not None and first >= last:
        raise InvalidInput("INVALID_TIME", f"got an end at {last}, want one after the start at {first}")
    return first, last


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        whole_day = f"{text}T00:00:00Z" if len(text) == len("2026-01-01") else text
        at = datetime.strptime(_FRACTION.sub("", whole_day), "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        want = "want a date such as 2026-12-31, or a time with its offset such as 2026-12-31T23:59:59Z"
        raise InvalidInput("INVALID_TIME", f"got {shown(text)}, {want}") from None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_text(text: str, what: str, code: str) -> str:
    """Return 1 to 128 printable characters without spaces around them."""
    if not 0 < len(text) <= _MAX_TEXT or not text.isprintable() or text != text.strip():
        want = f"want 1 to {_MAX_TEXT} printable characters, without spaces before or after"
        raise InvalidInput(code, f"got {shown(text)} as {what}, {want}")
    return text


def parse_serials(serials: Sequence[str]) -> list[ThingName]:
    """Return the serial numbers, each once. A device's serial number is its thing name."""
    if not 1 <= len(serials) <= MAX_SERIALS:
        raise InvalidInput("INVALID_COUNT", f"got {len(serials)} serial numbers, want 1 to {MAX_SERIALS} in a request")
    return list(dict.fromkeys(parse_thing_name(each) for each in serials))


def _bad_allocation(what: str) -> InvalidInput:
    return InvalidInput("INVALID_ALLOCATION", f"got {what}")
