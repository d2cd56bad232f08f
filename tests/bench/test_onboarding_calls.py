"""The AWS calls of one onboarding on moto, with the code of every Lambda, warm.

`python -m tests.bench.budgets` measures the same on the emulator. This test is fast and part of the suite, so that an
additional call is noticed immediately.
"""

from lobby.domain.hellos import Report
from lobby.domain.states import State
from tests.aws import Calls, Clock
from tests.bench.warm_lambdas import GOOD_ID, Lambdas
from tests.functional.commissioner.lobby_with_targets import IDS

AT_MOST = {"bouncer": 6 + 2, "receptionist": 2, "claim": 2, "commissioner": 6 + 1, "arrivals": 2}
"""Of the bouncer's calls, two take and end the lease of the message in its queue. Of the commissioner's, one reads the
row that waits in its lane."""


def test_a_warm_onboarding_with_history_and_arrival_stays_within_its_calls(calls: Calls, clock: Clock) -> None:
    lambdas, counted = Lambdas(calls, clock), {}
    for step, run in lambdas.onboarding().items():
        calls.forget()
        run()
        counted[step] = calls.names()
    assert {step: len(names) for step, names in counted.items() if len(names) > AT_MOST[step]} == {}, counted
    device = lambdas.ledger.get(GOOD_ID)
    assert device is not None
    assert (device.devstate, device.version) == (State.ARRIVED, 5)


def test_a_hello_of_a_commissioned_device_costs_a_read_and_a_publish(calls: Calls, clock: Clock) -> None:
    lambdas = Lambdas(calls, clock)
    assert lambdas.receptionist.answer(IDS["sensor-2"], "sensor-2", Report()) == "routed"
    assert calls.names() == ["GetItem", "Publish"]
