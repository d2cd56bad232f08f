"""Commands that an administrator runs with AWS_REGION, as the runbooks state, use that Region for every call."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOWHERE = "http://127.0.0.1:9"
"""Nothing listens there."""
ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("command", "called"),
    [
        (("lobby.ledger.anchoring", "BUCKET"), "Failed to scan table: Could not connect"),
        (("lobby.ledger.recount",), "Could not connect"),
        (("lobby.doors.issued_elsewhere",), "cacertificates"),
    ],
)
def test_aws_region_is_enough(command: tuple[str, ...], called: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOBBY_"))}
    environment |= {"PYTHONPATH": str(ROOT), "AWS_REGION": "eu-north-1", "AWS_ENDPOINT_URL": NOWHERE}
    environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_CONFIG_FILE": "/dev/null"}
    done = subprocess.run(
        [sys.executable, "-m", *command], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert called in done.stderr.splitlines()[-1]
