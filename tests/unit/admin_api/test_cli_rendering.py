"""How answers look: what fits, what is made harmless, and what never moves or colours where no terminal is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from admin_api.cli.bulk import Outcome
from admin_api.cli.claim_requests import Row, Wish
from admin_api.cli.effects import moving, releasing, revoking
from admin_api.cli.exits import Status
from admin_api.cli.follow import Progress, Verdict
from admin_api.cli.render import cells, details, tables
from admin_api.cli.results import Results, summary
from admin_api.cli.screen import Screen
from lobby.errors import LobbyError
from lobby.names import Fingerprint, parse_target

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HERE = parse_target("111111111111", "eu-west-1")
CERTID = Fingerprint("ab" * 32)


def device(**changed: Any) -> dict[str, Any]:
    made = {
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
        "clientVersion": None,
        "certificate": None,
        "historyIntact": True,
        "history": [],
    }
    return made | changed


def drawn(what: Any, width: int = 200, **how: Any) -> str:
    console = Console(width=width, markup=False, highlight=False, emoji=False, color_system=None, **how)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_a_list_fits_its_terminal_and_keeps_what_tells_most(width: int) -> None:
    lines = drawn(tables.devices([device()], NOW, width), width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert lines[0].split()[:3] == ["STATE", "NAME", "FINGERPRINT"]
    assert ("REASON" in lines[0]) == (width >= 90)


@pytest.mark.parametrize(
    "hostile",
    ["[bold red]x[/]", "\x1b[31mred", "a\nb", "\u202eabc", ":smile:", "\x00", "\x9b31m", "[link=http://x]y[/link]"],
)
def test_what_comes_from_elsewhere_is_shown_as_text_on_its_line(hostile: str) -> None:
    for what in (
        tables.devices([device(devicename=hostile, reason=hostile, claimedBy=hostile)], NOW, 200),
        details.device(device(devicename=hostile, message=hostile, config=hostile, endpoint=hostile), NOW),
        tables.targets(
            [{"account": "1", "region": "r", "name": hostile, "profiles": [], "createdBy": hostile, "createdAt": "x"}],
            NOW,
        ),
        tables.findings({"findings": [{"ok": False, "step": hostile, "message": hostile}]}),
    ):
        text = drawn(what)
        assert all(char.isprintable() for char in text.replace("\n", ""))
        if hostile.isprintable():
            assert hostile in text


@pytest.mark.parametrize(
    ("ago", "told"),
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
def test_an_age_is_told_in_its_largest_unit(ago: float, told: str) -> None:
    assert cells.age((NOW - timedelta(seconds=ago)).isoformat(), NOW) == told


@pytest.mark.parametrize("odd", [None, "", "yesterday", 5, "2026-11-22T11:00:00"])
def test_a_moment_that_is_none_is_shown_as_it_is(odd: object) -> None:
    assert cells.age(odd, NOW) == cells.clean(odd)


def test_a_broken_chain_is_not_to_be_overlooked() -> None:
    assert "ITS CHAIN IS BROKEN" in drawn(details.device(device(historyIntact=False), NOW))
    assert "its chain is whole" in drawn(details.device(device(), NOW))


def test_a_device_that_nobody_claimed_shows_no_claim() -> None:
    text = drawn(details.device(device(targetaccount=None, targetregion=None, reason=None, message=None), NOW))
    assert not [word for word in ("target", "claim ", "config", "reason", "what to do") if f"  {word}" in text]


@pytest.mark.parametrize(("count", "most", "length"), [(0, 0, 0), (0, 9, 0), (1, 10_000, 1), (5, 10, 15), (10, 10, 30)])
def test_a_bar_shows_what_is_there_at_all(count: int, most: int, length: int) -> None:
    assert len(details.bar(count, most)) == length


def test_what_will_happen_is_said_by_what_is() -> None:
    assert "leaves 111111111111/eu-west-1 for 222222222222/us-east-1" in moving(
        device(), parse_target("222222222222", "us-east-1")
    )
    assert "is expected for" in moving(device(devstate="expected"), HERE)
    assert "goes back to the lobby" in releasing(device())
    assert "forgotten" in releasing(device(devstate="expected"))
    assert "stays refused" in releasing(device(devstate="refused"))
    assert "cut off from 111111111111/eu-west-1. This cannot be undone." in revoking(device())
    assert "was never seen" in revoking({"certid": CERTID, "devicename": None, "devstate": None})


def test_a_change_of_a_followed_device_tells_second_state_and_reason() -> None:
    line = tables.progress_line(Progress(CERTID, 3.21, device(), Verdict.LOST)).plain
    assert line.split() == ["3.2", "s", "sensor-1", "(abababababab)", "failed", "TARGET_ROLE_DENIED:", "Run", "it."]


def test_outcomes_are_summed_up_by_what_and_why() -> None:
    row = Row(2, CERTID, Wish(HERE))
    told = [
        Outcome(row, device=device(devstate="expected")),
        Outcome(row, device=device(devstate="arrived")),
        Outcome(row, "REVOKED", "no"),
    ]
    assert summary(told) == "2 done (1 expected, 1 arrived); 1 not done (1 REVOKED)"
    assert "✗" in drawn(tables.outcomes(told, "LINE"))
    assert Results.record(told[2])["code"] == "REVOKED"


def test_without_a_terminal_nothing_moves_and_nothing_is_coloured(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=False)
    with screen.bar("devices", 3) as bar, screen.moving("waiting") as moving_thing:
        bar.advance(3)
        assert moving_thing is None
    screen.show(tables.devices([device()], NOW, screen.width))
    screen.fail(LobbyError("REVOKED", "got\nno\x1bthing"), Status.REFUSED)
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert said.err == "error: REVOKED: got no�thing\n"
    assert not [line for line in said.out.splitlines() if line.endswith(" ")]


def test_for_a_program_everything_is_json_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=True)
    screen.record({"long": "x" * 500, "odd": "\ud800\u202e[bold]"})
    screen.fail(LobbyError("REVOKED", "x" * 500), Status.REFUSED)
    said = capsys.readouterr()
    assert json.loads(said.out)["odd"] == "\ud800\u202e[bold]"
    assert json.loads(said.err)["error"] == {"code": "REVOKED", "message": "x" * 500, "exit": 1}
    assert (said.out.count("\n"), said.err.count("\n")) == (1, 1)
