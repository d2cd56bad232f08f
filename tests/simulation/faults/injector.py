"""The fault injector: intercepts requests where botocore sends them, and makes one call fail.

moto answers in botocore's `before-send` hook, so the injector passes a request on, rejects it or drops its response
there. This is below the retries and error parsing of botocore and PynamoDB, so the project's code gets the same results
as in AWS. A call is one call of the project's code, with any number of attempts by botocore. A call to DynamoDB without
a fault does not need the injector. It can be made directly, and is then only recorded.
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

from tests.simulation.faults.error_responses import SERVICE_ERRORS, response

Send = Callable[[], AWSResponse | None]


class Fault(StrEnum):
    """How a call fails. All except `ANSWER_LOST` apply to every attempt of the call."""

    THROTTLED = "throttled"
    FAILED = "500"
    TIMED_OUT = "timed out"
    """The call takes effect; its response never arrives."""
    ANSWER_LOST = "answer lost"
    """As above, but at the first attempt only: the client's second attempt finds what the first has done."""
    DENIED = "denied"
    KILLED = "killed"
    """The call takes effect; the process that made it is killed."""


class Killed(BaseException):
    """The process is killed. The project's code must not catch this. If it does, further calls to AWS fail."""


@dataclass(frozen=True)
class Call:
    """One call of a Lambda, the `number`-th of its kind in the scenario."""

    by: str
    service: str
    operation: str
    number: int

    def __str__(self) -> str:
        return f"{self.by}: {self.service}.{self.operation} {self.number}"


Plan = Mapping[int, Fault]
"""How calls fail, by their number counted from 1."""


@dataclass
class FaultInjector:
    """Intercepts every request. `observers` are called with each successful request, `followers` after each successful
    call; `stubs` answer calls that moto does not support."""

    plan: Plan = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    observers: dict[str, Callable[[AWSPreparedRequest], None]] = field(default_factory=dict)
    followers: dict[str, Callable[[], None]] = field(default_factory=dict)
    stubs: dict[str, Callable[[AWSPreparedRequest], AWSResponse]] = field(default_factory=dict)
    watch: Callable[[], None] = lambda: None
    """Called after every successful call."""
    injected: set[int] = field(default_factory=set)
    """The calls of the plan that were made and failed."""
    dead: bool = False
    _running: str | None = None
    _call: Any = None
    _attempt: int = 0
    _tokens: dict[str, bytes] = field(default_factory=dict)

    def begin(self, plan: Plan) -> None:
        """Start a new scenario in which the calls of `plan` fail."""
        self.plan, self.dead, self._running = plan, False, None
        self.injected.clear()
        self.calls.clear()
        self._tokens.clear()

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Attribute the calls made inside to this Lambda, which runs until it is killed."""
        before = self._running, self.dead, self._call, self._attempt
        self._running, self.dead = name, False
        try:
            yield
        finally:
            self._running, self.dead, self._call, self._attempt = before

    def has_nothing_for(self, name: str, token: str | None) -> bool:
        """Return whether the next call, if it is this one, has no fault, no stub and no response of an earlier call."""
        if self._running is not None and (self.dead or len(self.calls) + 1 in self.plan):
            return False
        return name not in self.stubs and token not in self._tokens

    def record(self, service: str, operation: str, token: str | None) -> None:
        """Record a successful call for which there was nothing."""
        if self._running is not None:
            self._call, self._attempt = None, 1
            self._append(service, operation)
        if token is not None:
            self._tokens[token] = b"{}"
        self._succeed(f"{service}.{operation}")

    def around(self, event: str, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        _, service, operation = event.split(".", 2)
        if self._running is None:
            return self._send(service, operation, request, send)
        if self.dead:
            raise Killed
        self._count(service, operation, request)
        fault = self.plan.get(len(self.calls))
        if fault is None:
            return self._send(service, operation, request, send)
        self.injected.add(len(self.calls))
        return self._inject(fault, service, operation, request, send)

    def _count(self, service: str, operation: str, request: AWSPreparedRequest) -> None:
        call = request.headers["amz-sdk-invocation-id"]
        if call == self._call:
            self._attempt += 1
            return
        self._call, self._attempt = call, 1
        self._append(service, operation)

    def _append(self, service: str, operation: str) -> None:
        by = self._running or ""
        same = [each for each in self.calls if (each.by, each.service, each.operation) == (by, service, operation)]
        self.calls.append(Call(by, service, operation, len(same) + 1))

    def _inject(
        self, fault: Fault, service: str, operation: str, request: AWSPreparedRequest, send: Send
    ) -> AWSResponse | None:
        errors = SERVICE_ERRORS[service]
        rejections = {Fault.THROTTLED: errors.throttled, Fault.FAILED: errors.failed, Fault.DENIED: errors.denied}
        if fault in rejections:
            return errors.respond(request, rejections[fault])
        answer = self._send(service, operation, request, send)
        if fault is Fault.KILLED:
            self.dead = True
            raise Killed
        if fault is Fault.TIMED_OUT or self._attempt == 1:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    def _send(self, service: str, operation: str, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        name = f"{service}.{operation}"
        if name in self.stubs:
            return self.stubs[name](request)
        token = _token(request) if name == _TRANSACTION else None
        if token in self._tokens:
            return response(request, 200, {}, self._tokens[token])
        answer = send()
        if answer is not None and answer.status_code < 300:
            if token is not None:
                self._tokens[token] = answer.content
            if name in self.observers:
                self.observers[name](request)
            self._succeed(name)
        return answer

    def _succeed(self, name: str) -> None:
        if name in self.followers:
            self.followers[name]()
        self.watch()


_TRANSACTION: Final = "dynamodb.TransactWriteItems"


def _token(request: AWSPreparedRequest) -> str | None:
    """Return the transaction's token. DynamoDB executes a transaction once for each token, which botocore creates for
    each call; moto ignores it (DynamoDB API reference, TransactWriteItems: ClientRequestToken)."""
    body: Any = request.body
    token: str | None = json.loads(body).get("ClientRequestToken")
    return token


def path_of(request: AWSPreparedRequest) -> str:
    return urlsplit(request.url).path
