"""Redrives the on-failure queues of a lobby: what was given up is handed over once more, and only then taken out.

Everything here may be done twice: Lambdas find done what is done, and a device whose turn it is no more is left alone.
So it may be cut off anywhere, and started again. Refuses nothing: what cannot be read stays in its queue, and is told.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from infra import permissions
from infra.redrive.envelopes import Unreadable, read
from infra.redrive.held import Held, Message
from lobby.ledger.redrive import ask_again, unserved
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_sqs import SQSClient

Say = Callable[[str], None]
_BRIEFLY: Final = 120


@dataclass
class Tally:
    """How much of a queue was done; `left` stays in it."""

    done: int = 0
    left: int = 0


@dataclass
class Redriving:
    """One run. `holder_of` gives the certificate that holds a thing name. With `dry`, all is told and nothing done."""

    sqs: "SQSClient"
    functions: "LambdaClient"
    ledger: Ledger
    holder_of: Callable[[str], Fingerprint | None]
    lobby: Target
    now: datetime
    say: Say
    dry: bool = False
    wait: int = 1
    tallies: dict[str, Tally] = field(default_factory=dict)

    def run(self) -> bool:
        """Whether every message that was there could be redriven."""
        ways = {
            permissions.UNDELIVERED: self._deliver,
            permissions.UNCOMMISSIONED: self._commission,
            permissions.ARRIVALS_DEAD: self._report_again,
        }
        for name, way in ways.items():
            held = Held(self.sqs, name, self.now, self.wait)
            tally = self.tallies[name] = Tally()
            try:
                way(held, tally)
            finally:
                held.put_back()
            self.say(f"{name}: {self._told(tally)}")
        return not any(tally.left for tally in self.tallies.values())

    def _told(self, tally: Tally) -> str:
        if not tally.done and not tally.left:
            return "empty"
        what = "would be redriven" if self.dry else "redriven"
        return f"{tally.done} {what}" + (f", {tally.left} left, as told above" if tally.left else "")

    def _deliver(self, held: Held, tally: Tally) -> None:
        for message in held.messages():
            try:
                event = read(message.body, self.lobby, self.holder_of)
            except Unreadable as unreadable:
                tally.left += 1
                self.say(f"  {held.name}: {message.id} left: {unreadable}; it says {message.body[:_BRIEFLY]!r}")
                continue
            tally.done += 1
            self.say(f"  {event.function or 'nothing to do'}: {_brief(event.payload)} ({event.why})")
            if not self.dry:
                if event.function:
                    payload = json.dumps(event.payload).encode()
                    self.functions.invoke(FunctionName=event.function, InvocationType="Event", Payload=payload)
                held.done(message)

    def _commission(self, held: Held, tally: Tally) -> None:
        """The messages tell when the commissioner gave up, not what: the rows tell that."""
        messages: list[Message] = list(held.messages())
        tally.done = len(messages)
        for certid in unserved() if messages else ():
            self.say(f"  {certid}: {'to be asked for again' if self.dry else ask_again(self.ledger, certid)}")
        if not self.dry:
            for message in messages:
                held.done(message)

    def _report_again(self, held: Held, tally: Tally) -> None:
        url = self.sqs.get_queue_url(QueueName=permissions.ARRIVALS)["QueueUrl"]
        for message in held.messages():
            tally.done += 1
            self.say(f"  {permissions.ARRIVALS}: {_brief(message.body)}")
            if not self.dry:
                self.sqs.send_message(QueueUrl=url, MessageBody=message.body, MessageAttributes=message.attributes)
                held.done(message)


def _brief(payload: Any) -> str:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return text if len(text) <= _BRIEFLY else f"{text[:_BRIEFLY]}…"
