"""Selects the enrolment that applies to a device, if several match it. A list of serial numbers is more specific than
any other condition, and a serial number can be in one list only. Otherwise an enrolment is more specific than another
if it matches only devices that the other also matches. Two enrolments are ambiguous if some device matches both and
neither is more specific; then the second one is rejected when it is created. So among the enrolments that match a
device, one is more specific than all others. The state has no influence: a revoked enrolment refuses its devices even
if a wider one is active.
"""

from collections.abc import Iterable, Mapping
from functools import reduce

from lobby.domain import name_patterns
from lobby.domain.enrolments.enrolment import Applicant, Door, Enrolment, Match
from lobby.domain.name_patterns import NamePattern, parse_name_pattern
from lobby.errors import Conflict
from lobby.names import EnrolmentName

_ANY_NAME = parse_name_pattern("*")


def matches(match: Match, applicant: Applicant, *, listed: bool) -> bool:
    """Return whether a device meets all conditions. `listed`: it is in the enrolment's list."""
    return (
        match.ca in (None, applicant.ca)
        and all(applicant.subject.get(key) == value for key, value in match.subject.items())
        and (match.name_pattern is None or name_patterns.matches(match.name_pattern, applicant.name))
        and (listed or not match.listed)
    )


def selected(
    enrolments: Iterable[Enrolment], applicant: Applicant, listed_in: EnrolmentName | None
) -> Enrolment | None:
    """Return the most specific enrolment that matches, or None. `listed_in` is the enrolment whose list contains the
    device."""
    matching = [each for each in enrolments if matches(each.match, applicant, listed=each.name == listed_in)]
    if not matching:
        return None
    return reduce(lambda best, each: each if is_more_specific(each.match, best.match) else best, matching)


def is_more_specific(one: Match, other: Match) -> bool:
    if one.listed or other.listed:
        return one.listed and not other.listed
    return _includes(other, one) and not _includes(one, other)


def require_unambiguous(new: Enrolment, existing: Iterable[Enrolment]) -> None:
    """Raise `Conflict` ENROLMENT_AMBIGUOUS if for some device it is unclear whether `new` applies. It is always clear
    at a door where the device names its enrolment."""
    if new.door is not Door.REGISTRATION:
        return
    for each in existing:
        if each.name == new.name or each.door is not new.door or not _overlap(each.match, new.match):
            continue
        if not (is_more_specific(new.match, each.match) or is_more_specific(each.match, new.match)):
            state = f" ({each.state})" if each.state != "active" else ""
            raise Conflict(
                "ENROLMENT_AMBIGUOUS",
                f"got conditions that match some of the devices of enrolment {each.name}{state}, want conditions that"
                " match none of them, only some of them, or all of them and others",
            )


def _includes(wide: Match, narrow: Match) -> bool:
    """Return whether `wide` matches each device that `narrow` matches. Lists are not considered."""
    return (
        wide.ca in (None, narrow.ca)
        and wide.subject.items() <= narrow.subject.items()
        and name_patterns.includes(_pattern(wide), _pattern(narrow))
    )


def _overlap(one: Match, other: Match) -> bool:
    """Return whether a device can match both. Two lists have no serial number in common."""
    return (
        not (one.listed and other.listed)
        and (None in (one.ca, other.ca) or one.ca == other.ca)
        and _agree(one.subject, other.subject)
        and name_patterns.overlap(_pattern(one), _pattern(other))
    )


def _agree(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return all(other.get(key, value) == value for key, value in one.items())


def _pattern(match: Match) -> NamePattern:
    return match.name_pattern or _ANY_NAME
