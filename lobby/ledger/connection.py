"""The DynamoDB connection that PynamoDB keeps for a table.

PynamoDB has no public access to it (`Model._get_connection`, PynamoDB 6); this is the only place that uses it.
"""

import os

from botocore.session import Session
from pynamodb.connection import Connection
from pynamodb.models import Model

from lobby.ledger.models import LedgerRow


def connection_of(model: type[Model] = LedgerRow) -> Connection:
    """Return the connection of a table, by default of the ledger's table. Each connection has its own client."""
    return model._get_connection().connection


def connect(*others: type[Model]) -> None:
    """Create the client of the ledger's table now, instead of at the first call. The tables of `others` share it, so
    that none of them creates a client later, in a thread that a device waits for."""
    client = connection_of().client
    for model in others:
        connection_of(model)._client = client


def aws_session() -> Session:
    """Return the botocore session of the ledger's connection, so that a cold start creates no second one."""
    return connection_of().session


def use_aws_region() -> None:
    """Let a command use the Region in AWS_REGION, as Lambda's runtime does. Botocore reads AWS_DEFAULT_REGION only."""
    if region := os.environ.get("AWS_REGION"):
        os.environ["AWS_DEFAULT_REGION"] = region
