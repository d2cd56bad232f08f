"""What AWS does around the Lambdas: it delivers events, and again where a Lambda failed; a person presses again.

Rules invoke asynchronously, twice more after a failure; the stream is `stream`'s; the queue gives a message back five
times; all as `infra/` has it deployed. What was given up lies in `undelivered`. Whatever is delivered again comes at
once, or, where the cloud is slow, after all else that was under way has been done.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from tests.aws import Clock
from tests.functional.admin_api.api_on_moto import event_of
from tests.functional.admin_api.tokens_for_tests import token
from tests.simulation.faults.lambdas import Crashed, Lambdas
from tests.simulation.faults.layer import FaultLayer
from tests.simulation.faults.stream import WRITES, Stream

_RULE_AGAIN: Final = (60, 120)
"""Seconds until each further try (Lambda developer guide, "Asynchronous invocation"); so below."""
_STREAM_AGAIN, _QUEUE_AGAIN, _PERSON_AGAIN = 10, 180, 30
_RECEIVES: Final = 5
_PRESSES: Final = 3
_NO_ANSWER: Final = "INTERNAL"


class Cloud:
    """`slow`: what is delivered again comes late. `moves` lets devices do what they now would, and says whether any
    did."""

    def __init__(self, layer: FaultLayer, clock: Clock, moves: Callable[[], bool], *, slow: bool) -> None:
        self._clock, self._moves, self._slow = clock, moves, slow
        external_ids = iter(range(1, 100))
        self._lambdas = Lambdas(layer, clock, lambda: f"external-id-{next(external_ids)}")
        self._stream = Stream(self._lambdas, clock, lambda: self._later(_STREAM_AGAIN))
        self._queue: list[tuple[str, int]] = []
        self._given_up: list[str] = []
        self.answers: list[str] = []
        """The codes of what people were refused, and of results that never came."""
        layer.effects |= dict.fromkeys(WRITES, self._stream.look)

    @property
    def undelivered(self) -> list[str]:
        """What was given up, by whomever."""
        return [*self._given_up, *(str(record) for record in self._stream.given_up)]

    def rule(self, name: str, event: dict[str, Any]) -> None:
        """An event for a Lambda behind a rule."""
        for wait in (*_RULE_AGAIN, None):
            try:
                self._lambdas.invoke(name, event)
            except Crashed:
                if wait is None:
                    self._given_up.append(f"{name}: {event}")
                    return
                self._later(wait)
            else:
                return

    def send(self, body: dict[str, Any]) -> None:
        """A message for the arrivals' queue."""
        self._queue.append((json.dumps(body), 1))

    def press(self, document: str, variables: dict[str, Any] | None = None, role: str = "operator") -> None:
        """A person asks the API, until there is an answer."""
        event = event_of({"query": document, "variables": variables}, authorization=f"Bearer {token(role)}")
        for _ in range(_PRESSES):
            codes = self._answered(event)
            if _NO_ANSWER not in codes:
                break
            self._later(_PERSON_AGAIN)
        self.answers += codes

    def settle(self) -> None:
        """Until nothing is under way any more."""
        while self._stream.deliver() or self._received() or self._moves():
            pass

    def _later(self, seconds: int) -> None:
        self._clock.advance(seconds=seconds if self._slow else 1)
        if self._slow:
            self.settle()

    def _received(self) -> bool:
        messages, self._queue = self._queue, []
        if not messages:
            return False
        failed = self._taken([body for body, _ in messages])
        if failed:
            self._later(_QUEUE_AGAIN)
        for number in failed:
            body, received = messages[number]
            if received < _RECEIVES:
                self._queue.append((body, received + 1))
            else:
                self._given_up.append(f"arrivals: {body}")
        return True

    def _taken(self, bodies: list[str]) -> list[int]:
        """The places of those that go back to the queue."""
        records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
        try:
            answer = self._lambdas.invoke("arrivals", {"Records": records})
        except Crashed:
            return list(range(len(bodies)))
        return [int(item["itemIdentifier"]) for item in answer["batchItemFailures"]]

    def _answered(self, event: dict[str, Any]) -> list[str]:
        """The codes of what was refused, of a bulk's lines too; `INTERNAL` where there was no answer at all."""
        try:
            body = json.loads(self._lambdas.invoke("admin-api", event)["body"])
        except (Crashed, ValueError):
            return [_NO_ANSWER]
        codes = [error["extensions"]["code"] for error in body.get("errors", [])]
        bulk = ((body.get("data") or {}).get("claimDevices") or {}).get("results", [])
        return codes + [result["code"] for result in bulk if result["code"]]
