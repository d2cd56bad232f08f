"""Transfers of devices between lobbies in the API: the types, the query that reads a document, and the mutations.

`admin_api.operations.transfers` carries them out. Only the documents contain certificates, which are not secret.
"""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from admin_api.graphql.arguments import described
from admin_api.graphql.context import ABSENT, Info, given, operation
from admin_api.graphql.limits import Resource
from admin_api.graphql.value_lists import one_of
from admin_api.operations import transfers
from lobby.domain import device
from lobby.domain.transfers import transfer as domain
from lobby.domain.transfers.transfer_documents import Offer
from lobby.ledger.clock import now, timestamp
from lobby.names import Fingerprint
from lobby.text.label import decode_label

Devices = Annotated[
    list[strawberry.ID], described(f"The devices, as fingerprints or label codes; at most {domain.MAX_DEVICES}.")
]
Content = Annotated[str, described("The document, as the other operator has sent it; at most 100 kB.")]
Key = Annotated[
    str,
    described(
        "The fingerprint of the other lobby's key, `SHA256:` and hex, as its operator has stated it separately from the"
        " document."
    ),
]


@strawberry.type(description="The transfer of a device between lobbies. Times are ISO 8601, UTC.")
class DeviceTransfer:
    step: str = strawberry.field(description=one_of(domain.TransferStep))
    offer: str = strawberry.field(description="The id of the offer.")
    partner: str = strawberry.field(
        description="The other lobby: the name in the offer; account and Region once it is known."
    )
    at: str = strawberry.field(description="When this step was made.")
    by: str = strawberry.field(description="The user of this step.")
    expires: str = strawberry.field(description="The end of the offer.")
    expired: bool = strawberry.field(description="Whether the offer has expired.")
    endpoint: str | None = strawberry.field(description="The endpoint of the new lobby, after the completion.")
    until: str | None = strawberry.field(
        description="Until when this lobby sends the device to the new one, after the completion."
    )
    ended: bool = strawberry.field(description="Whether this time is over and the certificate is inactive here.")


@strawberry.type(description="The result for one device of a transfer.")
class TransferResult:
    certid: strawberry.ID = strawberry.field(description="The fingerprint of the device in the lobby that offers it.")
    devicename: str | None = strawberry.field(description="The thing name; null on error.")
    devstate: str | None = strawberry.field(description="The state in this lobby; null on error.")
    ok: bool = strawberry.field(description="Whether it succeeded.")
    code: str | None = strawberry.field(description="The error code; null on success. docs/api.md lists the codes.")
    message: str | None = strawberry.field(description="The received and the expected value; null on success.")


@strawberry.type(description="The results of a transfer, and the document for the other operator.")
class TransferResults:
    results: list[TransferResult] = strawberry.field(description="One result for each device.")
    document: str | None = strawberry.field(
        description="The signed document with the devices for which it succeeded; null if there is none."
    )


@strawberry.type(description="The content of a verified document of another lobby.")
class TransferDocument:
    kind: str = strawberry.field(description="`offer` or `acceptance`.")
    offer: str = strawberry.field(description="The id of the offer.")
    lobby: str = strawberry.field(description="The lobby that has signed it, as account/Region.")
    endpoint: str | None = strawberry.field(description="The endpoint of that lobby.")
    expires: str | None = strawberry.field(description="The end of an offer.")
    devices: list[str] = strawberry.field(description="The names of an offer's devices; fingerprints of an acceptance.")


def transfer_of(row: device.Device) -> DeviceTransfer | None:
    """Return the transfer of a device, or None."""
    found = row.transfer
    if found is None:
        return None
    return DeviceTransfer(
        step=found.step.value,
        offer=found.offer,
        partner=found.partner,
        at=found.at,
        by=found.actor,
        expires=found.expires,
        expired=found.step is domain.TransferStep.OFFERED and not found.is_open(timestamp(now())),
        endpoint=found.endpoint,
        until=found.until,
        ended=found.ended,
    )


@strawberry.type(description="The operation that reads documents of transfers.")
class TransferQuery:
    @operation("Verifies a document of another lobby and returns its content. Changes nothing.")
    def transfer_document(self, document: Content, key: Key) -> TransferDocument | None:
        found = transfers.read(document, key)
        is_offer = isinstance(found, Offer)
        return TransferDocument(
            kind="offer" if is_offer else "acceptance",
            offer=found.offer,
            lobby=found.lobby,
            endpoint=found.endpoint,
            expires=found.expires if isinstance(found, Offer) else None,
            devices=[str(each.name) for each in found.devices] if isinstance(found, Offer) else list(found.devices),
        )


@strawberry.type(description="The operations that transfer devices between lobbies.")
class TransferMutation:
    @operation(
        "Offers devices to the operator of another lobby, and returns the signed offer for it. The devices continue to"
        " work. Repeating it with the same id returns the offer again."
    )
    def offer_devices(
        self,
        info: Info,
        certids: Devices,
        to: Annotated[str, described("The other operator's name, for the offer and the history.")],
        offer: Annotated[str, described("A new id for the offer: 32 random hex digits.")],
        days: Annotated[int, described("How long the offer is valid, 1 to 365 days.")] = domain.VALID_DAYS,
    ) -> TransferResults | None:
        chosen = _chosen(info, certids)
        return _results(transfers.offer(info.context.services, info.context.caller, chosen, to, offer, days))

    @operation(
        "Withdraws offers of devices. An admin can also withdraw a completed transfer: the device waits here again, if"
        " it has not changed to the other lobby permanently."
    )
    def withdraw_transfers(
        self,
        info: Info,
        certids: Devices,
        offer: Annotated[
            str | None,
            described("Withdraws only this offer, by its id, and no completed transfer: NOT_OFFERED otherwise."),
        ] = ABSENT,
    ) -> TransferResults | None:
        chosen = _chosen(info, certids)
        return _results(transfers.withdraw(info.context.services, info.context.caller, chosen, given(offer)))

    @operation(
        "Accepts the devices of another lobby's offer, and returns the signed acceptance for it. They are admitted"
        " here, and connect once the other operator completes the transfer. Can be repeated."
    )
    def accept_transfer(self, info: Info, document: Content, key: Key) -> TransferResults | None:
        context = info.context
        found = transfers.accept(context.services, context.caller, document, key, context.quota.time_is_up)
        return _results(found)

    @operation(
        "Completes the transfer of devices that another lobby has accepted: they leave their targets, and are sent to"
        " the endpoint in the acceptance. SAME_USER for the user who made the offer. Can be repeated."
    )
    def complete_transfer(
        self,
        info: Info,
        document: Content,
        key: Key,
        days: Annotated[
            int, described("How long this lobby sends devices that connect here to the other one, 1 to 3650 days.")
        ] = domain.ANSWER_DAYS,
    ) -> TransferResults | None:
        return _results(transfers.complete(info.context.services, info.context.caller, document, key, days))


def _chosen(info: Info, certids: Sequence[str]) -> list[Fingerprint]:
    info.context.quota.consume(Resource.FINGERPRINTS, len(certids))
    return [decode_label(certid) for certid in certids]


def _results(found: transfers.Transferred) -> TransferResults:
    results = [
        TransferResult(
            certid=strawberry.ID(each.certid),
            devicename=each.device.devicename if each.device else None,
            devstate=each.device.devstate.value if each.device else None,
            ok=each.code is None,
            code=each.code,
            message=each.message,
        )
        for each in found.outcomes
    ]
    return TransferResults(results=results, document=found.document)
