"""`lobbyctl claim --file`: claim lists, results files, and interrupted runs."""

import csv
import json
from pathlib import Path

import pytest

from lobby.domain.transitions import ClaimRequest
from lobby.text.label import encode_label
from pki.devices import manifest
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.device_steps import claim_of
from tests.functional.admin_api.lobby_over_http import JSON, LobbyServer, Terminal


def write_lines(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def sent(server: LobbyServer) -> list[list[str]]:
    """Return the fingerprints in each `claimDevices` request."""
    return [request["variables"]["certids"] for request in server.requests if "claimDevices" in request["query"]]


def test_a_manifest_is_claimed_unchanged(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    rows = [manifest.Row(fingerprint(n), f"sensor-{n}", "2036-11-22T00:00:00Z") for n in range(1, 4)]  # type: ignore[arg-type]  # thing names
    path = tmp_path / "manifest.csv"
    path.write_bytes(manifest.encode(rows))
    records = terminal.records("claim", "--file", str(path), "--target", "There")
    assert [(each["line"], each["ok"]) for each in records] == [(2, True), (3, True), (4, True)]
    assert all(claim_of(lobby, fingerprint(n))[0] == THERE for n in range(1, 4))


def test_rows_with_the_same_request_are_sent_together(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    path = write_lines(
        tmp_path / "claims.csv",
        "label;target;profile;config",
        f'{encode_label(fingerprint(1))};{HERE};camera;"{{""every"": 5}}"',
        f"{fingerprint(2)};there;;",
        f"{fingerprint(3)};;;slow",
        f"{fingerprint(4)};There;;",
    )
    result = terminal.run("claim", "--file", str(path), "-t", "Here")
    assert result.exit_code == 0, result.output
    assert "4 succeeded (4 expected)" in result.stdout
    assert [claim_of(lobby, fingerprint(n)) for n in (1, 2, 3, 4)] == [
        (HERE, "camera", {"every": 5}),
        (THERE, "default", "default"),
        (HERE, "default", "slow"),
        (THERE, "default", "default"),
    ]
    assert [len(certids) for certids in sent(server)] == [1, 2, 1]


@pytest.mark.slow
def test_a_list_from_stdin_is_sent_in_chunks_and_can_be_repeated(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    content = "certid\n" + "".join(f"{fingerprint(n)}\n" for n in range(1, 252))
    result = terminal.run("claim", "--file", "-", "-t", "Here", stdin=content.encode())
    assert (result.exit_code, "251 succeeded (251 expected)" in result.stdout) == (0, True)
    assert [len(certids) for certids in sent(server)] == [100, 100, 51]
    again = terminal.run("claim", "--file", "-", "-t", "Here", stdin=content.encode())
    assert (again.exit_code, "251 succeeded" in again.stdout) == (0, True)
    assert [len(lobby.ledger.history(fingerprint(n))) for n in (1, 101, 251)] == [1, 1, 1]


def test_a_row_without_a_config_accepts_a_claim_with_one(terminal: Terminal, lobby: Lobby) -> None:
    lobby.ledger.claim(fingerprint(1), ClaimRequest(HERE, "camera", {"a": 1}), "user:alice")
    lobby.ledger.claim(fingerprint(2), ClaimRequest(THERE), "user:alice")
    content = "certid\n" + "".join(f"{fingerprint(n)}\n" for n in (1, 2, 3))
    records = terminal.records("claim", "-f", "-", "-t", "Here", stdin=content.encode(), exit_code=5)
    assert [(each["ok"], each["code"]) for each in records] == [(True, None), (False, "ALREADY_CLAIMED"), (True, None)]
    assert str(THERE) in records[1]["message"]
    assert claim_of(lobby, fingerprint(1)) == (HERE, "camera", {"a": 1})
    (other,) = terminal.records("claim", fingerprint(1), "-t", "Here", "--config", "b", exit_code=1)
    assert other["code"] == "ALREADY_CLAIMED"


def test_invalid_rows_are_reported_by_line_and_sent_only_with_skip_bad(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    path = write_lines(
        tmp_path / "claims.csv", "certid,target", f"{fingerprint(1)},Here", "zz,Here", f"{fingerprint(3)},Mars"
    )
    result = terminal.run("claim", "--file", str(path))
    assert result.exit_code == 2
    assert "line 3: INVALID_FINGERPRINT" in result.stderr
    assert "line 4: UNKNOWN_TARGET" in result.stderr
    assert "error: BAD_ROWS" in result.stderr
    assert not sent(server)
    out = tmp_path / "out.csv"
    skipping = terminal.run("claim", "--file", str(path), "--skip-bad", "--out", str(out))
    assert skipping.exit_code == 5
    assert sent(server) == [[fingerprint(1)]]
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["ok"]) for row in rows] == [("3", "no"), ("4", "no"), ("2", "yes")]


def test_a_dry_run_checks_list_and_ledger_and_sends_nothing(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    lobby.ledger.revoke(fingerprint(3), "stolen", "user:alice")
    lobby.ledger.claim(fingerprint(4), ClaimRequest(THERE), "user:alice")
    lobby.ledger.claim(fingerprint(5), ClaimRequest(HERE), "user:alice")
    rows = [f"{fingerprint(1)},Here", f"{fingerprint(2)},There", *(f"{fingerprint(n)},Here" for n in (3, 4, 5))]
    path = write_lines(tmp_path / "claims.csv", "certid,target", *rows)
    result = terminal.run("claim", "--file", str(path), "--dry-run")
    assert result.exit_code == 5
    assert "would claim 2 devices for 111111111111/eu-west-1" in result.stderr
    assert "would claim 1 device for 222222222222/us-east-1" in result.stderr
    assert "would refuse 2 (1 REVOKED, 1 ALREADY_CLAIMED)" in result.stderr
    assert "already claimed for 222222222222/us-east-1 (expected)" in " ".join(result.stdout.split())
    records = terminal.records("claim", "--file", str(path), "--dry-run", exit_code=5)
    assert [(each["line"], each["target"], each["code"], each["dryRun"]) for each in records] == [
        (2, str(HERE), None, True),
        (3, str(THERE), None, True),
        (4, str(HERE), "REVOKED", True),
        (5, str(HERE), "ALREADY_CLAIMED", True),
        (6, str(HERE), None, True),
    ]
    assert not sent(server)


def test_results_are_written_to_a_file(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    lobby.ledger.revoke(fingerprint(2), "stolen", "user:alice")
    path = write_lines(tmp_path / "claims.csv", "certid", fingerprint(1), fingerprint(2))
    result = terminal.run("claim", "-f", str(path), "-t", "Here", "--out", str(tmp_path / "out.csv"))
    assert result.exit_code == 5
    with (tmp_path / "out.csv").open() as out:
        rows = list(csv.DictReader(out))
    assert [(row["line"], row["ok"], row["code"], row["devstate"]) for row in rows] == [
        ("2", "yes", "", "expected"),
        ("3", "no", "REVOKED", ""),
    ]
    assert "1 succeeded (1 expected); 1 failed (1 REVOKED)" in result.stdout


def test_results_do_not_overwrite_the_claim_list(terminal: Terminal, server: LobbyServer, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "claims.csv", "certid", fingerprint(1))
    assert terminal.run("claim", "-f", str(path), "-t", "Here", "--out", str(path)).exit_code == 2
    assert terminal.run("claim", "-f", str(path), "-t", "Here", "--out", str(tmp_path)).exit_code == 2
    assert path.read_text() == f"certid\n{fingerprint(1)}\n"
    assert not sent(server)


def test_devices_that_were_not_tried_are_sent_again(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    certids = [fingerprint(n) for n in range(1, 5)]

    def exhaust_time(number: int) -> None:
        lobby.seconds = iter([0.0, 1e6]) if number == 2 else None

    server.before_request = exhaust_time
    records = terminal.records("claim", *certids, "-t", "Here")
    assert all(each["ok"] for each in records)
    assert sent(server)[0] == certids
    assert len(sent(server)) == 2


@pytest.mark.slow
def test_a_lost_connection_leaves_the_remaining_rows_not_tried(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    def disconnect(number: int) -> None:
        if number >= 3:
            server.canned = [(0, {}, "")]

    server.before_request = disconnect
    path = write_lines(tmp_path / "claims.csv", "certid", *(fingerprint(n) for n in range(1, 302)))
    result = terminal.run("claim", "-f", str(path), "-t", "Here", "--out", str(tmp_path / "out.csv"))
    assert result.exit_code == 4
    with (tmp_path / "out.csv").open() as out:
        codes = [row["code"] for row in csv.DictReader(out)]
    assert codes == [""] * 100 + ["UNREACHABLE"] * 100 + ["NOT_TRIED"] * 101
    server.before_request = lambda _number: None
    assert terminal.run("claim", "-f", str(path), "-t", "Here").exit_code == 0


def test_ctrl_c_reports_how_many_claims_were_sent(terminal: Terminal, server: LobbyServer, tmp_path: Path) -> None:
    def too_busy(number: int) -> None:
        server.canned = [(503, JSON, "{}")] if number == 3 else []

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    server.before_request = too_busy
    path = write_lines(tmp_path / "claims.csv", "certid", *(fingerprint(n) for n in range(1, 302)))
    result = terminal.run("claim", "-f", str(path), "-t", "Here", "--out", str(tmp_path / "out.csv"), sleep=interrupted)
    assert result.exit_code == 130
    assert "100 of 301 claims sent" in result.stderr
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 101


def test_json_notes_and_errors_are_json_records(terminal: Terminal, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "claims.csv", "certid", fingerprint(1), fingerprint(1), "zz")
    result = terminal.run("--json", "claim", "-f", str(path), "-t", "Here")
    records = [json.loads(line) for line in result.stderr.splitlines()]
    assert list(records[0]) == ["note"]
    assert (records[1]["line"], records[1]["code"]) == (4, "INVALID_FINGERPRINT")
    assert records[2]["error"]["code"] == "BAD_ROWS"


def test_a_refused_chunk_fails_each_of_its_rows_and_the_next_is_sent(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    refusal = {"errors": [{"message": "got no luck", "extensions": {"code": "FORBIDDEN"}}], "data": None}

    def refuse_once(number: int) -> None:
        server.canned = [(200, JSON, json.dumps(refusal))] if number == 2 else []

    server.before_request = refuse_once
    path = write_lines(tmp_path / "claims.csv", "certid,target", f"{fingerprint(1)},Here", f"{fingerprint(2)},There")
    records = terminal.records("claim", "-f", str(path), exit_code=5)
    assert [(each["line"], each["code"]) for each in records] == [(2, "FORBIDDEN"), (3, None)]
