"""`lobbyctl` as a program: its entry point, version and imports."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from typer.testing import CliRunner

from admin_api.cli.app import app, main
from admin_api.cli.commands.target_template import _write as write_template
from lobby import __version__

ROOT = Path(__file__).resolve().parents[3]


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"lobbyctl {__version__}\n")


def test_the_entry_point_uses_the_arguments_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/else.py", "claim", "--help"])
    with pytest.raises(SystemExit) as exited:
        main()
    assert exited.value.code == 0
    assert "Usage: lobbyctl claim" in capsys.readouterr().out


def test_only_the_owner_may_change_the_written_files_with_any_umask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["lobbyctl", "--version"])
    before = os.umask(0)
    try:
        with pytest.raises(SystemExit):
            main()
    finally:
        during = os.umask(before)
    assert during == 0o022


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "excluded"),
    [
        ("admin_api.handler", ("admin_api.cli", "typer", "httpx", "rich")),
        (
            "admin_api.cli.app",
            ("admin_api.web.app", "strawberry", "pynamodb", "boto3", "infra", "oauthlib", "PIL", "zxingcpp"),
        ),
    ],
)
def test_api_and_command_line_do_not_import_each_other(module: str, excluded: tuple[str, ...]) -> None:
    script = f"import sys, {module}; print([name for name in {excluded!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_template_is_written_in_utf8_on_every_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[dict[str, str]] = []
    original = os.fdopen

    def fdopen(number: int, mode: str, **options: str) -> IO[str]:
        opened.append(options)
        return original(number, mode, encoding="utf-8")

    monkeypatch.setattr(os, "fdopen", fdopen)
    write_template(tmp_path / "target.yaml", "# … ü\n")
    assert opened == [{"encoding": "utf-8", "newline": "\n"}]
