"""The files that `device/README.md` lists for other projects are enough to run the client."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lobby import __version__

ROOT = Path(__file__).parents[3]


IMPORT_ALL = """
import importlib, pkgutil, sys
import device
for module in pkgutil.walk_packages(device.__path__, "device."):
    if not module.name.startswith(("device.__main__", "device.examples")):
        importlib.import_module(module.name)
print(*sorted(name for name in sys.modules if name.split(".")[0] == "lobby"))
"""
"""Imports every module of the client, also those that are imported only when they are used."""


@pytest.mark.slow
def test_the_listed_files_are_exactly_those_that_the_client_imports(tmp_path: Path) -> None:
    section = (ROOT / "device" / "README.md").read_text().partition("## Vendor")[2].split("```")[1]
    listed = re.findall(r"lobby/[\w/]+\.py", section)
    shutil.copytree(ROOT / "device", tmp_path / "device")
    for name in listed:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("-m", "device", "--version") == f"lobby-device {__version__}\n"
    modules = {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in listed}
    assert set(run("-c", IMPORT_ALL).split()) == modules
