"""States on the disk, as the emulator reads them."""

from pathlib import Path
from typing import Any

import pytest

from infra.local.ministack import state_files
from infra.local.ministack.patch_points import Seam
from infra.local.ministack.state_files import Saver, file_of

LOAD = Seam("ministack.core.persistence", "load_state", ("service",))
SCOPED = Seam("ministack.core.responses", "AccountRegionScopedDict")


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ministack.core.persistence.STATE_DIR", str(tmp_path / "services"))
    monkeypatch.setattr("ministack.core.persistence.PERSIST_STATE", True)


def test_what_is_saved_is_what_the_emulator_loads() -> None:
    things = SCOPED.found()()
    things.set_scoped("100000000001", "us-east-1", "lamp", {"attributes": {"certid": "ab"}})
    assert Saver().save("iot", {"things": things, "packed": b"\x00\xff"})
    loaded = LOAD.found()("iot")
    assert list(loaded["things"].all_items()) == list(things.all_items())
    assert loaded["packed"] == b"\x00\xff"


def test_the_same_again_is_not_written_but_was_looked_at() -> None:
    saver = Saver()
    assert saver.save("iot", {"a": 1})
    written = file_of("iot").stat()
    assert saver.save("iot", {"a": 1})
    again = file_of("iot").stat()
    assert again.st_ino == written.st_ino
    assert again.st_mtime_ns > written.st_mtime_ns
    assert saver.save("iot", {"a": 2})
    assert LOAD.found()("iot") == {"a": 2}


@pytest.mark.parametrize("state", [{"a": object()}, {"a": float}, [set()]])
def test_what_cannot_be_encoded_leaves_what_was_saved_and_is_told(state: Any, caplog: pytest.LogCaptureFixture) -> None:
    saver = Saver()
    assert saver.save("iot", {"a": 1})
    assert not saver.save("iot", state)
    assert "iot is not saved" in caplog.text
    assert LOAD.found()("iot") == {"a": 1}
    assert [each.name for each in file_of("iot").parent.iterdir()] == ["iot.json"]


def test_a_disk_that_takes_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    Path(state_files.STATE_DIR.found()).write_text("a file where the folder should be")
    assert not Saver().save("iot", {})
    assert "iot is not saved" in caplog.text
