"""Serves one device in its lane, and classifies the result.

The row is read first, because the index may lag behind, and another worker may already have served the row. A temporary
failure is returned, and the lane's worker decides when to try again. A row that cannot be read, or that makes our own
code fail, is sent to the on-failure queue and delays no other device.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from commissioner.commissioning import Commissioner
from commissioner.errors import LeaseLost, NoAnswer, ShadowsAwaited
from commissioner.target_gateway.error_translation import is_throttled
from lobby.domain.device import Device
from lobby.domain.lanes.lane import Lane, has_part
from lobby.errors import Conflict, NotFound, NotHome
from lobby.ledger.clock import now
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint

ATTEMPTS: Final = 3
"""A device fails after this many attempts of one worker, if its target has not accepted it for `RETRY_FOR`."""
RETRY_FOR: Final = timedelta(minutes=3)
"""Time in its state after which a device may fail for temporary errors."""
_CHANGING: Final = (PynamoDBException, Conflict, NotFound, ShadowsAwaited)
"""Errors of the ledger, concurrent changes of a row, and a short wait for its shadows: always temporary."""
SendToQueue = Callable[[Fingerprint, str], object]
"""Receives the device and the reason."""
logger = Logger(service="commissioner")


class Result(StrEnum):
    """The result of serving a device. Only `DONE` and `SET_ASIDE` are final."""

    DONE = "done"
    SET_ASIDE = "set aside"
    """The row cannot be processed, and was reported."""
    THROTTLED = "throttled"
    NO_ANSWER = "no answer"
    FAILED = "failed"
    """A temporary failure of this device only."""
    LEASE_LOST = "lease lost"


FINAL: Final = (Result.DONE, Result.SET_ASIDE)


@dataclass(frozen=True)
class Attempt:
    """One attempt to process a row: `number` counts the attempts of one worker from 1. `unfinished`: an earlier run may
    have been interrupted after recording its result."""

    certid: Fingerprint
    number: int = 1
    unfinished: bool = False


class Server:
    """`send_to_queue` takes the rows that cannot be processed."""

    def __init__(
        self,
        commissioner: Commissioner,
        ledger: Ledger,
        send_to_queue: SendToQueue,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._commissioner, self._ledger = commissioner, ledger
        self._send_to_queue, self._clock = send_to_queue, clock
        self._reported: set[Fingerprint] = set()

    def serve(self, attempt: Attempt, lane: Lane) -> Result:  # noqa: PLR0911  # one result per kind of error
        """Do the lane's part of the device's work. Raise nothing."""
        certid, device = attempt.certid, None
        try:
            device = self._ledger.get_with_certificate(certid)
            outcome = self._processed(device, attempt, lane)
        except (LeaseLost, NotHome):  # the worker ends, here or when it gives the lease back
            return Result.LEASE_LOST
        except NoAnswer as error:
            return self._failed(certid, error, Result.NO_ANSWER)
        except _CHANGING as error:
            return self._failed(certid, error, Result.FAILED)
        except (BotoCoreError, ClientError) as error:
            if is_throttled(error):
                return self._failed(certid, error, Result.THROTTLED)
            return self._failed_again(device, attempt, lane, error)
        except Exception as error:  # noqa: BLE001  # no error may stop the lane
            return self._set_aside(certid, error)
        logger.info("processed", extra={"certid": certid, "lane": lane, "outcome": outcome})
        return Result.DONE

    def _processed(self, device: Device | None, attempt: Attempt, lane: Lane) -> str:
        if device is None:
            return "no such device"
        if has_part(device, lane):
            return self._commissioner.process(device, lane)
        return self._commissioner.finish(device, lane) if attempt.unfinished else "nothing to do"

    def _failed_again(self, device: Device | None, attempt: Attempt, lane: Lane, error: Exception) -> Result:
        """Fail the device if this was its last attempt."""
        if device is None or attempt.number < ATTEMPTS or self._age(device) < RETRY_FOR or not has_part(device, lane):
            return self._failed(attempt.certid, error, Result.FAILED)
        logger.exception("attempts ended", extra={"certid": device.certid})
        try:
            self._commissioner.give_up(device, lane, error)
        except Exception as failure:  # noqa: BLE001  # the next worker tries again
            return self._failed(attempt.certid, failure, Result.FAILED)
        return Result.DONE

    def _age(self, device: Device) -> timedelta:
        return self._clock() - datetime.fromisoformat(device.enteredat)

    @staticmethod
    def _failed(certid: Fingerprint, error: Exception, result: Result) -> Result:
        logger.warning("not processed", extra={"certid": certid, "result": result.value, "error": f"{error}"[:400]})
        return result

    def _set_aside(self, certid: Fingerprint, error: Exception) -> Result:
        """Report the row, once in this Lambda's lifetime."""
        if certid in self._reported:
            return Result.SET_ASIDE
        logger.exception("sent to the on-failure queue", extra={"certid": certid})
        try:
            self._send_to_queue(certid, f"{type(error).__name__}: {error}"[:500])
        except (BotoCoreError, ClientError):
            logger.exception("not sent to the on-failure queue", extra={"certid": certid})
            return Result.FAILED
        self._reported.add(certid)
        return Result.SET_ASIDE
