"""The files that `device/README.md` lists for other projects are enough to run the client."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lobby import __version__

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_a_copy_of_the_listed_files_runs(tmp_path: Path) -> None:
    listed = (ROOT / "device" / "README.md").read_text().partition("## Vendor")[2].split("```")[1]
    shutil.copytree(ROOT / "device", tmp_path / "device")
    (tmp_path / "lobby").mkdir()
    for name in re.findall(r"lobby/\w+\.py", listed):
        shutil.copy(ROOT / name, tmp_path / name)
    command = [sys.executable, "-m", "device", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"lobby-device {__version__}\n"), done.stderr
