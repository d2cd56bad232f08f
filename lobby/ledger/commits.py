"""Small transactions of one table: items that are written, updated or deleted, on conditions.

Registers other than the ledger use this; `transaction` writes the changes of devices.
"""

from dataclasses import dataclass
from uuid import uuid4

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from lobby.ledger.connection import connection_of
from lobby.ledger.dynamodb_errors import CONFLICTS, reasons_of
from lobby.ledger.transaction import Update


@dataclass(frozen=True)
class Put:
    """An item to write, on a condition."""

    row: Model
    condition: Condition | None = None


@dataclass(frozen=True)
class Delete:
    """An item to delete, if it exists, on a condition."""

    row: Model
    condition: Condition | None = None


def committed(*writes: Put | Update | Delete) -> bool:
    """Write one transaction; return False if an item is not as expected, or is in use by another transaction."""
    try:
        with TransactWrite(connection=connection_of(), client_request_token=str(uuid4())) as transaction:
            for write in writes:
                match write:
                    case Put():
                        transaction.save(write.row, condition=write.condition)
                    case Update():
                        transaction.update(write.row, list(write.actions), condition=write.condition)
                    case Delete():
                        transaction.delete(write.row, condition=write.condition)
    except TransactWriteError as error:
        if set(reasons_of(error)) & CONFLICTS:
            return False
        raise
    return True
