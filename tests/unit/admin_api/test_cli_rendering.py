"""Rendering: widths, hostile values, sentences, and output without a terminal."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from admin_api.cli.bulk.claim_requests import ClaimRequest, ClaimRow
from admin_api.cli.bulk.claims import Outcome
from admin_api.cli.bulk.results import record_of, summary
from admin_api.cli.commands.confirmation import effect_of_move, effect_of_release, effect_of_revocation
from admin_api.cli.exits import Status
from admin_api.cli.follow import Progress, Verdict
from admin_api.cli.render import cells, details, tables
from admin_api.cli.screen import Screen
from lobby.errors import LobbyError
from lobby.names import Fingerprint, parse_target

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HERE = parse_target("111111111111", "eu-west-1")
CERTID = Fingerprint("ab" * 32)


def device(**changed: Any) -> dict[str, Any]:
    fields = {
        "certid": CERTID,
        "devicename": "sensor-1",
        "devstate": "failed",
        "targetaccount": HERE.account,
        "targetregion": HERE.region,
        "enteredAt": "2026-11-22T11:00:00.000Z",
        "reason": "TARGET_ROLE_DENIED",
        "profile": "default",
        "generation": 2,
        "claimedBy": "user:alice",
        "claimedAt": "2026-11-22T11:00:00.000Z",
        "firstSeen": None,
        "lobbyRegion": "us-east-1",
        "previousTargets": [],
        "allowedActions": ["retryDevice"],
        "shortForm": "ABAB",
        "labelCode": "DL1:X",
        "message": "Run it.",
        "config": {"a": 1},
        "endpoint": None,
        "lastSeen": None,
        "online": None,
        "onlineSince": None,
        "connectionProblems": [],
        "clientVersion": None,
        "certificate": None,
        "historyIntact": True,
        "history": [],
    }
    return fields | changed


def rendered(content: Any, width: int = 200) -> str:
    console = Console(width=width, markup=False, highlight=False, emoji=False, color_system=None)
    with console.capture() as captured:
        console.print(content)
    return captured.get()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_a_list_fits_the_terminal_and_keeps_the_main_columns(width: int) -> None:
    lines = rendered(tables.devices([device()], NOW, width), width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert lines[0].split()[:3] == ["STATE", "NAME", "FINGERPRINT"]
    assert ("REASON" in lines[0]) == (width >= 90)


@pytest.mark.parametrize(
    "hostile",
    ["[bold red]x[/]", "\x1b[31mred", "a\nb", "\u202eabc", ":smile:", "\x00", "\x9b31m", "[link=http://x]y[/link]"],
)
def test_values_of_other_origin_are_shown_as_printable_text(hostile: str) -> None:
    for content in (
        tables.devices([device(devicename=hostile, reason=hostile, claimedBy=hostile)], NOW, 200),
        details.device_details(device(devicename=hostile, message=hostile, config=hostile, endpoint=hostile), NOW),
        tables.targets(
            [
                {"account": "1", "region": "r", "name": hostile, "profiles": [], "rate": 9, "createdBy": hostile}
                | {"createdAt": "x", "lane": {"waiting": 2, "pausedAt": "x", "pausedBy": hostile}}
            ],
            NOW,
        ),
        tables.findings({"findings": [{"ok": False, "step": hostile, "message": hostile}]}),
    ):
        text = rendered(content)
        assert all(char.isprintable() for char in text.replace("\n", ""))
        if hostile.isprintable():
            assert hostile in text


@pytest.mark.parametrize(
    ("elapsed", "text"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (7200, "2 h"),
        (90000, "1 d"),
        (8e6, "92 d"),
    ],
)
def test_an_age_is_shown_in_its_largest_unit(elapsed: float, text: str) -> None:
    assert cells.age((NOW - timedelta(seconds=elapsed)).isoformat(), NOW) == text


@pytest.mark.parametrize("invalid", [None, "", "yesterday", 5, "2026-11-22T11:00:00"])
def test_an_invalid_time_is_shown_unchanged(invalid: object) -> None:
    assert cells.age(invalid, NOW) == cells.clean(invalid)


def test_the_validity_of_the_hash_chain_is_shown() -> None:
    assert "HASH CHAIN INVALID" in rendered(details.device_details(device(historyIntact=False), NOW))
    assert "hash chain valid" in rendered(details.device_details(device(), NOW))


def test_a_device_without_a_claim_shows_none() -> None:
    text = rendered(
        details.device_details(device(targetaccount=None, targetregion=None, reason=None, message=None), NOW)
    )
    assert not [word for word in ("target", "claim ", "config", "reason", "what to do") if f"  {word}" in text]


@pytest.mark.parametrize(
    ("count", "highest", "length"), [(0, 0, 0), (0, 9, 0), (1, 10_000, 1), (5, 10, 15), (10, 10, 30)]
)
def test_a_bar_shows_every_count_above_zero(count: int, highest: int, length: int) -> None:
    assert len(details.bar(count, highest)) == length


def test_the_effect_of_a_change_depends_on_the_state() -> None:
    assert "moves from 111111111111/eu-west-1 to 222222222222/us-east-1" in effect_of_move(
        device(), parse_target("222222222222", "us-east-1")
    )
    assert "is expected for" in effect_of_move(device(devstate="expected"), HERE)
    assert "returns from 111111111111/eu-west-1 to the lobby" in effect_of_release(device())
    assert "no longer expected" in effect_of_release(device(devstate="expected"))
    assert "stays refused" in effect_of_release(device(devstate="refused"))
    assert "disconnected from 111111111111/eu-west-1. This cannot be undone." in effect_of_revocation(device())
    assert "has never connected" in effect_of_revocation({"certid": CERTID, "devicename": None, "devstate": None})


def test_a_progress_line_has_seconds_state_and_reason() -> None:
    line = tables.progress_line(Progress(CERTID, 3.21, device(), Verdict.LOST)).plain
    assert line.split() == ["3.2", "s", "sensor-1", "(abababababab)", "failed", "TARGET_ROLE_DENIED:", "Run", "it."]


def test_outcomes_are_summarized_by_state_and_code() -> None:
    row = ClaimRow(2, CERTID, ClaimRequest(HERE))
    outcomes = [
        Outcome(row, device=device(devstate="expected")),
        Outcome(row, device=device(devstate="arrived")),
        Outcome(row, "REVOKED", "no"),
    ]
    assert summary(outcomes) == "2 succeeded (1 expected, 1 arrived); 1 failed (1 REVOKED)"
    assert "✗" in rendered(tables.outcomes(outcomes, "LINE"))
    assert record_of(outcomes[2])["code"] == "REVOKED"


def test_without_a_terminal_there_is_no_live_output_and_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=False)
    with screen.progress_bar("devices", 3) as bar, screen.live("waiting") as live:
        bar.advance(3)
        assert live is None
    screen.show(tables.devices([device()], NOW, screen.width))
    screen.fail(LobbyError("REVOKED", "got\nno\x1bthing"), Status.REFUSED)
    output = capsys.readouterr()
    assert "\x1b" not in output.out + output.err
    assert output.err == "error: REVOKED: got no�thing\n"
    assert not [line for line in output.out.splitlines() if line.endswith(" ")]


def test_with_json_every_record_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=True)
    screen.record({"long": "x" * 500, "odd": "\ud800\u202e[bold]"})
    screen.fail(LobbyError("REVOKED", "x" * 500), Status.REFUSED)
    output = capsys.readouterr()
    assert json.loads(output.out)["odd"] == "\ud800\u202e[bold]"
    assert json.loads(output.err)["error"] == {"code": "REVOKED", "message": "x" * 500, "exit": 1}
    assert (output.out.count("\n"), output.err.count("\n")) == (1, 1)
