"""Walks through the certificates in AWS IoT that were created since the last walk, for jobs of the registrar.

AWS IoT lists the newest certificates first. The first walk reads all certificates of the account, which can take more
than one run of the Lambda. So the position in the list is saved after each page, and the next run continues there. AWS
does not document how long a position is valid; if it is refused, the walk starts again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lobby.ledger.clock import timestamp
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

_PAGE: Final = 250
Note = dict[str, Any]


@dataclass(frozen=True)
class NewCertificates:
    """The certificates with `status` that are older than `age`. `name` is the note's field for the time of the last
    complete walk, and `every` is the time between two walks."""

    iot: "IoTClient"
    name: str
    status: str
    age: timedelta
    every: timedelta

    def walk(
        self, note: Note, at: datetime, visit: Callable[[Fingerprint], bool], time_is_up: Callable[[], bool]
    ) -> int:
        """Visit each certificate that is new since the last walk at least once, or continue an interrupted walk. `note`
        has the position, and is updated. Return how many visits returned true."""
        since = datetime.fromisoformat(note[self.name]) if self.name in note else datetime.min.replace(tzinfo=UTC)
        position = note.pop(self._key, None) or {"until": timestamp(at - self.age)}
        until = datetime.fromisoformat(position["until"])
        if until - since < self.every:
            return 0
        done = 0
        while page := self._page(position):
            new = [each for each in page["certificates"] if since <= each["creationDate"]]
            for each in new:
                if time_is_up():
                    note[self._key] = position
                    return done
                done += self._is_wanted(each, until) and visit(Fingerprint(each["certificateId"]))
            if len(new) < len(page["certificates"]) or not page.get("nextMarker"):
                note[self.name] = timestamp(until)
                return done
            position = position | {"marker": page["nextMarker"]}
        return done

    @property
    def _key(self) -> str:
        return f"{self.name}_position"

    def _is_wanted(self, certificate: Any, until: datetime) -> bool:
        return bool(certificate["status"] == self.status and certificate["creationDate"] < until)

    def _page(self, position: dict[str, str]) -> Any:
        """Return a page of the list; None if its position is no longer valid."""
        where = {"marker": position["marker"]} if "marker" in position else {}
        try:
            return self.iot.list_certificates(pageSize=_PAGE, ascendingOrder=False, **where)
        except ClientError as error:
            if not where or error.response["Error"]["Code"] != "InvalidRequestException":
                raise
            return None
