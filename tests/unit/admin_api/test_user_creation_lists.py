"""Which of a user's creations still work, how many are listed, and the commands that end them."""

from dataclasses import replace
from typing import Any

import pytest

from admin_api.cli.render import users as render
from admin_api.operations.user_creations import (
    ENDED_BY,
    MOST_OF_A_KIND,
    Creation,
    CreationKind,
    by_actor,
    of_certificates,
    of_targets,
    of_tokens,
)
from admin_api.roles import OPERATIONS
from lobby.domain.enrolments.claim_certificate import ClaimCertificate, Source
from lobby.domain.enrolments.enrolment_token import EnrolmentToken
from lobby.domain.targets.target import RegisteredTarget
from lobby.names import EnrolmentName, Fingerprint, TokenId, parse_target

NOW, LATER = "2026-11-30T10:00:00.000Z", "2026-12-30T10:00:00.000Z"
PUMPS = EnrolmentName("pumps")
TOKEN = EnrolmentToken(TokenId("pumps.abcdefghij"), "0" * 64, "user:bob", NOW, LATER, 2, None)
CERTIFICATE = ClaimCertificate(Fingerprint("ab" * 32), PUMPS, LATER, Source.ISSUED, "user:bob", NOW)


@pytest.mark.parametrize(
    ("changed", "works"),
    [({}, True), ({"uses": 2}, True), ({"expires": NOW}, False), ({"revokedat": NOW}, False)],
)
def test_a_token_is_listed_while_it_issues_certificates(changed: dict[str, Any], works: bool) -> None:
    assert [each.kind for each in of_tokens([replace(TOKEN, **changed)], NOW)] == [CreationKind.TOKEN] * works


@pytest.mark.parametrize(
    ("changed", "usable", "works"),
    [
        ({}, {PUMPS}, True),
        ({"expires": NOW}, {PUMPS}, False),
        ({"revokedat": NOW}, {PUMPS}, False),
        ({}, set(), False),
    ],
)
def test_a_claim_certificate_is_listed_while_its_enrolment_admits(
    changed: dict[str, Any], usable: set[str], works: bool
) -> None:
    found = list(of_certificates([replace(CERTIFICATE, **changed)], usable, NOW))
    assert [each.name for each in found] == [CERTIFICATE.certid] * works


@pytest.mark.parametrize(
    ("changed", "works"), [({}, True), ({"archivedat": NOW}, False), ({"archivedat": NOW, "removed": True}, False)]
)
def test_a_target_is_listed_while_devices_can_be_claimed_for_it(changed: dict[str, Any], works: bool) -> None:
    target = RegisteredTarget(parse_target("200000000002", "eu-west-1"), "Dublin", "x" * 32, (), "user:bob", NOW)
    found = [(each.name, each.actor, each.detail) for each in of_targets([replace(target, **changed)])]
    assert found == [("200000000002/eu-west-1", "user:bob", "Dublin")] * works


def creation(number: int, kind: CreationKind = CreationKind.SERIAL_NUMBER, actor: str = "user:bob") -> Creation:
    return Creation(kind, f"pump-{number:04}", actor, NOW, "")


def test_the_newest_of_each_kind_are_listed_by_kind() -> None:
    many = [creation(number) for number in range(MOST_OF_A_KIND + 5)]
    found = by_actor([*many, creation(0, CreationKind.ENROLMENT), creation(1, actor="user:ann")])
    assert [each.name for each in found["user:ann"]] == ["pump-0001"]
    assert found["user:bob"][0].kind is CreationKind.ENROLMENT
    assert found["user:bob"][1:] == many[:4:-1]


def test_each_kind_has_an_operation_and_a_command_that_end_it() -> None:
    assert set(ENDED_BY) == set(CreationKind)
    assert set(ENDED_BY.values()) <= set(OPERATIONS)
    assert all(render.end_of({"kind": kind.value, "name": "x"}) for kind in CreationKind)
    assert render.end_of({"kind": "invented", "name": "x"}) is None


@pytest.mark.parametrize(
    ("state", "why", "text"),
    [
        ("stopped", "USER_BLOCKED", "Campaign x: stopped (USER_BLOCKED); end it with: lobbyctl campaigns cancel x"),
        ("stopping", None, "Campaign x: stopping"),
    ],
)
def test_a_campaign_is_shown_with_the_command_that_ends_it(state: str, why: str | None, text: str) -> None:
    assert render.campaign_line({"name": "x", "state": state, "stoppedBecause": why}) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "1 still works"),
        (2, "2 still work"),
        (100, "100 still work; more may follow: end these, then run the same command again"),
    ],
)
def test_the_note_says_whether_more_may_follow(count: int, text: str) -> None:
    assert render.created_note([{"kind": "token"}] * count) == text
