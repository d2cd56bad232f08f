"""The results of the last complete round of renewals, for the overview, which reads them with one call."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from lobby.domain.expiry import Expiring
from lobby.ledger.progress import save_progress
from lobby.ledger.round_rows import RoundRow

_NAME: Final = "renewals"


@dataclass(frozen=True)
class RenewalSummary:
    """Numbers of devices at the time `at` (ISO 8601 UTC): devices that are due, those of them that are overdue, and
    those of them whose clients cannot renew. `expiring` counts certificates that expire soon or have expired.
    `authorities` are CAs and revocation lists that expire soon or cannot be used."""

    at: str
    due: int
    overdue: int
    unable: int
    expiring: int
    authorities: tuple[Expiring, ...] = ()


def save_summary(summary: RenewalSummary) -> None:
    save_progress(_NAME, asdict(summary))


def read_summary() -> RenewalSummary | None:
    """Return the last summary, eventually consistent; None before the first round is complete."""
    found: list[dict[str, Any]] = [row.progress for row in RoundRow.batch_get([_NAME])]
    if not found:
        return None
    [fields] = found
    return RenewalSummary(**{**fields, "authorities": tuple(Expiring(**each) for each in fields["authorities"])})
