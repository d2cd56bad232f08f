"""The fixture `run`, which calls `lobby-pki` in a temporary directory."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pki.cli import app
from tests.functional.pki.command_line import Run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PKI_PASSPHRASE", raising=False)

    def call(*args: str, status: int = 0) -> Result:
        done = CliRunner().invoke(app, list(args))
        assert done.exit_code == status, (args, done.output, done.exception)
        return done

    return call
