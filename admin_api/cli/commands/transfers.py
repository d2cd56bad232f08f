"""`transfers`: transfer devices to the operator of another lobby, or accept devices from one.

The owner offers devices and sends the file. The recipient accepts the devices and returns a file. Another admin of the
owner completes the transfer with this file. Owner and recipient exchange the fingerprints of their lobbies' keys
separately from the files. The command shows the content of a file and asks for confirmation before it uses the file.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.confirmation import Yes, confirm
from admin_api.cli.documents import Document
from admin_api.cli.documents import transfers as documents
from admin_api.cli.errors import ApiRefused, usage_error
from admin_api.cli.exits import Status, of_several
from admin_api.cli.inputs.transfer_files import key_of, read_documents, require_new, write_documents
from admin_api.cli.render import cells
from admin_api.cli.render import transfers as render
from lobby.chunks import chunks
from lobby.errors import NotFound

app = typer.Typer(no_args_is_help=True)
_AT_ONCE: Final = 25
_PAGE: Final = 100
_Devices = Annotated[
    list[str] | None, typer.Argument(metavar="DEVICE…", help="Fingerprints, label codes or thing names.")
]
_Offer = Annotated[
    str | None, typer.Option("--offer", metavar="ID", help="Id of an offer, as `transfers list` shows it.")
]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Write the document to this new file.")]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="The other operator's file; - for standard input.")]
_Key = Annotated[
    str,
    typer.Option(
        "--key",
        metavar="SHA256:…",
        help="Fingerprint of the other lobby's key. Get it from its operator, not from the file.",
    ),
]


class Step(StrEnum):
    """The transfers that `--state` selects."""

    OFFERED = "offered"
    COMPLETED = "completed"
    ACCEPTED = "accepted"


@command(app, "list")
def list_transfers(
    context: CommandContext,
    state: Annotated[Step, typer.Option("--state", help="State of the transfers.")] = Step.OFFERED,
    offer: _Offer = None,
) -> None:
    """List the devices that are offered to other lobbies, or were transferred there, or accepted from one."""
    empty = f"no transfer is {state.value}" if offer is None else f"no device of this offer is {state.value}"
    context.screen.listing(_listed(context, state, offer), render.devices, empty)


@command(app, "offer")
def offer(
    context: CommandContext,
    out: _Out,
    devices: _Devices = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="NAME", help="Name of the other operator, for the offer and the history."),
    ] = None,
    days: Annotated[int, typer.Option(help="Validity of the offer: 1 to 365 days.")] = 30,
    repeated: _Offer = None,
) -> Status:
    """Offer devices to the operator of another lobby. They continue to work until the transfer is completed.

    Send the file to the operator. Send the key's fingerprint, which this command prints, separately. You can
    withdraw the offer later. With --offer, writes the file of an open or interrupted offer again.
    """
    require_new(out)
    if repeated is not None:
        if devices or to is not None:
            raise usage_error("got --offer with devices or --to, want it alone: the offer contains both")
        return _report(context, [_again(context, repeated, days)], out)
    if not devices or to is None:
        raise usage_error("got no devices or no --to, want both, or --offer")
    certids = list(dict.fromkeys(context.find_device(text) for text in devices))
    results = (each for some in chunks(certids, _AT_ONCE) for each in _offers(context, some, to, days))
    return _report(context, results, out)


def _again(context: CommandContext, offer: str, days: int) -> Mapping[str, Any]:
    """Return the document of an existing offer. An offer has one operator, and its devices fit in one document."""
    found = _of_offer(context, offer)
    to, certids = found[0]["transfer"]["partner"], [each["certid"] for each in found]
    answer: Mapping[str, Any] = context.execute(documents.OFFER, certids=certids, to=to, offer=offer, days=days)
    offered: Mapping[str, Any] = answer["offerDevices"]
    return offered


def _offers(context: CommandContext, certids: Sequence[str], to: str, days: int) -> Iterator[Mapping[str, Any]]:
    """Offer devices, in several documents if the certificates do not fit in one."""
    try:
        offered = context.execute(documents.OFFER, certids=certids, to=to, offer=uuid4().hex, days=days)["offerDevices"]
    except ApiRefused as refused:
        if refused.code != "OFFER_TOO_LARGE" or len(certids) == 1:
            raise
        middle = len(certids) // 2
        for half in (certids[:middle], certids[middle:]):
            yield from _offers(context, half, to, days)
    else:
        yield offered


@command(app, "withdraw")
def withdraw(context: CommandContext, devices: _Devices = None, offer: _Offer = None, yes: Yes = False) -> Status:
    """Withdraw offers of devices. An admin can also take back devices whose transfer is completed.

    --offer withdraws one open offer for all its devices. A device that has already changed to the other lobby
    permanently does not return.
    """
    if bool(devices) is (offer is not None):
        raise usage_error("got devices and --offer, or none of them, want either")
    if offer is not None:
        certids = [each["certid"] for each in _of_offer(context, offer)]
        effect = f"Withdraws the offer {cells.clean(offer)} of {len(certids)} devices."
    else:
        certids = list(dict.fromkeys(context.find_device(text) for text in devices or ()))
        effect = f"Withdraws the transfer of {len(certids)} devices, open or completed."
    confirm(context, [effect], yes)
    results = (
        context.execute(documents.WITHDRAW, certids=some, offer=offer)["withdrawTransfers"]
        for some in chunks(certids, _AT_ONCE)
    )
    return _report(context, results, None)


def _of_offer(context: CommandContext, offer: str) -> list[dict[str, Any]]:
    """Return the devices of an offer. Raise `NotFound` UNKNOWN_OFFER."""
    found = _listed(context, Step.OFFERED, offer)
    if not found:
        raise NotFound("UNKNOWN_OFFER", f"got the offer {cells.clean(offer)}, want one that `transfers list` shows")
    return found


def _listed(context: CommandContext, state: Step, offer: str | None) -> list[dict[str, Any]]:
    pages = context.pages(documents.LIST, "transfers", step=state.name, offer=offer, first=_PAGE)
    return [each for page in pages for each in page["nodes"]]


@command(app, "accept")
def accept(context: CommandContext, file: _File, key: _Key, out: _Out, yes: Yes = False) -> Status:
    """Accept the devices of another lobby's offer: they are admitted to this lobby.

    Send the written file to the owner. Send the fingerprint of this lobby's key, which this command prints, separately.
    The devices connect here when the owner has completed the transfer. Repeat it if some were not accepted.
    """
    require_new(out)
    return _carry_out(context, file, key, yes, documents.ACCEPT, "acceptTransfer", out)


@command(app, "complete")
def complete(
    context: CommandContext,
    file: _File,
    key: _Key,
    days: Annotated[int, typer.Option(help="Days for which this lobby sends the devices to the other one.")] = 180,
    yes: Yes = False,
) -> Status:
    """Complete the transfer of devices that another lobby has accepted: this lobby sends them there.

    The user who made the offer cannot complete the transfer: another admin must do it.
    """
    return _carry_out(context, file, key, yes, documents.COMPLETE, "completeTransfer", None, days=days)


def _carry_out(
    context: CommandContext,
    file: Path,
    key: str,
    yes: bool,
    request: Document,
    mutation: str,
    out: Path | None,
    **more: Any,
) -> Status:
    """Show the content of all documents of a file, ask for confirmation, and send each document."""
    texts = read_documents(file)
    found = [context.execute(documents.READ, text=text, key=key)["transferDocument"] for text in texts]
    confirm(context, [_effect(each) for each in found], yes)
    return _report(context, (context.execute(request, text=text, key=key, **more)[mutation] for text in texts), out)


def _effect(found: Mapping[str, Any]) -> str:
    count, lobby, endpoint = len(found["devices"]), cells.clean(found["lobby"]), cells.clean(found["endpoint"] or "-")
    if found["kind"] == "offer":
        names = cells.clean(", ".join(found["devices"]))
        return f"Admits {count} devices of the lobby {lobby} ({endpoint}) to this lobby: {names}"
    return f"Sends {count} devices to the lobby {lobby} at {endpoint} permanently. They leave their targets."


def _report(context: CommandContext, responses: Iterable[Mapping[str, Any]], out: Path | None) -> Status:
    """Write the documents and list the results. If a request fails, first do this for the requests before it."""
    found: list[Mapping[str, Any]] = []
    try:
        for response in responses:
            found.append(response)  # those before an error are kept
    finally:
        results = _write(context, found, out)
    failed = sum(not each["ok"] for each in results)
    return of_several(len(results) - failed, failed)


def _write(context: CommandContext, found: Sequence[Mapping[str, Any]], out: Path | None) -> list[Mapping[str, Any]]:
    results = [each for some in found for each in some["results"]]
    signed = [some["document"] for some in found if some["document"]]
    if out is not None and signed:
        write_documents(out, signed)
        context.screen.note(f"Wrote {cells.clean(str(out))}, signed with the key {key_of(signed[0])}")
    if found:
        context.screen.listing(results, render.results, "no device")
    return results
