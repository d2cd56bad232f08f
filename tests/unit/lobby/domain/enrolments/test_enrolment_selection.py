"""Which enrolment applies to a device, and which are ambiguous."""

from itertools import permutations

import pytest

from lobby.domain.enrolments.enrolment import Applicant, EnrolmentState, Match
from lobby.domain.enrolments.enrolment_selection import matches, require_unambiguous, selected
from lobby.errors import Conflict
from lobby.names import EnrolmentName
from tests.unit.lobby.domain.sample_enrolments import CA, OTHER_CA, applicant, enrolment, named

MATCHING = {
    "ca": (Match(ca=CA), applicant(), True),
    "another ca": (Match(ca=OTHER_CA), applicant(), False),
    "field": (Match(subject={"O": "Acme"}), applicant(O="Acme"), True),
    "field with other value": (Match(subject={"O": "Acme"}), applicant(O="Acme "), False),
    "field that is missing or doubled": (Match(subject={"O": "Acme"}), applicant(), False),
    "all conditions": (named("pump-*", ca=CA, subject={"O": "Acme"}), applicant(O="Acme"), True),
    "all but one": (named("valve-*", ca=CA, subject={"O": "Acme"}), applicant(O="Acme"), False),
    "pattern": (named("pump-?"), applicant("pump-1"), True),
    "pattern matches the whole name": (named("pump-?"), applicant("pump-12"), False),
    "not in the list": (Match(listed=True), applicant(), False),
}


@pytest.mark.parametrize(("match", "device", "expected"), MATCHING.values(), ids=MATCHING)
def test_an_enrolment_matches_a_device_that_meets_all_conditions(
    match: Match, device: Applicant, expected: bool
) -> None:
    assert matches(match, device, listed=False) is expected


NARROWER = [
    (Match(ca=CA), named("pump-*", ca=CA)),
    (named("pump-*"), named("pump-*", ca=CA)),
    (named("pump-*"), named("pump-1*")),
    (named("p*1"), named("pump-*1")),
    (Match(subject={"O": "Acme"}), Match(subject={"O": "Acme", "OU": "Pumps"})),
    (Match(ca=CA), Match(listed=True)),
    (named("pump-1", ca=CA), Match(listed=True)),
]


@pytest.mark.parametrize(("wide", "narrow"), NARROWER)
def test_the_more_specific_enrolment_wins_in_either_order(wide: Match, narrow: Match) -> None:
    first, second = enrolment("wide", wide), enrolment("narrow", narrow)
    require_unambiguous(first, [second])
    require_unambiguous(second, [first])
    device = applicant("pump-1", O="Acme", OU="Pumps")
    for order in permutations([first, second]):
        assert selected(order, device, EnrolmentName("narrow")) == second


def test_a_device_outside_the_narrower_enrolment_gets_the_wider_one() -> None:
    wide, narrow = enrolment("wide"), enrolment("narrow", named("pump-*", ca=CA))
    assert selected([narrow, wide], applicant("valve-1"), None) == wide


def test_a_revoked_enrolment_still_applies_to_its_devices() -> None:
    wide = enrolment("wide")
    narrow = enrolment("narrow", named("pump-*", ca=CA), state=EnrolmentState.REVOKED)
    assert selected([wide, narrow], applicant("pump-1"), None) == narrow


def test_of_a_chain_of_three_the_most_specific_wins() -> None:
    chain = [enrolment("a"), enrolment("b", named("p*", ca=CA)), enrolment("c", named("pump-*", ca=CA))]
    for order in permutations(chain):
        assert selected(order, applicant("pump-1"), None) == chain[2]


def test_no_enrolment_applies_to_other_devices() -> None:
    assert selected([enrolment()], applicant(ca=OTHER_CA), None) is None
    assert selected([], applicant(), None) is None


AMBIGUOUS = [
    (Match(ca=CA), Match(ca=CA)),
    (Match(ca=CA), named("pump-*")),
    (named("pump-*"), named("*-1")),
    (Match(ca=CA), Match(subject={"O": "Acme"})),
    (named("?*"), named("*?")),
    (Match(subject={"O": "Acme"}), Match(subject={"OU": "Pumps"})),
]


@pytest.mark.parametrize(("one", "other"), AMBIGUOUS)
def test_ambiguous_enrolments_are_rejected(one: Match, other: Match) -> None:
    for new, existing in ((one, other), (other, one)):
        with pytest.raises(Conflict, match=r"ENROLMENT_AMBIGUOUS.*enrolment old"):
            require_unambiguous(enrolment("new", new), [enrolment("old", existing)])


DISJOINT = [
    (Match(ca=CA), Match(ca=OTHER_CA)),
    (named("pump-*"), named("valve-*")),
    (named("?"), named("??")),
    (Match(subject={"O": "Acme"}), Match(subject={"O": "Other", "OU": "Pumps"})),
    (Match(listed=True), Match(listed=True)),
    (Match(listed=True, ca=CA), Match(listed=True)),
]


@pytest.mark.parametrize(("one", "other"), DISJOINT)
def test_enrolments_without_a_common_device_are_accepted(one: Match, other: Match) -> None:
    require_unambiguous(enrolment("new", one), [enrolment("old", other)])


def test_an_enrolment_is_not_compared_with_itself() -> None:
    require_unambiguous(enrolment("same"), [enrolment("same")])
