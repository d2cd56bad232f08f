"""The emulator's process: its ports, its lock, its end and its access log."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.emulator import Emulator
from infra.local.errors import StartFailed
from infra.local.ports import choose_layout
from tests.infra.local.emulated_cloud import OTHER, aws, free_ports, until

pytestmark = pytest.mark.e2e


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="lists sockets by /proc")
def test_all_sockets_listen_on_loopback_only(emulator: Emulator) -> None:
    inodes = set()
    for fd in Path(f"/proc/{emulator.pid}/fd").iterdir():
        if fd.exists() or fd.is_symlink():
            inodes.add(str(fd.readlink()).removeprefix("socket:[").removesuffix("]"))
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.append((table, fields[1]))
    assert len(listening) >= 4
    assert all(table == "tcp" and address.split(":")[0].endswith("7F") for table, address in listening)


def test_every_call_is_logged_with_its_caller_and_action(emulator: Emulator) -> None:
    aws(emulator, 2, "sqs").list_queues()
    lines = [json.loads(line) for line in emulator.layout.access_log_path.read_text().splitlines()]
    last = next(line for line in reversed(lines) if line["service"] == "sqs" and line["account"] == "300000000003")
    assert (last["action"], last["region"], last["status"]) == ("sqs:ListQueues", "ap-southeast-2", 200)
    assert last["principal"] == "arn:aws:iam::300000000003:root"


def test_a_session_signs_as_the_root_of_its_account(emulator: Emulator) -> None:
    session = emulator.session(OTHER.account, OTHER.region)
    assert session.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::400000000004:root"


def test_a_second_emulator_on_the_same_state_is_refused(emulator: Emulator) -> None:
    with pytest.raises(StartFailed, match="STATE_IN_USE"):
        Emulator(choose_layout(emulator.layout.state_dir, *free_ports())).start()
    assert aws(emulator, 0, "sts").get_caller_identity()["Account"] == "100000000001"


@pytest.mark.parametrize("which", ["gateway", "mqtt", "console"])
def test_a_port_in_use_is_reported(tmp_path: Path, which: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ports = dict(zip(("gateway", "mqtt", "console"), free_ports(), strict=True)) | {which: taken}
        with pytest.raises(StartFailed, match=f"cannot listen on 127.0.0.1:{taken}"):
            Emulator(choose_layout(tmp_path, *ports.values())).start()


def test_the_emulator_exits_with_the_process_that_started_it(tmp_path: Path) -> None:
    layout = choose_layout(tmp_path, *free_ports())
    program = (
        "import sys\nfrom pathlib import Path\nfrom infra.local.emulator import Emulator\n"
        "from infra.local.ports import choose_layout\n"
        "emulator = Emulator(choose_layout(Path(sys.argv[1])))\nemulator.start()\n"
        "print(emulator.pid, flush=True)\nsys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(layout.state_dir)]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    until(lambda: not _is_running(child))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return b" Z " not in Path(f"/proc/{pid}/stat").read_bytes() if Path("/proc").exists() else True
