"""Claims by serial number: the types, the query and the mutations.

A claim of a serial number waits for a device whose certificate does not exist yet. Each serial number has its own
result, so one invalid number does not affect the others.
"""

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from admin_api.graphql.arguments import After, Config, First, Profile, described
from admin_api.graphql.connections import Statuses
from admin_api.graphql.context import ABSENT, Context, Info, given, operation
from admin_api.graphql.device_pages import PageInfo
from admin_api.graphql.devices import Device, device_from
from admin_api.graphql.isolation import refusal_of
from admin_api.graphql.limits import Resource
from admin_api.graphql.targets import TargetInput, target_named
from admin_api.operations import claims
from admin_api.operations import serial_claims as rules
from admin_api.operations.serial_claims import Outcome
from admin_api.operations.user_limits import NO_DEVICE, not_tried
from lobby.domain import device as ledger
from lobby.domain.claims import serial_claim as domain
from lobby.errors import InvalidInput, LobbyError
from lobby.ledger.lists.listing import DEFAULT_PAGE, MAX_PAGE

MAX_SERIALS = 200
"""The maximum number of serial numbers in a request. Each makes two sequential calls of the ledger."""


@strawberry.type(
    description="A claim of a serial number whose device has not joined. It takes effect when the device joins."
)
class SerialNumberClaim:
    id: strawberry.ID = strawberry.field(description="Identifies the claim in caches: the serial number.")
    serial_number: str = strawberry.field(description="The serial number, which will be the thing name.")
    account: str = strawberry.field(description="The target's account.")
    region: str = strawberry.field(description="The target's Region.")
    profile: str = strawberry.field(description="The profile of the claim.")
    config: JSON = strawberry.field(description="The configuration of the claim: text or an object.")
    claimed_by: str = strawberry.field(description="The user who claimed it.")
    claimed_at: str = strawberry.field(description="The time of the claim, ISO 8601 UTC.")


@strawberry.type(description="A page of claims by serial number.")
class SerialNumberClaimPage:
    nodes: list[SerialNumberClaim] = strawberry.field(description="The claims, in the order of serial numbers.")
    page_info: PageInfo = strawberry.field(description="Whether another page follows, and its cursor.")


@strawberry.type(description="The result of claiming one serial number.")
class SerialNumberClaimResult:
    serial_number: str = strawberry.field(description="The serial number as given.")
    ok: bool = strawberry.field(description="Whether it is claimed.")
    code: str | None = strawberry.field(description="The error code; null on success. NOT_TRIED: send it again.")
    message: str | None = strawberry.field(description="The received and the expected value; null on success.")
    claim: SerialNumberClaim | None = strawberry.field(
        description="The claim, if the device has not joined. It takes effect when the device joins."
    )
    device: Device | None = strawberry.field(description="The device that has the serial number and was claimed.")


@strawberry.type(description="The results of claiming several serial numbers.")
class SerialNumberClaims:
    results: list[SerialNumberClaimResult] = strawberry.field(
        description="One result for each item of `serialNumbers`, in order."
    )


@strawberry.type(description="The operations that read claims by serial number.")
class SerialClaimQuery:
    @operation("Returns a page of the claims by serial number whose devices have not joined, at most 100.")
    def serial_number_claims(
        self, info: Info, first: First = DEFAULT_PAGE, after: After = ABSENT
    ) -> SerialNumberClaimPage:
        if not 1 <= first <= MAX_PAGE:
            raise InvalidInput("INVALID_COUNT", f"got {first} claims, want 1 to {MAX_PAGE}")
        page = rules.page(info.context.services, first, given(after))
        return SerialNumberClaimPage(
            nodes=[_claim_from(each) for each in page.claims],
            page_info=PageInfo(has_next_page=page.following is not None, end_cursor=page.following),
        )


@strawberry.type(description="The operations that change claims by serial number.")
class SerialClaimMutation:
    @operation(
        f"Claims up to {MAX_SERIALS} devices by serial number for one target, also devices without a certificate:"
        " each is claimed when a device with this thing name joins, at any door. One that has joined is claimed now."
    )
    def claim_serial_numbers(
        self,
        info: Info,
        serial_numbers: Annotated[list[str], described("Serial numbers, which are thing names.")],
        target: Annotated[TargetInput, described("The target to claim the devices for.")],
        profile: Profile = ABSENT,
        config: Config = ABSENT,
    ) -> SerialNumberClaims:
        context = info.context
        if not 1 <= len(serial_numbers) <= MAX_SERIALS:
            got = f"got {len(serial_numbers)} serial numbers"
            raise InvalidInput("INVALID_COUNT", f"{got}, want 1 to {MAX_SERIALS} in a request")
        context.quota.consume(Resource.FINGERPRINTS, len(serial_numbers))
        request = claims.claim_request_for(
            context.services, context.caller, target_named(target), given(profile), given(config)
        )
        nobody = [NO_DEVICE] * len(serial_numbers)
        allowed = context.services.limits.allowed(context.caller, nobody, request.target)
        now, later = serial_numbers[:allowed], serial_numbers[allowed:]
        outcomes = [
            *rules.claim(context.services, context.caller, now, request, context.quota.time_is_up),
            *(Outcome(serial, not_tried(allowed)) for serial in later),
        ]
        devices = [each.result.certid for each in outcomes if isinstance(each.result, ledger.Device)]
        statuses = Statuses(context.services.connections, devices)
        return SerialNumberClaims(results=[_result(context, each, statuses) for each in outcomes])

    @operation(
        "Withdraws the claim of a serial number whose device has not joined. UNKNOWN_SERIAL_CLAIM if there is none, or"
        " if the device has joined: release it then."
    )
    def withdraw_serial_number_claim(
        self, info: Info, serial_number: Annotated[str, described("The serial number.")]
    ) -> SerialNumberClaim | None:
        return _claim_from(rules.withdraw(info.context.services, serial_number))


def _result(context: Context, outcome: Outcome, statuses: Statuses) -> SerialNumberClaimResult:
    code = message = device = claim = None
    match outcome.result:
        case LobbyError():
            code, message = refusal_of(context, outcome.result) or ("", "")
        case domain.SerialClaim():
            claim = _claim_from(outcome.result)
        case ledger.Device():
            device = device_from(outcome.result, context.caller, in_list=True, statuses=statuses)
    return SerialNumberClaimResult(
        serial_number=outcome.serial, ok=code is None, code=code, message=message, claim=claim, device=device
    )


def _claim_from(claim: domain.SerialClaim) -> SerialNumberClaim:
    request = claim.request
    return SerialNumberClaim(
        id=strawberry.ID(claim.serial),
        serial_number=claim.serial,
        account=request.target.account,
        region=request.target.region,
        profile=request.profile,
        config=JSON(request.config),
        claimed_by=claim.actor,
        claimed_at=claim.at,
    )
