"""The tests' AWS with the fault injector in it: every client of every Lambda goes through the injector.

Calls to DynamoDB without a fault are made directly (`tests/direct_dynamodb.py`), which takes a fifth of the time; they
are two thirds of all calls. Clients are created once for each account and cached, because creating them takes longer
than most scenarios, and they contain no state of the project. Botocore's retry quota and pauses are disabled, because a
real process has its own quota, and the simulation does not wait.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

import botocore.endpoint
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.retries.quota import RetryQuota
from botocore.session import Session
from moto.core.botocore_stubber import BotocoreStubber
from moto.iam.models import get_account_id_from

from lobby.ledger.models import MODELS
from tests import aws, direct_dynamodb
from tests.simulation.faults.injector import FaultInjector


class _NoPauses:
    @staticmethod
    def sleep(_seconds: float) -> None:
        """Do not wait."""


@contextmanager
def faulty_aws() -> Iterator[FaultInjector]:
    """Start an empty AWS with the lobby's tables and a fault injector. Logging is disabled."""
    injector = FaultInjector()
    with _no_logging(), aws.aws(over_http=True) as calls, calls.uncounted(), pytest.MonkeyPatch.context() as patched:
        original = BotocoreStubber.__call__

        def around(stubber: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **more: Any) -> Any:
            def send() -> AWSResponse | None:
                return original(stubber, event_name, request, **more)

            return injector.around(event_name, request, send)

        patched.setattr(BotocoreStubber, "__call__", around)
        patched.setattr(BaseClient, "_make_api_call", _direct_calls(injector))
        patched.setattr(Session, "create_client", _cached_clients())
        patched.setattr(RetryQuota, "acquire", lambda _quota, _amount: True)
        patched.setattr(botocore.endpoint, "time", _NoPauses)
        for model in MODELS:
            patched.setattr(model, "_connection", None)
        yield injector


def _direct_calls(injector: FaultInjector) -> Any:
    """Return a `BaseClient._make_api_call` that makes calls directly if the injector has nothing for them."""
    original = BaseClient._make_api_call  # type: ignore[attr-defined]  # PynamoDB and boto3 both use it

    def make_api_call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        service, token = client.meta.service_model.service_name, params.get("ClientRequestToken")
        sent = []

        def over_http() -> Any:
            sent.append(operation)
            return original(client, operation, params)

        if service != "dynamodb" or not injector.has_nothing_for(f"{service}.{operation}", token):
            return over_http()
        answer = direct_dynamodb.call(client, operation, params, over_http)
        if not sent:
            injector.record(service, operation, token)
        return answer

    return make_api_call


@contextmanager
def _no_logging() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _cached_clients() -> Any:
    """Return a `Session.create_client` that caches clients. A role has new keys each time it is assumed, so clients
    are cached by account; each assumed session gets its own view of one."""
    create, cached = Session.create_client, dict[tuple[Any, ...], BaseClient]()

    def create_client(session: Session, service_name: str, region_name: str | None = None, **how: Any) -> Any:
        key, config = how.get("aws_access_key_id"), how.get("config")
        options = sorted(vars(config)["_user_provided_options"].items(), key=str) if config else ()
        name = (service_name, region_name, get_account_id_from(key) if key else None, str(options))
        if name not in cached:
            cached[name] = create(session, service_name, region_name, **how)
            for event in _EVENTS if key else ():
                cached[name].meta.events.register(event, partial(_dispatch, event))
        return _ClientOfSession(cached[name]) if key else cached[name]

    return create_client


_EVENTS: Final = ("request-created", "needs-retry")
_calling: ContextVar["_ClientOfSession | None"] = ContextVar("calling", default=None)


class _ClientOfSession:
    """A shared client with its own event handlers, which are only called for calls through it."""

    def __init__(self, client: BaseClient) -> None:
        self._client, self.handlers = client, defaultdict[str, list[Any]](list)
        events = SimpleNamespace(register=lambda event, handler: self.handlers[event].append(handler))
        self.meta = SimpleNamespace(events=events)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            token = _calling.set(self)
            try:
                return method(**parameters)
            finally:
                _calling.reset(token)

        return call


def _dispatch(event: str, **details: Any) -> None:
    client = _calling.get()
    for handler in client.handlers[event] if client else ():
        handler(**details)
