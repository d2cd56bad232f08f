"""Starts a redrive with the credentials of a session, for the lobby in its account.

The ledger reads its credentials and Region from the environment, as in the Lambdas. The session's credentials and
Region are written there, so that queues and tables are in the same account. In a lobby with several Regions, the queues
of one Region are redriven with the ledger of the home, because a write to a replica would bypass the lease.
"""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from infra.redrive.redriving import Redriving
from lobby.ledger.redrive import holder_of
from lobby.ledger.regions.command_routing import route_command
from lobby.ledger.regions.routing import Access
from lobby.ledger.store import Ledger
from lobby.names import Target


def redrive(session: Any, lobby: Target, environment: Mapping[str, str] | None = None, *, dry: bool) -> bool:
    """Redrive, print each step to stdout, and return whether every message was redriven. `environment` has additional
    variables."""
    keys = session.get_credentials().get_frozen_credentials()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ |= {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_REGION": lobby.region,
        "AWS_DEFAULT_REGION": lobby.region,
        **({"AWS_SESSION_TOKEN": keys.token} if keys.token else {}),
        **(environment or {}),
    }
    route_command(session.client("dynamodb"), lobby.region, Access.DOOR)
    run = Redriving(
        session.client("sqs"),
        session.client("lambda"),
        put_into(session.client("firehose")),
        Ledger(lobby.region),
        holder_of,
        lobby,
        datetime.now(UTC),
        lambda line: print(line, flush=True),
        dry,
    )
    return run.run()


def put_into(firehose: Any) -> Callable[[str, bytes], None]:
    """Return the function that puts a record into a stream of Firehose."""
    return lambda stream, record: firehose.put_record(DeliveryStreamName=stream, Record={"Data": record})
