"""A broker that accepts and says nothing: each silence has its end, and the device comes back by itself.

The whole table, with the seconds that each takes, is printed by `python -m tests.bench.device_faults silences`.
"""

from pathlib import Path

import pytest

from tests.functional.device.silences import outlived
from tests.functional.device.site import make_site


@pytest.mark.parametrize(
    "name",
    [
        "noise for TLS",
        "accepted and reset",
        "half a handshake",
        "a handshake of a byte at a time",
        "a CONNACK of a byte at a time",
        "PINGRESP, and no PUBACK",
        "PUBACK, and no PINGRESP",
        "a message without end",
        "a frozen wire",
    ],
)
def test_a_broker_that_accepts_and_says_nothing_is_left_and_tried_again(name: str, tmp_path: Path) -> None:
    assert outlived(name, make_site(tmp_path))
