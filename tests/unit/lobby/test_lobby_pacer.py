"""One pace for all threads of a process."""

import threading

from lobby.aws.pacer import Pacer
from lobby.domain.pacing import Pace


def test_threads_share_the_pace() -> None:
    slept: list[float] = []
    pacer = Pacer(Pace(10, 2), monotonic=lambda: 50.0, sleep=slept.append)
    threads = [threading.Thread(target=pacer.wait) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [round(each, 6) for each in sorted(slept)] == [0.1, 0.2, 0.3, 0.4]


def test_a_time_that_is_given_back_goes_to_the_next_call() -> None:
    slept: list[float] = []
    pacer = Pacer(Pace(10), monotonic=lambda: 50.0, sleep=slept.append)
    for _ in range(2):
        pacer.wait()
    pacer.give_back()
    pacer.wait()
    pacer.wait()
    assert [round(each, 6) for each in slept] == [0.1, 0.1, 0.2]


def test_calls_that_wait_move_up_when_a_time_is_given_back() -> None:
    """Otherwise each message of a batch that needs no run delays the others, and a part of the quota is not used."""
    times, slept = iter([50.0, 50.0, 50.0, 50.25]), list[float]()

    def sleep(seconds: float) -> bool:
        slept.append(seconds)
        if len(slept) == 2:
            pacer.give_back()
        return len(slept) == 2

    pacer = Pacer(Pace(1), monotonic=lambda: next(times), sleep=sleep)
    for _ in range(3):
        pacer.wait()
    assert slept == [1.0, 2.0, 0.75]


def test_giving_back_a_time_wakes_a_thread_that_waits() -> None:
    called = threading.Event()

    def monotonic() -> float:
        called.set()
        return 50.0

    pacer = Pacer(Pace(0.001), monotonic)
    pacer.wait()
    called.clear()
    waiting = threading.Thread(target=pacer.wait, daemon=True)
    waiting.start()
    assert called.wait(10)  # the thread now has the pacer's lock until it waits
    pacer.give_back()
    waiting.join(10)
    assert not waiting.is_alive()
