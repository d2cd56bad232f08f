"""`lobbyctl regions`: what each command shows and sends, and its exit status."""

import json
from typing import Any

from tests.functional.admin_api.lobby_over_http import JSON, LobbyServer, Terminal, error_of

ADMIN = ("--as", "admin")
DUBLIN, FRANKFURT = "eu-west-1", "eu-central-1"
CERTID = "1a" * 32


def answers(server: LobbyServer, *data: dict[str, Any]) -> None:
    server.canned += [(200, JSON, json.dumps({"data": each})) for each in data]


def a_region(name: str, **more: Any) -> dict[str, Any]:
    usual = {"isHome": False, "answers": True, "why": None, "isNeeded": True, "replicatedAt": None}
    return {"name": name, **usual, **more}


def a_page(*findings: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    page = {"hasNextPage": after is not None, "endCursor": after}
    return {"regionCheck": {"checked": 2, "findings": list(findings), "pageInfo": page}}


def settings(*findings: dict[str, Any]) -> dict[str, Any]:
    return {"regionCheck": {"settings": list(findings)}}


def test_a_lobby_in_one_region_is_listed_as_its_own_home(terminal: Terminal) -> None:
    result = terminal.run("regions", "list")
    heading, row = result.stdout.splitlines()
    assert (result.exit_code, heading.split()) == (0, ["REGION", "HOME", "ANSWERS", "NEEDED", "REPLICATED"])
    assert row.split()[1:4] == ["home", "yes", "yes"]
    assert "accepts changes" in result.stderr


def test_a_region_that_is_not_home_is_shown_with_the_reason(terminal: Terminal, server: LobbyServer) -> None:
    lobby = {
        "region": FRANKFURT,
        "home": DUBLIN,
        "acceptsChanges": False,
        "code": "LEASE_EXPIRED",
        "message": "got a lease that has ended",
        "homeSince": "2026-11-01T00:00:00.000Z",
        "leaseUntil": "2026-11-30T12:00:00.000Z",
        "regions": [a_region(DUBLIN, isHome=True, answers=False, why="no answer"), a_region(FRANKFURT)],
    }
    answers(server, {"lobby": lobby})
    result = terminal.run("regions", "list")
    assert result.exit_code == 0
    assert "no: no answer" in result.stdout
    assert f"{FRANKFURT} accepts no changes now: LEASE_EXPIRED: got a lease that has ended" in result.stderr


def test_a_promotion_is_requested_again_until_it_is_complete(terminal: Terminal, server: LobbyServer) -> None:
    waits = [{"promoteRegion": {"promoted": False, "waitSeconds": seconds}} for seconds in (360, 60)]
    answers(server, *waits, {"promoteRegion": {"promoted": True, "waitSeconds": 0}})
    result = terminal.run(*ADMIN, "regions", "promote", FRANKFURT, "--yes")
    assert (result.exit_code, terminal.sleeps) == (0, [360, 60])
    assert f"{FRANKFURT} is home. Next: lobbyctl regions check" in result.stdout
    assert [request["variables"] for request in server.requests] == [{"region": FRANKFURT}] * 3


def test_a_promotion_needs_a_confirmation(terminal: Terminal, server: LobbyServer) -> None:
    result = terminal.run("--json", *ADMIN, "regions", "promote", FRANKFURT)
    assert (result.exit_code, error_of(result)["code"]) == (2, "CONFIRMATION_NEEDED")
    assert server.requests == []


def test_a_lobby_in_one_region_cannot_be_promoted(terminal: Terminal) -> None:
    result = terminal.run("--json", *ADMIN, "regions", "promote", FRANKFURT, "--yes")
    assert (result.exit_code, error_of(result)["code"]) == (1, "ONE_REGION")


def test_a_region_is_promoted_by_its_own_api(terminal: Terminal, server: LobbyServer) -> None:
    body = json.loads(terminal.lobby_file.read_text())
    own = {"graphql_url": body["graphql_url"], "user_pool_client_id": body["user_pool_client_id"]}
    body["regions"] = [{"region": FRANKFURT, **own}]
    body |= {"graphql_url": "http://127.0.0.1:9/graphql"}  # nothing listens there
    terminal.lobby_file.write_text(json.dumps(body))
    answers(server, {"promoteRegion": {"promoted": True, "waitSeconds": 0}})
    assert terminal.run(*ADMIN, "regions", "promote", FRANKFURT, "--yes").exit_code == 0


def test_the_home_continues_without_a_region(terminal: Terminal, server: LobbyServer) -> None:
    answers(server, {"continueWithout": {"home": DUBLIN, "leaseUntil": None}})
    result = terminal.run(*ADMIN, "regions", "without", FRANKFURT, "--yes")
    assert (result.exit_code, f"{DUBLIN} accepts changes without {FRANKFURT}" in result.stdout) == (0, True)


def test_a_check_reads_every_page_and_exits_with_1_if_a_change_is_missing(
    terminal: Terminal, server: LobbyServer
) -> None:
    finding = {"certid": CERTID, "code": "ROW_BEHIND", "seq": 7, "message": "got entry 7 without its row"}
    answers(server, a_page(after="next"), a_page(finding), settings())
    result = terminal.run("regions", "check", "--anchors-of", DUBLIN)
    assert (result.exit_code, "ROW_BEHIND" in result.stdout) == (1, True)
    pages = [request["variables"] for request in server.requests[:2]]
    assert [page["after"] for page in pages] == [None, "next"]
    assert {page["anchorsOf"] for page in pages} == {DUBLIN}


def test_a_check_shows_settings_that_were_replicated_in_part(terminal: Terminal, server: LobbyServer) -> None:
    found = {"kind": "enrolment", "name": "pumps", "code": "ENTRY_DIFFERS", "message": "got state active"}
    answers(server, a_page(), settings(found))
    result = terminal.run("regions", "check")
    assert result.exit_code == 1
    assert result.stdout.split()[4:] == ["enrolment", "pumps", "ENTRY_DIFFERS", "got", "state", "active"]
    answers(server, a_page(), settings(found))
    assert terminal.records("regions", "check", exit_code=1) == [{"checked": 2, "findings": [], "settings": [found]}]


def test_a_check_without_findings_succeeds(terminal: Terminal, server: LobbyServer) -> None:
    answers(server, a_page(), settings())
    result = terminal.run("regions", "check")
    output = result.stderr + result.stdout
    assert (result.exit_code, "2 devices checked; no change is missing" in output) == (0, True)
    assert "targets and enrolments checked; no change is missing" in output
    answers(server, a_page(), settings())
    assert terminal.records("regions", "check") == [{"checked": 2, "findings": [], "settings": []}]


def test_an_api_without_settings_still_shows_the_devices(terminal: Terminal, server: LobbyServer) -> None:
    finding = {"certid": CERTID, "code": "ROW_BEHIND", "seq": 7, "message": "got entry 7 without its row"}
    unknown = json.dumps({"errors": [{"message": "Cannot query field 'settings'", "extensions": {"code": "INVALID"}}]})
    for findings in ([finding], []):
        answers(server, a_page(*findings))
        server.canned.append((200, JSON, unknown))
        result = terminal.run("regions", "check")
        assert (result.exit_code, "ROW_BEHIND" in result.stdout) == (1, bool(findings))
        assert "were not checked: INVALID" in result.stderr
