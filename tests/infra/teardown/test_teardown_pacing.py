"""Calls are paced to AWS's quotas, each operation separately."""

from collections import defaultdict

from infra.local.ministack import quotas
from infra.teardown.pacing import OTHERS, RATES, Pacer


class Time:
    """A clock that `sleep` advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_no_second_has_more_calls_of_an_operation_than_its_quota() -> None:
    time = Time()
    pacer = Pacer(time, time.sleep)
    seconds: dict[tuple[str, int], int] = defaultdict(int)
    for _ in range(50):
        for operation in ("DeleteCertificate", "DetachPolicy", "DeleteThing"):
            pacer.wait(operation)
            seconds[operation, int(time.now + 1e-9)] += 1
    for (operation, _), count in seconds.items():
        assert count <= RATES.get(operation, OTHERS)
    assert 4.8 <= time.now <= 5.0


def test_operations_do_not_delay_each_other() -> None:
    time = Time()
    pacer = Pacer(time, time.sleep)
    for operation in ("UpdateCertificate", "DeleteCertificate", "ListThings"):
        pacer.wait(operation)
    assert time.now == 0


def test_the_rates_are_those_that_the_strict_local_cloud_enforces() -> None:
    enforced = {name: quotas.RATES.get(f"iot:{name}", quotas.OTHER_IOT_CALLS) for name in RATES}
    assert dict(RATES) == enforced
