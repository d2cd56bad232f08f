"""The requests and units of devices that are onboarded together, and the batches of their streams."""

from typing import Any

import pytest

from tests.bench.lots.lot_count import count
from tests.bench.lots.streams import SHARDS, StreamRecord, collected, polled

DEVICES = 8
AT_MOST = {
    "list": {
        "write_units": 57.75,
        "read_units": 13.8,
        "puts": 2,
        "messages": 7,
        "registry": 5,
        "events": 1,
        "runs": 8.5,
        "queue_requests": 6,
        "fifo_requests": 1.3,
        "api_requests": 0.2,
        "log_lines": 4.3,
        "seconds": 0.37,
    },
    "rule": {
        "write_units": 48.5,
        "read_units": 12.9,
        "puts": 1,
        "messages": 8,
        "registry": 5,
        "events": 0,
        "runs": 8,
        "queue_requests": 6,
        "fifo_requests": 1.8,
        "log_lines": 4.3,
        "seconds": 0.36,
    },
}
"""For each device of a lot of `DEVICES`, at the rate of the lane. The fingerprints, and so the shards of the streams,
are random: runs of the bell, the notary and the publisher, their reads, and tokens can be up to four for a batch."""


@pytest.mark.slow
@pytest.mark.parametrize("claimed", AT_MOST)
def test_a_lot_stays_within_its_requests_and_units(claimed: str) -> None:
    total = count(DEVICES, by_rule=claimed == "rule", within=DEVICES / 9)["total"]
    each = {name: total[name] / DEVICES for name in total}
    assert {name: each.get(name, 0) for name, most in AT_MOST[claimed].items() if each.get(name, 0) > most} == {}


@pytest.mark.slow
def test_devices_that_wait_for_the_quota_repeat_their_connections() -> None:
    found = count(30, by_rule=True, within=1.0)
    repeated = found["refused_connections"] - 1
    assert repeated > 0
    assert found["total"]["rules"] == pytest.approx(30 * (5 + repeated))
    assert found["steps"]["admit (bouncer)"]["runs"] < 30


def record(at: float, shard: int = 0, **content: Any) -> StreamRecord:
    return StreamRecord(at, f"{shard:08x}" + "0" * 56, content)


def runs(batches: Any) -> list[tuple[float, int]]:
    return [(at, len(batch)) for at, batch in batches]


def test_a_window_begins_with_its_first_record_and_ends_early_if_the_batch_is_full() -> None:
    records = [record(at) for at in (10.0, 11.0, 12.0, 30.0, 75.0)]
    assert runs(collected(records, 3, 60)) == [(12.0, 3), (90.0, 2)]


def test_records_of_different_shards_are_never_in_one_batch() -> None:
    records = [record(10.0, shard) for shard in range(SHARDS)]
    assert runs(collected(records, 100, 60)) == [(70.0, 1)] * SHARDS


def test_without_a_window_a_batch_has_the_records_of_one_read() -> None:
    assert runs(polled([record(at) for at in (0.01, 0.24, 0.26)], 100)) == [(0.25, 2), (0.5, 1)]
