"""Operations on many devices, in which a row that our code cannot process does not affect the others.

After a fault, each half of the devices is tried separately, down to the device that causes the fault. Errors that
affect all devices are raised, and the page is tried again later: errors of AWS or of the connection, and a Region that
is no longer home.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from lobby.errors import NotHome

T = TypeVar("T")
R = TypeVar("R")
_OF_ALL: Final = (BotoCoreError, ClientError, PynamoDBException, NotHome)
logger = Logger(service="campaigns")


def isolated(
    items: Sequence[T], run: Callable[[Sequence[T]], Sequence[R]], failed: Callable[[T, Exception], R]
) -> list[R]:
    """Return the result of each item. If `run` fails for an item, its result comes from `failed`."""
    try:
        return list(run(items))
    except _OF_ALL:
        raise
    except Exception as error:
        if len(items) == 1:
            logger.exception("not processed", extra={"item": str(items[0])})
            return [failed(items[0], error)]
    half = len(items) // 2
    return isolated(items[:half], run, failed) + isolated(items[half:], run, failed)
