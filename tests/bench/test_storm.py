"""Tests of the storm's own computations: connection attempts, admissions in the access log, budgets."""

import json
import random
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lobby.names import Fingerprint
from tests.bench.calls import CallLog
from tests.bench.deployment import LobbyUnderTest
from tests.bench.storm.__main__ import is_within
from tests.bench.storm.devices import Devices, Storm, earliest_end, first_attempts, waits
from tests.bench.storm.measurement import Admissions, Figures

ONE, TWO = Fingerprint("1a" * 32), Fingerprint("2b" * 32)
GOOD = Figures(
    devices=1000,
    share=1.0,
    admitted=1000,
    seconds=103.9,
    limit=99.0,
    attempts=6000,
    runs=1200,
    examined=1010,
    throttled=20,
    undelivered=0,
    alone_ms=80,
    alone_calls=6,
    alone_queue_calls=2,
)


def test_a_device_waits_twice_as_long_after_each_attempt_and_at_most_a_minute() -> None:
    assert list(islice(waits(lambda _shortest, longest: longest), 8)) == [1.5, 3, 6, 12, 24, 48, 60, 60]
    assert list(islice(waits(lambda shortest, _longest: shortest), 3)) == [0.75, 1.5, 3]


def test_the_first_attempt_begins_the_storm() -> None:
    found = first_attempts(100, 30, random.Random(1).uniform)  # noqa: S311  # the same storm
    assert (found[0], found == sorted(found), found[-1] <= 30) == (0, True, True)


@pytest.mark.parametrize(
    ("attempts", "end"),
    [
        ([0.0], 0),
        ([0.0] * 10, 0),
        ([0.0] * 11, 0.2),
        ([0.0] * 500, 98),
        ([0.0, *[10.0] * 11], 10.2),
        ([number / 2 for number in range(100)], 49.5),
    ],
    ids=["one", "at once", "one more", "storm", "after a pause", "slower than the quota"],
)
def test_the_limit_is_the_time_in_which_the_quota_allows_the_admissions(attempts: list[float], end: float) -> None:
    assert earliest_end(attempts, at_once=10, per_second=5) == pytest.approx(end)


def test_the_profile_counts_the_admissions_of_each_period() -> None:
    assert Storm({ONE: 3.0, TWO: 25.0}, 2).profile(10) == (1, 0, 1)
    assert Storm({}, 0).profile(10) == ()


def test_a_device_connects_until_it_is_admitted() -> None:
    published: list[bytes] = []
    admitted: dict[Fingerprint, float] = {}

    def publish(event: bytes) -> None:
        published.append(event)
        admitted[Fingerprint(json.loads(event)["certificateId"])] = time.time()

    storm = Devices([ONE, TWO], publish, lambda: admitted, 0).run(60, seed=1)
    assert (storm.attempts, len(published), set(storm.admitted)) == (2, 2, {ONE, TWO})


def test_admissions_are_the_activations_of_these_certificates(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_text("")
    lobby: Any = SimpleNamespace(log=CallLog(path), local=SimpleNamespace(layout=SimpleNamespace(access_log_path=path)))
    admissions = Admissions(cast(LobbyUnderTest, lobby), [ONE])
    lines = [
        ("iot:UpdateCertificate", ONE, 400),
        ("iot:DescribeCertificate", ONE, 200),
        ("iot:UpdateCertificate", TWO, 200),
    ]
    with path.open("a") as log:
        for action, certid, status in lines:
            log.write(line(action, certid, status) + "\n")
        assert admissions() == {}
        log.write(line("iot:UpdateCertificate", ONE, 200))
        log.flush()
        assert admissions() == {}
        log.write("\n")
    assert admissions() == {ONE: 10.5}


def line(action: str, certid: str, status: int) -> str:
    return json.dumps(
        {"time": 10.0, "ms": 500, "action": action, "status": status, "request": f"PUT /certificates/{certid}"}
    )


@pytest.mark.parametrize(
    ("worse", "goal"),
    [
        ({}, True),
        ({"seconds": None}, False),
        ({"seconds": 104.0}, False),
        ({"runs": 1210}, False),
        ({"undelivered": 1}, False),
    ],
)
def test_the_goal_is_to_meet_all_budgets(worse: dict[str, Any], goal: bool) -> None:
    assert is_within(replace(GOOD, **worse)) is goal


@pytest.mark.parametrize(("before", "goal"), [(72, False), (73, True)])
def test_a_single_device_must_not_be_admitted_later_than_before(before: float, goal: bool) -> None:
    assert is_within(GOOD, replace(GOOD, alone_ms=before)) is goal
