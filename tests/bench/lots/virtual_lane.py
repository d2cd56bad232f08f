"""The lane's queues and the threads of its worker in virtual time.

The worker's own code runs. The devices in progress overlap, as in its threads: each takes the time of its calls, and
the worker goes on immediately. A message in the queue is delivered again when the worker has not finished it.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from tests.aws import Clock
from tests.bench.lots.lot_bill import LotBill

Parameters = dict[str, Any]


@dataclass
class Message:
    id: str
    body: str
    visible_at: float


@dataclass
class VirtualQueue:
    """A FIFO queue for the messages of one lane. Each call is counted, like the calls of SQS's client."""

    bill: LotBill
    messages: list[Message] = field(default_factory=list)
    _sent: set[str] = field(default_factory=set)

    def send_message(self, **message: Any) -> None:
        self._count("SendMessage", message)
        if message["MessageDeduplicationId"] not in self._sent:
            self._sent.add(message["MessageDeduplicationId"])
            self.messages.append(Message(f"message {len(self._sent)}", message["MessageBody"], self.bill.now))

    def change_message_visibility(self, **change: Any) -> None:
        self._count("ChangeMessageVisibility", change)
        for message in self.messages:
            if message.id == change["ReceiptHandle"]:
                message.visible_at = self.bill.now + change["VisibilityTimeout"]

    def _count(self, operation: str, parameters: Parameters) -> None:
        self.bill.add("sqs", operation, parameters, None, [])

    def deliver(self, handle: Callable[[float, Parameters], tuple[float, bool]]) -> None:
        """Deliver each message until it is done. `handle` gets the time and Lambda's event, and returns when the run
        has ended, and whether the message is done."""
        at = 0.0
        while self.messages:
            message = min(self.messages, key=lambda each: each.visible_at)
            record = {"messageId": message.id, "receiptHandle": message.id, "body": message.body}
            at, done = handle(max(at, message.visible_at), {"Records": [record]})
            if done:
                self.messages.remove(message)


class InProgress(Future[Any]):
    """A result that exists already, and is done at a later time."""

    def __init__(self, bill: LotBill, ends: float) -> None:
        super().__init__()
        self._bill, self.ends = bill, ends

    def done(self) -> bool:
        return self._bill.now >= self.ends


class VirtualThreads(Executor):
    """Runs each call immediately, and then returns to the time of the caller."""

    def __init__(self, bill: LotBill) -> None:
        self._bill, self._ends = bill, 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        began = self._bill.now
        result = fn(*args, **kwargs)
        future = InProgress(self._bill, self._bill.now)
        future.set_result(result)
        self._ends = max(self._ends, future.ends)
        self._bill.move_to(began)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # the base's
        """Wait for the last result."""
        del wait, cancel_futures
        self._bill.move_to(max(self._bill.now, self._ends))


def waiting_in(bill: LotBill, clock: Clock) -> Callable[[Sequence[Future[Any]], float], None]:
    """Return the worker's function that waits for the first result."""

    def wait(futures: Sequence[Future[Any]], seconds: float) -> None:
        ends = [each.ends - bill.now for each in futures if isinstance(each, InProgress)]
        clock.advance(seconds=max(0.001, min([seconds, *ends])))

    return wait
