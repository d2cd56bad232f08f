"""An SQS queue with an event source mapping that reports partial batch failures.

A message that a Lambda hands back, or whose Lambda fails, is delivered again with a higher receive count. After the
last delivery it is dead-lettered (Lambda developer guide, "Using Lambda with Amazon SQS").
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.aws import Clock
from tests.simulation.faults.lambdas import Crashed, Lambdas


@dataclass(frozen=True)
class Message:
    """`sent` is in ms since 1970; `receives` counts its deliveries."""

    id: str
    body: str
    sent: int
    receives: int = 1

    def record(self) -> dict[str, Any]:
        attributes = {"SentTimestamp": str(self.sent), "ApproximateReceiveCount": str(self.receives)}
        return {"messageId": self.id, "receiptHandle": self.id, "body": self.body, "attributes": attributes}


@dataclass
class Queue:
    """The queue of the Lambda `name`. `wait` is called between a failed delivery and the next one."""

    name: str
    lambdas: Lambdas
    clock: Clock
    wait: Callable[[], None]
    max_receives: int
    dead: list[str] = field(default_factory=list)
    """Messages after their last delivery."""
    _messages: list[Message] = field(default_factory=list)
    _sent: int = 0

    def send(self, body: str) -> None:
        self._sent += 1
        self._messages.append(Message(f"{self.name}-{self._sent}", body, int(self.clock().timestamp() * 1000)))

    def deliver(self) -> bool:
        """Deliver one batch. Return whether there was a message."""
        batch, self._messages = self._messages[:10], self._messages[10:]
        if not batch:
            return False
        failed = self._failed(batch)
        if failed:
            self.wait()
        for message in failed:
            if message.receives < self.max_receives:
                self._messages.append(replace(message, receives=message.receives + 1))
            else:
                self.dead.append(f"{self.name}: {message.body}")
        return True

    def _failed(self, batch: list[Message]) -> list[Message]:
        try:
            answer = self.lambdas.invoke(self.name, {"Records": [message.record() for message in batch]})
        except Crashed:
            return batch
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        return [message for message in batch if message.id in failed]
