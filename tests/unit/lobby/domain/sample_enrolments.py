"""Enrolments and devices at the door, for tests."""

from typing import Any

from lobby.domain.enrolments.enrolment import Applicant, Door, Enrolment, Match
from lobby.domain.name_patterns import parse_name_pattern
from lobby.names import EnrolmentName, Fingerprint, ThingName

CA, OTHER_CA = Fingerprint("ca" * 32), Fingerprint("cb" * 32)
AT = "2026-11-29T12:00:00.000Z"
EARLIER, LATER = "2026-11-29T11:59:59.999Z", "2026-11-29T12:00:00.001Z"


def enrolment(name: str = "pumps", match: Match | None = None, **more: Any) -> Enrolment:
    return Enrolment(EnrolmentName(name), Door.REGISTRATION, match or Match(ca=CA), "user:ann", EARLIER, **more)


def named(pattern: str, **more: Any) -> Match:
    return Match(name_pattern=parse_name_pattern(pattern), **more)


def applicant(name: str = "pump-1", ca: str = CA, **subject: str) -> Applicant:
    return Applicant(Fingerprint("1d" * 32), ThingName(name), ca, subject)
