"""Users' changes of a device: each request with its own actor name, and the response to the user."""

from dataclasses import dataclass, replace
from typing import Final

from pynamodb.exceptions import PynamoDBException

from lobby.domain.changes import Chosen, Configure, Lift, Quarantine
from lobby.domain.transfers.transfer import Transfer, TransferStep
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, PresenceCode, Target
from tests.simulation.faults.devices import GUARDED

DONE: Final = "done"
UNKNOWN: Final = "INTERNAL"
"""The answer to a request that may have taken effect or not."""
_AT, _END = "2026-11-22T12:00:00.000Z", "2099-01-01T00:00:00.000Z"
OFFERED: Final = Transfer(TransferStep.OFFERED, "a" * 32, "Bob", _AT, "", _END)
COMPLETED: Final = Transfer(
    TransferStep.COMPLETED, "a" * 32, "2" * 12 + "/eu-west-1", _AT, "", "", endpoint="bob.example", until=_END
)
_WRONG_CODE: Final = PresenceCode("no code")


@dataclass(eq=False)
class UserRequest:
    """A request under an actor name that no other request has. `event` is one of claim, confirm, mismatch, move,
    configure, release, revoke, quarantine, lift, retry, offer, transfer (its completion) and withdraw. `answer` is
    `DONE`, a code, or empty if the request was killed."""

    by: str
    event: str
    certid: Fingerprint
    target: Target | None
    answer: str = ""

    def perform(self, ledger: Ledger) -> None:
        """Send the request to the ledger, and record the answer."""
        try:
            self._send(ledger)
        except LobbyError as refusal:
            self.answer = refusal.code
        except PynamoDBException:
            self.answer = UNKNOWN
        else:
            self.answer = DONE

    def _send(self, ledger: Ledger) -> None:  # one branch for each kind of request
        if self.event in ("claim", "move"):
            if self.target is None:
                raise AssertionError(f"a {self.event} needs a target")
            claim = ClaimRequest(self.target, presence=self.target == GUARDED)
            getattr(ledger, self.event)(self.certid, claim, self.by)
        elif self.event in ("offer", "transfer"):
            step = OFFERED if self.event == "offer" else COMPLETED
            getattr(ledger, self.event)(self.certid, replace(step, actor=self.by))
        elif self.event in ("confirm", "mismatch"):
            self._enter_code(ledger)
        elif self.event == "configure":
            ledger.change(Chosen(self.certid), Configure({}, config=self.by), self.by)
        elif self.event == "revoke":
            ledger.revoke(self.certid, "stolen", self.by)
        elif self.event in ("quarantine", "lift"):
            change = Quarantine("two addresses") if self.event == "quarantine" else Lift("seen on site")
            ledger.change(Chosen(self.certid), change, self.by)
        else:
            getattr(ledger, self.event)(self.certid, self.by)

    def _enter_code(self, ledger: Ledger) -> None:
        """Enter the code that the device shows, or a wrong one."""
        device = ledger.get(self.certid)
        if device is None or device.code is None:
            raise Conflict("NOT_ALLOWED", "no code is shown")
        ledger.confirm(device, device.code if self.event == "confirm" else _WRONG_CODE, self.by)
