"""The fault layer: stands where botocore sends a request, below everything of ours, and makes one call fail.

botocore's `before-send` hook is where moto answers, so it is there that a request is let through, turned away or robbed
of its answer. That is below botocore's own retries and error parsing, and PynamoDB's: what our code meets is what it
would meet in AWS. A call is one of our code's, however many attempts botocore makes of it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError

from tests.simulation.faults.replies import VOICES, response

Send = Callable[[], AWSResponse | None]


class Fault(StrEnum):
    """What befalls a call. All but `ANSWER_LOST` befall each of its attempts."""

    THROTTLED = "throttled"
    FAILED = "500"
    TIMED_OUT = "timed out"
    """The call takes effect; its answer never comes."""
    ANSWER_LOST = "answer lost"
    """So at the first attempt only: the client's own second one meets what the first has done."""
    DENIED = "denied"
    KILLED = "killed"
    """The call takes effect; whoever made it is gone."""


class Killed(BaseException):
    """The process is no more. Nothing of ours may catch this; whatever does, can call AWS no more."""


@dataclass(frozen=True)
class Call:
    """One call of a Lambda, the `number`-th of its kind in the story."""

    by: str
    service: str
    operation: str
    number: int

    def __str__(self) -> str:
        return f"{self.by}: {self.service}.{self.operation} {self.number}"


Plan = Mapping[int, Fault]
"""Which calls, counted from 1, fail how."""


@dataclass
class FaultLayer:
    """Sees every request. `effects` are told of what has happened, by anybody's hand; `stand_ins` answer what moto
    cannot."""

    plan: Plan = field(default_factory=dict)
    made: list[Call] = field(default_factory=list)
    effects: dict[str, Callable[[AWSPreparedRequest], None]] = field(default_factory=dict)
    stand_ins: dict[str, Callable[[AWSPreparedRequest], AWSResponse]] = field(default_factory=dict)
    struck: set[int] = field(default_factory=set)
    """The calls of the plan that were made, and failed."""
    dead: bool = False
    _running: str | None = None
    _call: Any = None
    _attempt: int = 0
    _tokens: dict[str, bytes] = field(default_factory=dict)

    def begin(self, plan: Plan) -> None:
        """A new story, in which `plan` goes wrong."""
        self.plan, self.dead, self._running = plan, False, None
        self.struck.clear()
        self.made.clear()
        self._tokens.clear()

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """What is called meanwhile is called by this Lambda, alive until it is killed."""
        before = self._running, self.dead, self._call, self._attempt
        self._running, self.dead = name, False
        try:
            yield
        finally:
            self._running, self.dead, self._call, self._attempt = before

    def around(self, event: str, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        _, service, operation = event.split(".", 2)
        if self._running is None:
            return self._happens(service, operation, request, send)
        if self.dead:
            raise Killed
        self._count(service, operation, request)
        fault = self.plan.get(len(self.made))
        if fault is None:
            return self._happens(service, operation, request, send)
        self.struck.add(len(self.made))
        return self._strike(fault, service, operation, request, send)

    def _count(self, service: str, operation: str, request: AWSPreparedRequest) -> None:
        call = request.headers["amz-sdk-invocation-id"]
        if call == self._call:
            self._attempt += 1
            return
        self._call, self._attempt = call, 1
        by = self._running or ""
        same = [made for made in self.made if (made.by, made.service, made.operation) == (by, service, operation)]
        self.made.append(Call(by, service, operation, len(same) + 1))

    def _strike(
        self, fault: Fault, service: str, operation: str, request: AWSPreparedRequest, send: Send
    ) -> AWSResponse | None:
        voice = VOICES[service]
        said = {Fault.THROTTLED: voice.throttled, Fault.FAILED: voice.failed, Fault.DENIED: voice.denied}
        if fault in said:
            return voice.reply(request, said[fault])
        answer = self._happens(service, operation, request, send)
        if fault is Fault.KILLED:
            self.dead = True
            raise Killed
        if fault is Fault.TIMED_OUT or self._attempt == 1:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    def _happens(self, service: str, operation: str, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        name = f"{service}.{operation}"
        if name in self.stand_ins:
            return self.stand_ins[name](request)
        token = _token(request) if name == _TRANSACTION else None
        if token in self._tokens:
            return response(request, 200, {}, self._tokens[token])
        answer = send()
        if answer is not None and answer.status_code < 300:
            if token is not None:
                self._tokens[token] = answer.content
            if name in self.effects:
                self.effects[name](request)
        return answer


_TRANSACTION: Final = "dynamodb.TransactWriteItems"


def _token(request: AWSPreparedRequest) -> str | None:
    """DynamoDB does a transaction once for each token, which botocore makes for each call; moto does not look at it
    (DynamoDB API reference, TransactWriteItems: ClientRequestToken)."""
    body: Any = request.body
    found: str | None = json.loads(body).get("ClientRequestToken")
    return found


def path_of(request: AWSPreparedRequest) -> str:
    return urlsplit(request.url).path
