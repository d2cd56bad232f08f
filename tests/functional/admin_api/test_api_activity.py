"""The activity log: recorded entries, filters, and pages."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lobby.domain.events.activity import ActivityFilter, activity_of
from lobby.domain.events.device_events import DeviceEvent
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.activity.activity_log import ActivityLog
from lobby.ledger.activity.activity_rows import ActivityRow
from lobby.names import Fingerprint, ThingName
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, at
from tests.functional.admin_api.lobby_over_http import Terminal, error_of

YEAR = "2026-01-01T00:00:00.000Z"
ONE, OTHER = Fingerprint("1a" * 32), Fingerprint("2b" * 32)
ASK = """
query($filter: ActivityFilter, $first: Int!, $after: String) {
  activity(filter: $filter, first: $first, after: $after) {
    nodes { at actor event certid seq devicename before after target reason } next
  }
}"""


@pytest.fixture(autouse=True)
def empty_log() -> Iterator[None]:
    yield
    with ActivityRow.batch_write() as batch:
        for row in list(ActivityRow.scan()):
            batch.delete(row)


@pytest.fixture
def log(lobby: Lobby) -> ActivityLog:
    """Two devices: claimed by ann and moved by bob; claimed by ann, and admitted."""
    lobby.ledger.claim(ONE, ClaimRequest(HERE), "user:ann")
    lobby.ledger.move(ONE, ClaimRequest(THERE), "user:bob")
    lobby.ledger.claim(OTHER, ClaimRequest(HERE), "user:ann")
    lobby.ledger.admit(Identity(OTHER, ThingName("sensor-2"), "PEM"), "service:bouncer")
    return record(lobby)


@pytest.fixture
def automatic(lobby: Lobby) -> ActivityLog:
    """A device that a rule has claimed, a campaign has moved, and services have worked on."""
    ledger = lobby.ledger
    ledger.claim(ONE, ClaimRequest(HERE), "rule:pumps")
    ledger.move(ONE, ClaimRequest(THERE), "campaign:to-there")
    ledger.admit(Identity(ONE, ThingName("sensor-1"), "PEM"), "service:bouncer")
    ledger.wake(ONE, "service:redrive")
    admitted = ledger.get(ONE)
    assert admitted
    ledger.fail(admitted, "TARGET_LIMIT", "too many", "service:commissioner")
    ledger.retry(ONE, "service:sweeper")
    return record(lobby)


def record(lobby: Lobby) -> ActivityLog:
    log = ActivityLog()
    for certid in (ONE, OTHER):
        device = lobby.ledger.get(certid)
        events = [DeviceEvent(entry, device, "lobby") for entry in lobby.ledger.history(certid)]
        log.record(filter(None, map(activity_of, events)))
    return log


def ask(lobby: Lobby, first: int = 20, after: str | None = None, **wanted: Any) -> dict[str, Any]:
    page: dict[str, Any] = lobby.ask(ASK, {"filter": wanted, "first": first, "after": after}, ("operator",)).data[
        "activity"
    ]
    return page


def found(page: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["actor"], each["event"]) for each in page["nodes"]]


def test_user_actions_are_listed_newest_first_and_device_events_are_not(lobby: Lobby, log: ActivityLog) -> None:
    page = ask(lobby)
    assert sorted(found(page)) == [("user:ann", "claim"), ("user:ann", "claim"), ("user:bob", "move")]
    assert [each["at"] for each in page["nodes"]] == sorted((each["at"] for each in page["nodes"]), reverse=True)
    [claimed] = [each for each in page["nodes"] if each["certid"] == OTHER]
    assert (claimed["devicename"], claimed["before"], claimed["after"]) == ("sensor-2", None, "expected")
    assert claimed["target"] == str(HERE)


def test_campaigns_rules_and_services_that_act_for_a_user_are_listed(lobby: Lobby, automatic: ActivityLog) -> None:
    assert sorted(found(ask(lobby))) == [
        ("campaign:to-there", "move"),
        ("rule:pumps", "claim"),
        ("service:redrive", "wake"),
        ("service:sweeper", "retry"),
    ]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"actor": "campaign:to-there"}, [("campaign:to-there", "move")]),
        ({"actor": "campaign:other"}, []),
        ({"kind": "CAMPAIGN"}, [("campaign:to-there", "move")]),
        ({"kind": "RULE"}, [("rule:pumps", "claim")]),
        ({"kind": "SERVICE"}, [("service:redrive", "wake"), ("service:sweeper", "retry")]),
        ({"kind": "USER"}, []),
        ({"kind": "SERVICE", "actor": "rule:pumps"}, []),
        ({"kind": "RULE", "target": at(HERE)}, [("rule:pumps", "claim")]),
    ],
    ids=str,
)
def test_entries_are_found_by_actor_and_kind(
    lobby: Lobby, automatic: ActivityLog, wanted: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert sorted(found(ask(lobby, **wanted))) == expected


def test_what_a_user_did_is_found_behind_the_thousand_devices_of_a_campaign(lobby: Lobby, log: ActivityLog) -> None:
    [claimed] = log.page(ActivityFilter(actor="user:bob"), 1)[0]
    later = [
        replace(claimed, at=f"2126-01-01T00:00:{n % 60:02}.000Z", actor="campaign:big", seq=n) for n in range(1_000)
    ]
    log.record(later)
    assert found(ask(lobby, kind="USER", first=1)) != []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"user": "ann"}, [("user:ann", "claim")] * 2),
        ({"user": "bob"}, [("user:bob", "move")]),
        ({"user": "nobody"}, []),
        ({"target": at(HERE)}, [("user:ann", "claim")] * 2),
        ({"target": at(THERE)}, [("user:bob", "move")]),
        ({"user": "bob", "target": at(HERE)}, []),
        ({"user": "bob", "target": at(THERE)}, [("user:bob", "move")]),
        ({"enrolment": "pumps"}, []),
        ({"since": "2020-01-01"}, [("user:ann", "claim")] * 2 + [("user:bob", "move")]),
        ({"until": "2020-01-01"}, []),
        ({"since": "2126-01-01"}, []),
        ({"user": "ann", "until": "2126-01-01T00:00:00+02:00"}, [("user:ann", "claim")] * 2),
    ],
    ids=str,
)
def test_entries_are_found_by_each_condition(
    lobby: Lobby, log: ActivityLog, wanted: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert sorted(found(ask(lobby, **wanted))) == expected


def test_pages_follow_each_other_without_gaps(lobby: Lobby, log: ActivityLog) -> None:
    seen: list[tuple[str, int]] = []
    after: str | None = None
    for _ in range(4):
        page = ask(lobby, 1, after)
        seen += [(each["certid"], each["seq"]) for each in page["nodes"]]
        after = page["next"]
        if after is None:
            break
    assert sorted(seen) == [(ONE, 1), (ONE, 2), (OTHER, 1)]


def test_an_entry_that_is_recorded_again_is_listed_once(lobby: Lobby, log: ActivityLog) -> None:
    record(lobby)
    assert len(ask(lobby)["nodes"]) == 3


def test_a_page_of_rare_entries_is_short_and_has_a_cursor(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lobby.ledger.activity.activity_log._SEARCHED", 5)
    for number in range(30):
        lobby.ledger.claim(Fingerprint(f"{number:064x}"), ClaimRequest(HERE), "user:ann")
    log = ActivityLog()
    for number in range(30):
        entries = lobby.ledger.history(Fingerprint(f"{number:064x}"))
        log.record(filter(None, (activity_of(DeviceEvent(entry, None, "lobby")) for entry in entries)))
    page, place = log.page(ActivityFilter(actor="user:ann", target=THERE), 2)
    assert (len(page), place is not None) == (0, True)


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"first": 0}, "INVALID_COUNT"),
        ({"first": 101}, "INVALID_COUNT"),
        ({"filter": {"user": ""}}, "INVALID_USER"),
        ({"filter": {"actor": "ann"}}, "INVALID_ACTOR"),
        ({"filter": {"actor": "robot:ann"}}, "INVALID_ACTOR"),
        ({"filter": {"actor": "user:"}}, "INVALID_ACTOR"),
        ({"filter": {"actor": f"user:{'a' * 300}"}}, "INVALID_ACTOR"),
        ({"filter": {"user": "ann", "actor": "user:ann"}}, "INVALID_ACTOR"),
        ({"filter": {"since": "yesterday"}}, "INVALID_TIME"),
        ({"filter": {"since": "2026-02-01", "until": "2026-01-01"}}, "INVALID_TIME"),
        ({"filter": {"enrolment": "A B"}}, "INVALID_ENROLMENT"),
        ({"filter": {"target": {"account": "1", "region": "eu-west-1"}}}, "INVALID_ACCOUNT"),
    ],
    ids=str,
)
def test_invalid_conditions_are_refused(lobby: Lobby, variables: dict[str, Any], code: str) -> None:
    assert lobby.ask(ASK, {"first": 20, **variables}, ("operator",)).code == code


def test_lobbyctl_shows_the_activity(terminal: Terminal, lobby: Lobby, log: ActivityLog) -> None:
    shown = terminal.run("activity", "--user", "bob", "--target", str(THERE))
    assert "user:bob move" in " ".join(shown.stdout.split())
    assert len(terminal.run("--json", "activity").stdout.splitlines()) == 3
    assert "user:bob move" in " ".join(terminal.run("activity", "--actor", "user:bob").stdout.split())
    assert "no activity" in terminal.run("activity", "--kind", "campaign").stderr
    assert error_of(terminal.run("--json", "activity", "--user", "a", "--actor", "user:a"))["code"] == "INVALID_ACTOR"
    assert "no activity" in terminal.run("activity", "--user", "nobody").stderr
    assert error_of(terminal.run("--json", "activity", "--since", "x"))["code"] == "INVALID_TIME"


@pytest.mark.parametrize("cursor", ["!", "2026-11-30", YEAR, f"{YEAR}#{'a' * 1024}", f"{YEAR}#\0"])
def test_another_text_is_no_cursor(lobby: Lobby, cursor: str) -> None:
    assert lobby.ask(ASK, {"filter": {}, "first": 5, "after": cursor}, ("operator",)).code == "INVALID_CURSOR"


@pytest.mark.parametrize(
    ("since", "after"), [("2026-12-01", f"{YEAR}#{ONE}#0000000001"), ("9999-12-31", None), ("9999-12-31", f"{YEAR}#")]
)
def test_no_range_ends_before_it_begins(
    lobby: Lobby, log: ActivityLog, monkeypatch: pytest.MonkeyPatch, since: str, after: str | None
) -> None:
    """DynamoDB refuses such a range (ValidationException); moto does not."""
    ranges: list[tuple[str, str]] = []
    between = ActivityRow.place.between

    def recorded(lower: str, upper: str) -> Any:
        ranges.append((lower, upper))
        return between(lower, upper)

    monkeypatch.setattr(ActivityRow.place, "between", recorded)
    assert ask(lobby, 5, after, since=since) == {"nodes": [], "next": None}
    assert all(lower <= upper for lower, upper in ranges)
