"""The command `lobby-verify`: what it states, its exit statuses, hostile files, and that its file alone is enough."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lobby import verify_history
from lobby.domain.history.history_audit import ANCHORED_WITHIN
from lobby.verify_history import MAX_BYTES, main
from tests.history_key import KEY_NAME
from tests.unit.lobby.domain.tampering import CERTID, Case, anchors_of, chain, row_after, valid
from tests.unit.lobby.exported_history import exported, listing


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    status = main([str(each) for each in arguments])
    return status, capsys.readouterr().out


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "history.json"
    path.write_text(json.dumps(exported(valid()), indent=1))
    return path


def test_a_listing_without_all_entries_alone_proves_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = chain(age=ANCHORED_WITHIN / 2)
    export = exported(Case([*entries], row_after(entries), []))
    file.write_text(json.dumps(export))
    bucket = file.with_name("bucket.json")
    bucket.write_text(json.dumps(listing(export)))
    status, output = run(capsys, file, "--anchors", bucket)
    assert (status, output.splitlines()[0]) == (3, f"NOT PROVEN  {CERTID}")
    assert "the rest: your listing has 0 of 5 entries, up to number 0" in output


def test_the_command_states_what_is_proven_and_what_is_not(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bucket = file.with_name("bucket.json")
    bucket.write_text(json.dumps(listing(exported(valid()))))
    status, alone = run(capsys, file)
    assert (status, f"that the lobby signed it: whose key SHA256:{KEY_NAME} is (--key)" in alone) == (3, True)
    status, by_key = run(capsys, file, "--key", f"SHA256:{KEY_NAME}")
    assert (status, "you named its key" in by_key, "(--anchors)" in by_key) == (0, True, True)
    status, by_listing = run(capsys, file, "--anchors", bucket)
    assert (status, "5 of 5 entries have their hashes in the bucket" in by_listing) == (0, True)
    status, text = run(capsys, file, "--key", KEY_NAME, "--anchors", bucket, "--device", CERTID, "--json")
    record = json.loads(text)
    assert (status, record["ok"], record["code"], record["entries"]) == (0, True, None, 5)
    assert len(record["proven"]) == 3
    assert len(record["not_proven"]) == 2


def test_a_truncated_export_is_refused_by_a_listing_with_later_entries(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its writer has made up the row and signed with a key of their own. The lobby's key shows when it was whole."""
    entries = chain()[:3]
    file.write_text(json.dumps(exported(Case([*entries], row_after(entries), anchors_of(entries)))))
    bucket = file.with_name("bucket.json")
    bucket.write_text(json.dumps(listing(exported(valid()))))
    status, text = run(capsys, file, "--anchors", bucket, "--json")
    record = json.loads(text)
    assert (status, record["ok"], record["code"], record["seq"]) == (1, False, "MISSING", 4)
    assert run(capsys, file, "--anchors", bucket)[1].startswith("REFUSED  MISSING: entry 4 is missing: your listing")
    status, newer = run(capsys, file, "--anchors", bucket, "--key", KEY_NAME)
    assert (status, "your listing has 3 of 3 entries, up to number 5" in newer) == (0, True)


def test_the_row_is_proven_by_the_key_only(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bucket = file.with_name("bucket.json")
    bucket.write_text(json.dumps(listing(exported(valid()))))
    for more, is_proven in (((), False), (("--anchors", bucket), False), (("--key", KEY_NAME), True)):
        record = json.loads(run(capsys, file, *more, "--json")[1])
        assert any("row" in fact for fact in record["proven"]) is is_proven
        assert any("row" in fact for fact in record["not_proven"]) is not is_proven


def test_a_refusal_is_status_1_with_the_entry(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = exported(valid())
    export["entries"][2]["actor"] = "user:\x1b[31mmallory"
    file.write_text(json.dumps(export))
    assert run(capsys, file) == (1, "REFUSED  ALTERED: entry 3 does not match its own hash\n")
    status, text = run(capsys, file, "--json")
    assert (status, json.loads(text)["seq"]) == (1, 3)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b'{"format":1,"format":2}',
        b"9" * 5000,
        b" " * (MAX_BYTES + 1),
    ],
    ids=lambda each: repr(each[:12]),
)
def test_a_hostile_file_is_unusable(content: bytes, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(content)
    status, output = run(capsys, file, "--key", KEY_NAME)
    assert (status, output.startswith("REFUSED  UNREADABLE")) == (2, True)


def test_the_error_names_what_occurs_twice_in_a_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(file.read_bytes().replace(b"{", b'{"row": 1, ', 1))
    assert "got row twice in an object" in run(capsys, file, "--key", KEY_NAME)[1]


@pytest.mark.parametrize("content", [b"NaN", b"1e999", b"[]", b"{}", b'"x"', b"7", b'{"format": Infinity}'])
def test_json_that_is_no_export_is_refused(content: bytes, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(content)
    assert run(capsys, file, "--key", KEY_NAME)[0] == 1


@pytest.mark.parametrize("path", ["absent", "."])
def test_a_file_that_cannot_be_read_is_unusable(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, tmp_path / path)[0] == 2


@pytest.mark.parametrize("option", ["--key", "--device"])
@pytest.mark.parametrize("value", ["", "x", "SHA256:", "ab" * 31, "AB" * 32])
def test_a_fingerprint_that_is_none_is_wrong_use(file: Path, option: str, value: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(file), option, value])
    assert caught.value.code == 2


def test_the_file_alone_is_enough(file: Path, tmp_path: Path) -> None:
    """Copied to an empty folder, it runs without the project, and imports nothing but cryptography."""
    source = Path(verify_history.__file__).read_text()
    alone = tmp_path / "empty" / "verify.py"
    alone.parent.mkdir()
    alone.write_text(source)
    done = subprocess.run(
        [sys.executable, "-I", alone, file, "--key", KEY_NAME], cwd=alone.parent, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    nodes = list(ast.walk(ast.parse(source)))
    modules = {each.name for node in nodes if isinstance(node, ast.Import) for each in node.names}
    modules |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {each.split(".")[0] for each in modules} - sys.stdlib_module_names == {"cryptography"}
