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
