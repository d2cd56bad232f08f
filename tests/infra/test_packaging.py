"""The package: the content of the wheel, and its three commands in a separate environment."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import lobby

ROOT = Path(lobby.__file__).resolve().parents[1]
COMMANDS = ("lobbyctl", "lobby-device", "lobby-pki")
OFFLINE = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps")


def pip(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", *map(str, arguments)], check=True, capture_output=True)


def new_environment(path: Path) -> Path:
    """A virtual environment that finds the tests' dependencies, but not this checkout."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    purelib = next(path.glob("lib/python3.*/site-packages"))
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return path


def run(command: Path, *arguments: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [command, *arguments], cwd=cwd, env={**inherited, **environment}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", folder, ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the installed commands, below a path that has a space in it."""
    environment = new_environment(tmp_path_factory.mktemp("installed") / "an environment")
    pip("--python", environment, "install", *OFFLINE, wheel)
    return environment / "bin"


@pytest.fixture
def hostile_folder(tmp_path: Path) -> Path:
    """A working directory with modules of the same names as those that the commands import."""
    folder = tmp_path / "somewhere"
    (folder / "lobby").mkdir(parents=True)
    (folder / "typer.py").write_text("raise SystemExit('imported from the working directory')")
    return folder


def test_the_wheel_contains_the_commands_and_not_the_service(wheel: Path) -> None:
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert {name.split("/")[0] for name in names} == {"lobby", "admin_api", "device", "pki"}
    checks = {name for name in names if name.startswith("lobby/domain/trust/")}
    assert {name for name in names if name.startswith("lobby/")} - checks == {
        f"lobby/{name}"
        for name in (
            "__init__.py",
            "py.typed",
            "domain/__init__.py",
            "domain/identity.py",
            "domain/signer.py",
            "errors.py",
            "http_limits.py",
            "installed_commands.py",
            "chunks.py",
            "limited_requests.py",
            "lobby_names.py",
            "names.py",
            "strict_json.py",
            "text/__init__.py",
            "text/damaged_numbers.py",
            "text/keyboard_layouts.py",
            "text/label.py",
            "text/notations.py",
            "text/spreadsheet.py",
            "verify_history.py",
            "wire.py",
        )
    }
    assert "lobby/domain/trust/issuer.py" in checks
    assert {"/".join(name.split("/")[:2]) for name in names if name.startswith("admin_api/")} == {
        "admin_api/__init__.py",
        "admin_api/cli",
        "admin_api/schema.graphql",
    }
    assert not [name for name in names if "node_modules" in name or "test" in name]


def test_the_wheel_and_the_source_have_one_version(wheel: Path) -> None:
    assert wheel.name.startswith(f"device_lobby-{lobby.__version__}-")
    assert f"## [{lobby.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("command", [*COMMANDS, "lobby-verify"])
def test_each_command_states_its_version(installed: Path, command: str, hostile_folder: Path) -> None:
    done = run(installed / command, "--version", cwd=hostile_folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{command} {lobby.__version__}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_runs_from_any_folder_and_through_a_link(
    installed: Path, command: str, hostile_folder: Path, tmp_path: Path
) -> None:
    link = tmp_path / command
    link.symlink_to(installed / command)
    for path in (installed / command, link):
        done = run(path, "--help", cwd=hostile_folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert command in done.stdout


@pytest.mark.parametrize(
    ("command", "arguments", "extra"),
    [
        ("lobbyctl", ("--version",), "cli"),
        ("lobby-device", ("show-qr", "--cert", "absent.pem"), "device"),
        ("lobby-pki", ("--version",), "pki"),
        ("lobby-verify", ("--help",), "verify"),
    ],
)
def test_a_command_whose_packages_are_missing_names_the_extra(
    wheel: Path, tmp_path: Path, command: str, arguments: tuple[str, ...], extra: str
) -> None:
    environment = tmp_path / "no extra"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    pip("--python", environment, "install", *OFFLINE, wheel)
    done = run(environment / "bin" / command, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert f"want the packages of the extra '{extra}'" in done.stderr


def test_the_verifier_runs_from_any_folder(installed: Path, hostile_folder: Path) -> None:
    done = run(installed / "lobby-verify", "--help", cwd=hostile_folder)
    assert (done.returncode, done.stderr, "Exit status: 0 proven" in done.stdout) == (0, "", True)


def test_a_failure_of_lobbyctl_is_an_exit_status_and_one_line(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "lobbyctl", "--json", "whoami", "--lobby", "absent.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert json.loads(done.stderr)["error"]["code"] == "UNREADABLE_FILE"


@pytest.mark.parametrize("module", ["device", "pki"])
def test_the_modules_run_as_before(installed: Path, module: str, tmp_path: Path) -> None:
    done = run(installed / "python", "-m", module, "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"lobby-{module} {lobby.__version__}\n")


@pytest.mark.full
@pytest.mark.parametrize(("extra", "command"), [("cli", "lobbyctl"), ("device", "lobby-device"), ("pki", "lobby-pki")])
def test_an_extra_installs_all_dependencies_of_its_command(extra: str, command: str, tmp_path: Path) -> None:
    """In an empty environment, from the package index that pip is configured for."""
    environment = tmp_path / "empty"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", f"{ROOT}[{extra}]"], check=True, capture_output=True)
    done = run(environment / "bin" / command, "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{command} {lobby.__version__}\n")
