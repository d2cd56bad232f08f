"""The table writes since a snapshot."""

from pathlib import Path

from infra.local.ministack.journal import Journal


def test_what_was_appended_is_read_again_in_order_by_the_next_process(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"n": "1"})
    following = journal.rotate()
    journal.append({"n": "2"})
    journal.close()
    again = Journal(tmp_path)
    assert [entry["n"] for entry in again.since(1)] == ["1", "2"]
    assert [entry["n"] for entry in again.since(following)] == ["2"]
    assert again.number == following + 1


def test_what_a_snapshot_holds_is_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"n": "1"})
    journal.forget_before(journal.rotate())
    assert list(Journal(tmp_path).since(1)) == []


def test_a_line_cut_off_by_the_kill_is_dropped_and_the_next_process_writes_on(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text('{"n": "1"}\n{"n": "2')
    journal = Journal(tmp_path)
    journal.append({"n": "3"})
    journal.close()
    assert [entry["n"] for entry in Journal(tmp_path).since(1)] == ["1", "3"]
