"""`lobbyctl claim`: by name, by photo, by list; what is sent and told, and what is refused before anything is sent."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint
from lobby.wire import encode_label
from pki import manifest
from pki.labels import encode_png, render_label
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.lobby_over_http import JSON, LobbyServer, Terminal, error_of

ELSEWHERE = "There"


def held(lobby: Lobby, certid: Fingerprint) -> Any:
    """What the ledger holds of it: target, profile and config; None for nothing."""
    device = lobby.ledger.get(certid)
    return device and (device.target, device.profile, device.config)


def sheet(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def sent(server: LobbyServer) -> list[list[str]]:
    """The fingerprints of each bulk that was sent."""
    return [asked["variables"]["certids"] for asked in server.asked if "claimDevices" in asked["query"]]


@pytest.mark.parametrize("form", ["fingerprint", "label", "digits", "name"])
def test_a_device_is_claimed_by_whatever_names_it(terminal: Terminal, lobby: Lobby, form: str) -> None:
    certid = lobby.waiting(0xABCDE << 236, "sensor-1")
    said = {"fingerprint": certid.upper(), "label": encode_label(certid), "digits": certid[:8], "name": "sensor-1"}[
        form
    ]
    done = terminal.run("claim", said, "--target", "here", "--profile", "camera", "--config", '{"every": 5}')
    assert done.exit_code == 0, done.output
    assert held(lobby, certid) == (HERE, "camera", {"every": 5})
    assert "claimed" in done.stdout
    assert lobby.ledger.history(certid)[-1].actor == "user:operator"


def test_a_device_that_was_never_seen_is_expected(terminal: Terminal, lobby: Lobby) -> None:
    (told,) = terminal.records("claim", fingerprint(1), "-t", str(HERE))
    assert (told["ok"], told["devstate"], told["target"]) == (True, "expected", str(HERE))


def test_one_target_need_not_be_named_and_of_several_one_must(terminal: Terminal, lobby: Lobby) -> None:
    done = terminal.run("--json", "claim", fingerprint(1))
    assert (done.exit_code, error_of(done)["code"]) == (2, "TARGET_MISSING")
    terminal.served.groups["technician"] = ("technician", f"target:{THERE}")
    (told,) = terminal.records("claim", fingerprint(1), "--as", "technician")
    assert told["target"] == str(THERE)


def test_a_config_that_is_no_json_is_text_and_one_that_should_be_is_refused(terminal: Terminal, lobby: Lobby) -> None:
    assert terminal.run("claim", fingerprint(1), "-t", "Here", "--config", "fast, please").exit_code == 0
    assert held(lobby, fingerprint(1)) == (HERE, "default", "fast, please")
    for bad in ('{"a": ', "[1]", '{"n": NaN}', "factory reset", "x" * 9000):
        done = terminal.run("--json", "claim", fingerprint(2), "-t", "Here", "--config", bad)
        assert (done.exit_code, error_of(done)["code"]) == (2, "INVALID_CONFIG"), bad
    assert held(lobby, fingerprint(2)) is None


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["zz", "-t", "Here"], 1, "UNKNOWN_DEVICE"),
        ([fingerprint(1), "-t", "Nowhere"], 1, "UNKNOWN_TARGET"),
        ([fingerprint(1), "-t", "123/eu-west-1"], 2, "INVALID_ACCOUNT"),
        ([fingerprint(1), "-t", "Here", "--profile", "submarine"], 1, "UNKNOWN_PROFILE"),
        ([fingerprint(1), "-t", "Here", "--profile", "../x"], 2, "INVALID_PROFILE"),
        ([fingerprint(1), "-t", "Here", "--as", "viewer"], 1, "FORBIDDEN"),
        (["DL1:" + "A" * 56, "-t", "Here"], 2, "INVALID_LABEL"),
        ([], 2, "WRONG_USE"),
        ([fingerprint(1), "--file", "x.csv"], 2, "WRONG_USE"),
        ([fingerprint(1), "--skip-bad"], 2, "WRONG_USE"),
        (["--file", "absent.csv", "-t", "Here"], 2, "UNREADABLE_FILE"),
        (["--qr", "absent.png", "-t", "Here"], 2, "UNREADABLE_FILE"),
    ],
)
def test_a_claim_that_cannot_be_says_why_and_changes_nothing(
    terminal: Terminal, lobby: Lobby, words: list[str], status: int, code: str
) -> None:
    done = terminal.run("claim", *words, "--json")
    assert (done.exit_code, error_of(done)["code"], error_of(done)["exit"]) == (status, code, status)
    assert held(lobby, fingerprint(1)) is None


def test_digits_that_fit_two_devices_name_neither(terminal: Terminal, lobby: Lobby) -> None:
    one, two = lobby.waiting(0xABCDE1 << 232, "one"), lobby.waiting(0xABCDE2 << 232, "two")
    done = terminal.run("claim", "abcde", "-t", "Here")
    assert (done.exit_code, "AMBIGUOUS_DEVICE" in done.stderr) == (2, True)
    assert one[:16] in done.stderr
    assert two[:16] in done.stderr
    assert (held(lobby, one) or (None,))[0] is None


def test_every_label_on_a_photo_is_claimed(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    photo = Image.new("L", (1500, 1400), 128)
    for number in (1, 2, 3):
        photo.paste(render_label(fingerprint(number), f"sensor-{number}"), (120, 30 + 440 * (number - 1)))
    tilted = photo.rotate(4, fillcolor=128)
    tilted.save(tmp_path / "shelf.png")
    (tmp_path / "one.png").write_bytes(encode_png(render_label(fingerprint(4), "sensor-4")))
    told = terminal.records(
        "claim", "--qr", str(tmp_path / "shelf.png"), "--qr", str(tmp_path / "one.png"), "-t", "Here"
    )
    assert {each["certid"] for each in told} == {fingerprint(number) for number in (1, 2, 3, 4)}
    assert all(held(lobby, fingerprint(number)) for number in (1, 2, 3, 4))


@pytest.mark.parametrize("content", ["blank", "no picture"])
def test_a_photo_without_a_label_is_an_error_that_says_so(terminal: Terminal, tmp_path: Path, content: str) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"hello") if content == "no picture" else Image.new("L", (400, 300), 200).save(path)
    done = terminal.run("--json", "claim", "--qr", str(path), "-t", "Here")
    assert done.exit_code == 2
    assert error_of(done)["code"] == ("NO_CODE_FOUND" if content == "blank" else "UNREADABLE_FILE")


def test_the_factorys_manifest_is_claimed_as_it_is(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    rows = [manifest.Row(fingerprint(n), f"sensor-{n}", "2036-11-22T00:00:00Z") for n in range(1, 4)]  # type: ignore[arg-type]  # thing names
    path = tmp_path / "manifest.csv"
    path.write_bytes(manifest.encode(rows))
    told = terminal.records("claim", "--file", str(path), "--target", "There")
    assert [(each["line"], each["ok"]) for each in told] == [(2, True), (3, True), (4, True)]
    assert all(held(lobby, fingerprint(n))[0] == THERE for n in range(1, 4))


def test_rows_go_where_each_says_in_bulks_of_what_belongs_together(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    path = sheet(
        tmp_path / "claims.csv",
        "label;target;profile;config",
        f'{encode_label(fingerprint(1))};{HERE};camera;"{{""every"": 5}}"',
        f"{fingerprint(2)};there;;",
        f"{fingerprint(3)};;;slow",
        f"{fingerprint(4)};There;;",
    )
    done = terminal.run("claim", "--file", str(path), "-t", "Here")
    assert done.exit_code == 0, done.output
    assert "4 done (4 expected)" in done.stdout
    assert [held(lobby, fingerprint(n)) for n in (1, 2, 3, 4)] == [
        (HERE, "camera", {"every": 5}),
        (THERE, "default", "default"),
        (HERE, "default", "slow"),
        (THERE, "default", "default"),
    ]
    assert [len(bulk) for bulk in sent(server)] == [1, 2, 1]


def test_a_list_from_stdin_in_hundreds_that_is_sent_twice_is_claimed_once(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    content = "certid\n" + "".join(f"{fingerprint(n)}\n" for n in range(1, 252))
    done = terminal.run("claim", "--file", "-", "-t", "Here", stdin=content.encode())
    assert (done.exit_code, "251 done (251 expected)" in done.stdout) == (0, True)
    assert [len(bulk) for bulk in sent(server)] == [100, 100, 51]
    again = terminal.run("claim", "--file", "-", "-t", "Here", stdin=content.encode())
    assert (again.exit_code, "251 done" in again.stdout) == (0, True)
    assert [len(lobby.ledger.history(fingerprint(n))) for n in (1, 101, 251)] == [1, 1, 1]


def test_a_row_that_asks_for_no_config_takes_a_claim_with_one_for_done(terminal: Terminal, lobby: Lobby) -> None:
    lobby.ledger.claim(fingerprint(1), ClaimRequest(HERE, "camera", {"a": 1}), "user:alice")
    lobby.ledger.claim(fingerprint(2), ClaimRequest(THERE), "user:alice")
    content = "certid\n" + "".join(f"{fingerprint(n)}\n" for n in (1, 2, 3))
    told = terminal.records("claim", "-f", "-", "-t", "Here", stdin=content.encode(), exit_code=5)
    assert [(each["ok"], each["code"]) for each in told] == [(True, None), (False, "ALREADY_CLAIMED"), (True, None)]
    assert str(THERE) in told[1]["message"]
    assert held(lobby, fingerprint(1)) == (HERE, "camera", {"a": 1})
    (other,) = terminal.records("claim", fingerprint(1), "-t", "Here", "--config", "b", exit_code=1)
    assert other["code"] == "ALREADY_CLAIMED"


def test_bad_rows_are_named_by_line_and_nothing_is_sent_unless_they_may_be_skipped(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    path = sheet(
        tmp_path / "claims.csv", "certid,target", f"{fingerprint(1)},Here", "zz,Here", f"{fingerprint(3)},Mars"
    )
    done = terminal.run("claim", "--file", str(path))
    assert done.exit_code == 2
    assert "line 3: INVALID_FINGERPRINT" in done.stderr
    assert "line 4: UNKNOWN_TARGET" in done.stderr
    assert "error: BAD_ROWS" in done.stderr
    assert not sent(server)
    out = tmp_path / "out.csv"
    skipping = terminal.run("claim", "--file", str(path), "--skip-bad", "--out", str(out))
    assert skipping.exit_code == 5
    assert sent(server) == [[fingerprint(1)]]
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["ok"]) for row in rows] == [("3", "no"), ("4", "no"), ("2", "yes")]


def test_a_dry_run_checks_everything_and_sends_nothing(terminal: Terminal, server: LobbyServer, tmp_path: Path) -> None:
    path = sheet(tmp_path / "claims.csv", "certid,target", f"{fingerprint(1)},Here", f"{fingerprint(2)},There")
    told = terminal.records("claim", "--file", str(path), "--dry-run")
    assert [(each["line"], each["target"], each["dryRun"]) for each in told] == [
        (2, str(HERE), True),
        (3, str(THERE), True),
    ]
    assert not sent(server)


def test_the_results_are_kept_as_a_list_too(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    lobby.ledger.revoke(fingerprint(2), "stolen", "user:alice")
    path = sheet(tmp_path / "claims.csv", "certid", fingerprint(1), fingerprint(2))
    done = terminal.run("claim", "-f", str(path), "-t", "Here", "--out", str(tmp_path / "out.csv"))
    assert done.exit_code == 5
    with (tmp_path / "out.csv").open() as out:
        rows = list(csv.DictReader(out))
    assert [(row["line"], row["ok"], row["code"], row["devstate"]) for row in rows] == [
        ("2", "yes", "", "expected"),
        ("3", "no", "REVOKED", ""),
    ]
    assert "1 done (1 expected); 1 not done (1 REVOKED)" in done.stdout


def test_results_are_not_written_over_the_list_they_are_of(
    terminal: Terminal, server: LobbyServer, tmp_path: Path
) -> None:
    path = sheet(tmp_path / "claims.csv", "certid", fingerprint(1))
    assert terminal.run("claim", "-f", str(path), "-t", "Here", "--out", str(path)).exit_code == 2
    assert terminal.run("claim", "-f", str(path), "-t", "Here", "--out", str(tmp_path)).exit_code == 2
    assert path.read_text() == f"certid\n{fingerprint(1)}\n"
    assert not sent(server)


def test_what_the_lobby_had_no_time_for_is_sent_again(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    certids = [fingerprint(n) for n in range(1, 5)]

    def a_new_request(number: int) -> None:
        lobby.seconds = iter([0.0, 1e6]) if number == 2 else None

    server.meanwhile = a_new_request
    told = terminal.records("claim", *certids, "-t", "Here")
    assert all(each["ok"] for each in told)
    assert sent(server)[0] == certids
    assert len(sent(server)) == 2


def test_a_lobby_that_goes_away_in_the_middle_leaves_the_rest_and_says_so(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    def away(number: int) -> None:
        if number >= 3:
            server.canned = [(0, {}, "")]

    server.meanwhile = away
    path = sheet(tmp_path / "claims.csv", "certid", *(fingerprint(n) for n in range(1, 302)))
    done = terminal.run("claim", "-f", str(path), "-t", "Here", "--out", str(tmp_path / "out.csv"))
    assert done.exit_code == 4
    with (tmp_path / "out.csv").open() as out:
        codes = [row["code"] for row in csv.DictReader(out)]
    assert codes == [""] * 100 + ["UNREACHABLE"] * 100 + ["NOT_TRIED"] * 101
    server.meanwhile = lambda _number: None
    assert terminal.run("claim", "-f", str(path), "-t", "Here").exit_code == 0


def test_ctrl_c_says_how_far_it_came(terminal: Terminal, server: LobbyServer, tmp_path: Path) -> None:
    def too_busy(number: int) -> None:
        server.canned = [(503, JSON, "{}")] if number == 3 else []

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    server.meanwhile = too_busy
    path = sheet(tmp_path / "claims.csv", "certid", *(fingerprint(n) for n in range(1, 302)))
    done = terminal.run("claim", "-f", str(path), "-t", "Here", "--out", str(tmp_path / "out.csv"), pause=interrupted)
    assert done.exit_code == 130
    assert "100 of 301 were sent" in done.stderr
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 101


def test_what_a_program_is_told_beside_the_results_is_json_too(terminal: Terminal, tmp_path: Path) -> None:
    path = sheet(tmp_path / "claims.csv", "certid", fingerprint(1), fingerprint(1), "zz")
    done = terminal.run("--json", "claim", "-f", str(path), "-t", "Here")
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert list(told[0]) == ["note"]
    assert (told[1]["line"], told[1]["code"]) == (4, "INVALID_FINGERPRINT")
    assert told[2]["error"]["code"] == "BAD_ROWS"


def test_a_bulk_that_is_refused_whole_is_told_for_each_row_and_the_next_one_goes_on(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    refusal = {"errors": [{"message": "got no luck", "extensions": {"code": "FORBIDDEN"}}], "data": None}

    def no_once(number: int) -> None:
        server.canned = [(200, JSON, json.dumps(refusal))] if number == 2 else []

    server.meanwhile = no_once
    path = sheet(tmp_path / "claims.csv", "certid,target", f"{fingerprint(1)},Here", f"{fingerprint(2)},There")
    told = terminal.records("claim", "-f", str(path), exit_code=5)
    assert [(each["line"], each["code"]) for each in told] == [(2, "FORBIDDEN"), (3, None)]
