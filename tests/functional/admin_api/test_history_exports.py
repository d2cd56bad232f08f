"""Exporting a history: what the API and `lobbyctl history export` return is what `lobby-verify` proves."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from lobby.aws.history_signer import HistorySigner
from lobby.domain.history.history_export import digest, signed
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.histories.anchor_runs import Run
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.names import Fingerprint
from lobby.verify_history import main, verify
from tests.functional.admin_api.api_on_moto import HERE, NOTARY_BUCKET, Lobby, counted, fingerprint
from tests.functional.admin_api.lobby_over_http import Terminal, error_of
from tests.history_key import KEY_NAME, PUBLIC, sign_history
from tests.unit.lobby.domain.tampering import valid
from tests.unit.lobby.exported_history import unsigned

EXPORT = "query($id: ID!) { exportHistory(certid: $id) { certid fileName content key } }"


def claimed(lobby: Lobby, number: int = 1, anchored: int = 3) -> Fingerprint:
    """A device with three entries, the first `anchored` in one object of the bucket."""
    certid = lobby.waiting(number)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    lobby.anchors.put(Run(certid, 1, tuple(each.hash for each in lobby.ledger.history(certid)[:anchored])))
    return certid


def test_an_export_is_proven_by_the_key(lobby: Lobby) -> None:
    certid = claimed(lobby)
    found = lobby.ask(EXPORT, {"id": certid}, ("viewer",)).data["exportHistory"]
    assert (found["certid"], found["key"]) == (certid, f"SHA256:{KEY_NAME}")
    assert found["fileName"] == f"history-{certid[:12]}.json"
    export = json.loads(found["content"])
    assert verify(export, KEY_NAME, None, certid)["entries"] == 3
    assert (export["lobby"], export["bucket"]) == ("999999999999/eu-west-1", NOTARY_BUCKET)
    assert export["exported_by"] == "user:alice"
    assert [each["event"] for each in export["entries"]] == ["admit", "hello", "claim"]


def test_an_export_takes_one_listing_and_two_reads(lobby: Lobby) -> None:
    certid = claimed(lobby)
    with counted() as calls:
        lobby.ask(EXPORT, {"id": certid})
    assert calls == ["ListObjectVersions", "Query", "GetItem"]


def test_an_unknown_device_has_no_export_and_a_request_has_one(lobby: Lobby) -> None:
    assert lobby.ask(EXPORT, {"id": fingerprint(9)}).data == {"exportHistory": None}
    certid = claimed(lobby)
    twice = f'{{ a: exportHistory(certid: "{certid}") {{ key }} b: exportHistory(certid: "{certid}") {{ key }} }}'
    assert lobby.ask(twice).code == "INVALID_COUNT"
    assert lobby.ask(EXPORT, {"id": "x"}).code == "INVALID_FINGERPRINT"


def test_a_long_history_is_refused(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lobby.domain.history.history_export.MAX_ENTRIES", 2)
    assert lobby.ask(EXPORT, {"id": claimed(lobby)}).code == "HISTORY_TOO_LONG"


def test_lobbyctl_writes_a_file_that_is_verified_without_the_lobby(
    terminal: Terminal, lobby: Lobby, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certid, out = claimed(lobby, 7), tmp_path / "history.json"
    result = terminal.run("history", "export", "thing-007", "--out", str(out))
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"Signed with the key SHA256:{KEY_NAME}" in result.stderr
    assert main([str(out), "--key", KEY_NAME, "--device", certid]) == 0
    capsys.readouterr()
    printed = terminal.run("history", "export", certid).stdout
    assert json.loads(printed)["entries"] == json.loads(out.read_text())["entries"]


def test_lobbyctl_does_not_overwrite_a_file(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    certid, out = claimed(lobby), tmp_path / "history.json"
    out.write_text("mine")
    result = terminal.run("--json", "history", "export", certid, "--out", str(out))
    assert (result.exit_code, error_of(result)["code"], out.read_text()) == (2, "FILE_EXISTS", "mine")
    result = terminal.run("--json", "history", "export", certid, "--out", str(tmp_path / "no" / "folder"))
    assert (result.exit_code, error_of(result)["code"]) == (2, "UNREADABLE_FILE")
    [record] = terminal.records("history", "export", certid, "--out", str(tmp_path / "new.json"))
    assert record == {"certid": certid, "file": str(tmp_path / "new.json"), "key": f"SHA256:{KEY_NAME}"}


def test_tampering_in_the_tables_is_found_in_the_export(
    terminal: Terminal, lobby: Lobby, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    altered, unreadable, deleted = (claimed(lobby, number) for number in (1, 2, 3))
    HistoryRow(altered, 2).update(actions=[HistoryRow.actor.set("user:mallory")])
    HistoryRow(unreadable, 2).update(actions=[HistoryRow.event.set("nonsense")])
    for seq in (1, 2, 3):
        HistoryRow(deleted, seq).delete()
    LedgerRow(deleted).delete()
    found = []
    for certid in (altered, unreadable, deleted):
        out = tmp_path / certid
        assert terminal.run("history", "export", certid, "--out", str(out)).exit_code == 0
        assert main([str(out), "--key", KEY_NAME, "--json"]) == 1
        record = json.loads(capsys.readouterr().out)
        found.append((record["code"], record["seq"]))
    assert found == [("ALTERED", 2), ("ALTERED", 2), ("MISSING", 1)]


def test_an_unknown_device_cannot_be_exported(terminal: Terminal) -> None:
    result = terminal.run("--json", "history", "export", fingerprint(9))
    assert (result.exit_code, error_of(result)["code"]) == (1, "UNKNOWN_DEVICE")


class Kms:
    """AWS KMS as its API reference describes it. Moto hashes a digest once more."""

    def get_public_key(self, **wanted: str) -> dict[str, Any]:
        assert wanted == {"KeyId": "arn:key"}
        return {"PublicKey": PUBLIC}

    def sign(self, *, Message: bytes, **wanted: str) -> dict[str, Any]:  # noqa: N803  # KMS's name
        assert wanted == {"KeyId": "arn:key", "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
        return {"Signature": b64decode(sign_history(Message).value)}


def test_a_signature_of_kms_is_what_the_verifier_accepts() -> None:
    signer = HistorySigner(Kms, "arn:key")
    for _ in range(2):
        export = json.loads(json.dumps(signed(unsigned(valid()), signer.sign(digest(unsigned(valid()))))))
        assert verify(export, KEY_NAME)["entries"] == 5
