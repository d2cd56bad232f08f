"""Types for renewals: the results of the last daily round, and the progress of one device's renewal."""

from enum import Enum

import strawberry

from lobby.domain.device import Device
from lobby.domain.expiry import CA, LIST
from lobby.domain.renewals.renewal import Renewal, is_overdue, stage_of
from lobby.ledger.clock import now, timestamp
from lobby.ledger.renewals.renewal_summary import read_summary
from lobby.names import RenewalStatus


@strawberry.enum(name="RenewalStatus", description="Which renewals a list of devices has.")
class Status(Enum):
    DUE = strawberry.enum_value(
        RenewalStatus.DUE.value, description="The certificate is due for renewal, overdue or not."
    )
    OVERDUE = strawberry.enum_value(RenewalStatus.OVERDUE.value, description="The deadline has passed.")


@strawberry.enum(name="RenewalStage", description="The stage of a certificate's renewal.")
class Stage(Enum):
    DUE = strawberry.enum_value(
        Renewal.DUE.value, description="The lobby requests the renewal each day, or the device cannot renew."
    )
    SIGNED = strawberry.enum_value(
        Renewal.SIGNED.value, description="The new certificate exists and works in the lobby."
    )
    COMMISSIONED = strawberry.enum_value(
        Renewal.COMMISSIONED.value, description="Both certificates work in the target."
    )
    PROVEN = strawberry.enum_value(
        Renewal.PROVEN.value,
        description="The device has connected with the new certificate. The old one is being retired.",
    )


@strawberry.enum(description="What expires.")
class AuthorityKind(Enum):
    CA = strawberry.enum_value(CA, description="The certificate of a CA.")
    LIST = strawberry.enum_value(LIST, description="The revocation list of a CA.")


@strawberry.type(description="A CA, or its revocation list, that will expire or cannot be used.")
class ExpiringAuthority:
    kind: AuthorityKind = strawberry.field(description="Whether this is the CA or its list.")
    ca: str = strawberry.field(
        description="AWS IoT's id of the CA; empty if the CAs of another Region of the lobby cannot be read."
    )
    name: str = strawberry.field(
        description="The CA's subject; empty if its certificate cannot be read. If `ca` is empty, the Region."
    )
    ends: str | None = strawberry.field(
        description="When the CA or list expires, ISO 8601 UTC; null if it cannot be read."
    )
    problem: str | None = strawberry.field(description="Why the CA or list cannot be used; null if it only expires.")


@strawberry.type(description="The results of the last complete daily round about certificates.")
class RenewalOverview:
    at: str = strawberry.field(description="When the round was complete, ISO 8601 UTC.")
    due: int = strawberry.field(description="The number of devices whose certificate is due for renewal.")
    overdue: int = strawberry.field(description="The number of these that are overdue.")
    unable: int = strawberry.field(description="The number of these whose client cannot renew.")
    expiring_certificates: int = strawberry.field(
        description="Devices whose certificate expires within 90 days, or has expired."
    )
    expiring_authorities: list[ExpiringAuthority] = strawberry.field(
        description="CAs that end within 180 days, and revocation lists that end soon or cannot be used."
    )


@strawberry.type(description="The renewal of a device's certificate that is in progress.")
class DeviceRenewal:
    stage: Stage = strawberry.field(description="The stage of the renewal.")
    by: str | None = strawberry.field(description="The deadline of the renewal, ISO 8601 UTC.")
    overdue: bool = strawberry.field(description="Whether the deadline has passed.")
    unable: bool = strawberry.field(description="Whether the device's client cannot renew.")


def renewal_overview() -> RenewalOverview | None:
    """Return the summary of the last complete round, with one call. Return None before the first round."""
    found = read_summary()
    if found is None:
        return None
    authorities = [
        ExpiringAuthority(
            kind=AuthorityKind(each.kind), ca=each.ca, name=each.name, ends=each.ends, problem=each.problem
        )
        for each in found.authorities
    ]
    return RenewalOverview(
        at=found.at,
        due=found.due,
        overdue=found.overdue,
        unable=found.unable,
        expiring_certificates=found.expiring,
        expiring_authorities=authorities,
    )


def renewal_of(row: Device) -> DeviceRenewal | None:
    """Return the renewal of a device's row, or None if it is not due."""
    stage = stage_of(row)
    if stage is None:
        return None
    overdue = is_overdue(row, timestamp(now()))
    return DeviceRenewal(stage=Stage(stage.value), by=row.renew_by, overdue=overdue, unable=not row.can_renew)
