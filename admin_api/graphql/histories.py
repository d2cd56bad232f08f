"""Whether a device's history is what it was, as the API tells it; and which devices ever had one."""

import strawberry

from admin_api.graphql.devices import PageInfo
from lobby.domain.history_audit import Verdict
from lobby.ledger.anchors import AnchoredDevices
from lobby.names import Fingerprint


@strawberry.type(description="What the entries of a device's history, its row and its anchors say together.")
class HistoryCheck:
    certid: strawberry.ID
    ok: bool = strawberry.field(description="Every entry is there and as it was, and so is the row that they left.")
    entries: int
    anchored: int = strawberry.field(description="How many of them the notary has anchored outside of the table.")
    pending: int = strawberry.field(description="How many are so new that they need not be anchored yet.")
    seq: int | None = strawberry.field(description="The first entry that is not as it was.")
    code: str | None = strawberry.field(
        description="ALTERED, MISSING, REPLACED, ANCHORED_TWICE, ANCHOR_REMOVED, NOT_ANCHORED, ROW_DIFFERS, ROW_MISSING"
    )
    message: str | None = strawberry.field(description="What is wrong with it.")


@strawberry.type(description="Devices by fingerprint, those included whose row and history are gone.")
class AnchoredPage:
    certids: list[strawberry.ID]
    page_info: PageInfo


def shown_verdict(certid: Fingerprint, verdict: Verdict) -> HistoryCheck:
    return HistoryCheck(
        certid=strawberry.ID(certid),
        ok=verdict.ok,
        entries=verdict.entries,
        anchored=verdict.anchored,
        pending=verdict.pending,
        seq=verdict.seq,
        code=verdict.fault.value if verdict.fault else None,
        message=verdict.message,
    )


def shown_anchored(found: AnchoredDevices) -> AnchoredPage:
    """The last fingerprint is the cursor: pages are in their order."""
    certids = [strawberry.ID(certid) for certid in found.certids]
    last = certids[-1] if certids and found.more else None
    return AnchoredPage(certids=certids, page_info=PageInfo(has_next_page=last is not None, end_cursor=last))
