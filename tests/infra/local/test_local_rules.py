"""What rules begin waits for its turn; what others begin does not."""

import contextvars
import threading
from typing import Any

import pytest

from infra.local.ministack import topic_rules
from infra.local.ministack.topic_rules import AT_ONCE, one_after_the_other


class Function:
    """Runs until it is let go, and counts how many of it do."""

    def __init__(self) -> None:
        self.running = self.most = self.done = 0
        self._counting = threading.Condition()
        self._go = threading.Event()

    def __call__(self, _func: Any, _event: Any) -> str:
        with self._counting:
            self.running += 1
            self.most = max(self.most, self.running)
            self._counting.notify_all()
        self._go.wait(30)
        with self._counting:
            self.running -= 1
            self.done += 1
        return "answer"

    def wait_for(self, running: int) -> None:
        with self._counting:
            assert self._counting.wait_for(lambda: self.running >= running, 30)

    def let_go(self) -> None:
        self._go.set()


def _begun(execute: Any, name: str, count: int, by_rule: bool) -> list[threading.Thread]:
    context = contextvars.copy_context()
    context.run(topic_rules._queued.set, by_rule)
    config = {"config": {"FunctionArn": f"arn:aws:lambda:us-east-1:100000000001:function:{name}"}}
    threads = [threading.Thread(target=context.copy().run, args=(execute, config, {})) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def _ended(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_of_many_invocations_by_rules_a_few_run_at_a_time_and_all_run_in_the_end() -> None:
    function = Function()
    threads = _begun(one_after_the_other(function), "bouncer", 20, by_rule=True)
    function.wait_for(AT_ONCE)
    assert function.most == AT_ONCE
    function.let_go()
    _ended(threads)
    assert (function.most, function.done) == (AT_ONCE, 20)


def test_a_busy_function_holds_no_other_up_nor_those_who_wait_for_an_answer() -> None:
    function = Function()
    execute = one_after_the_other(function)
    threads = _begun(execute, "bouncer", AT_ONCE + 5, by_rule=True)
    function.wait_for(AT_ONCE)
    threads += _begun(execute, "receptionist", 1, by_rule=True)
    function.wait_for(AT_ONCE + 1)
    threads += _begun(execute, "bouncer", 3, by_rule=False)
    function.wait_for(AT_ONCE + 4)
    function.let_go()
    _ended(threads)


def test_a_failing_invocation_gives_its_turn_on() -> None:
    def fail(_func: Any, _event: Any) -> None:
        raise RuntimeError("always")

    execute = one_after_the_other(fail)
    context = contextvars.copy_context()
    context.run(topic_rules._queued.set, True)
    for _ in range(AT_ONCE + 2):
        with pytest.raises(RuntimeError, match="always"):
            context.run(execute, {"FunctionArn": "x"}, {})


def test_an_invocation_that_is_begun_anew_in_its_own_scope_has_its_turn_already() -> None:
    execute: Any = None

    def scoped(func: Any, event: Any) -> Any:
        return execute(func, event + 1) if event < AT_ONCE + 2 else event

    execute = one_after_the_other(scoped)
    context = contextvars.copy_context()
    context.run(topic_rules._queued.set, True)
    assert context.run(execute, {"FunctionArn": "x"}, 0) == AT_ONCE + 2
