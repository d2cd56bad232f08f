"""The tests' AWS with the fault layer in it: every client of every Lambda goes through the layer.

Clients are made once for each account and kept, as making them takes longer than most stories; they hold nothing of
ours. What they do hold, botocore's quota of retries and its pauses, is put aside: a process has a quota of its own,
and nobody waits here.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.endpoint
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.retries.quota import RetryQuota
from botocore.session import Session
from moto.core.botocore_stubber import BotocoreStubber
from moto.iam.models import get_account_id_from

from lobby.ledger.models import MODELS
from tests import aws
from tests.simulation.faults.layer import FaultLayer


class _NoPauses:
    @staticmethod
    def sleep(_seconds: float) -> None:
        """Whoever shall wait, goes on."""


@contextmanager
def faulty_aws() -> Iterator[FaultLayer]:
    """An empty AWS with the lobby's tables, and what may go wrong in it. Nobody reads what is logged of it."""
    layer = FaultLayer()
    with _silence(), aws.aws() as calls, calls.uncounted(), pytest.MonkeyPatch.context() as patched:
        original = BotocoreStubber.__call__

        def around(stubber: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **more: Any) -> Any:
            def send() -> AWSResponse | None:
                return original(stubber, event_name, request, **more)

            return layer.around(event_name, request, send)

        patched.setattr(BotocoreStubber, "__call__", around)
        patched.setattr(Session, "create_client", _kept_clients())
        patched.setattr(RetryQuota, "acquire", lambda _quota, _amount: True)
        patched.setattr(botocore.endpoint, "time", _NoPauses)
        for model in MODELS:
            patched.setattr(model, "_connection", None)
        yield layer


@contextmanager
def _silence() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _kept_clients() -> Any:
    """`Session.create_client`, with one client for those who ask for the same one. A role's keys are new each time
    that it is assumed: its clients are kept by account."""
    create, kept = Session.create_client, dict[tuple[Any, ...], BaseClient]()

    def create_client(session: Session, service_name: str, region_name: str | None = None, **how: Any) -> BaseClient:
        key, config = how.get("aws_access_key_id"), how.get("config")
        options = sorted(vars(config)["_user_provided_options"].items(), key=str) if config else ()
        name = (service_name, region_name, get_account_id_from(key) if key else None, str(options))
        if name not in kept:
            kept[name] = create(session, service_name, region_name, **how)
        return kept[name]

    return create_client
