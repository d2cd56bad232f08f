"""A redrive as the command lines start it: with the credentials of an account's session, for the lobby in it.

The ledger finds its tables and its credentials by the environment, as it does in the Lambdas: the session's own are put
there, so that the queues and the tables are those of one account, whatever else the environment said.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from infra.redrive.redriving import Redriving
from lobby.ledger.redrive import holder_of
from lobby.ledger.store import Ledger
from lobby.names import Target


def redrive(session: Any, lobby: Target, more: Mapping[str, str] | None = None, *, dry: bool) -> bool:
    """Whether everything could be redriven. Told on standard output, line by line. `more` is for the environment."""
    keys = session.get_credentials().get_frozen_credentials()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ |= {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_REGION": lobby.region,
        "AWS_DEFAULT_REGION": lobby.region,
        **({"AWS_SESSION_TOKEN": keys.token} if keys.token else {}),
        **(more or {}),
    }
    run = Redriving(
        session.client("sqs"),
        session.client("lambda"),
        Ledger(lobby.region),
        holder_of,
        lobby,
        datetime.now(UTC),
        lambda line: print(line, flush=True),
        dry,
    )
    return run.run()
