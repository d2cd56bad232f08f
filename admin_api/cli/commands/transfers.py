"""`transfers`: give devices to the operator of another lobby, or take devices over from one.

The owner offers devices and sends the file; the recipient accepts them and returns a file; another admin of the owner
completes the transfer with it. Each tells the other the fingerprint of the lobby's key separately from the file. What a
file says is shown, and confirmed, before it is used.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from rich.table import Table

from admin_api.cli import transfer_documents as documents
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.confirmation import Yes, confirm
from admin_api.cli.documents import Document
from admin_api.cli.errors import ApiRefused
from admin_api.cli.exits import Status, of_several
from admin_api.cli.render import cells, tables
from admin_api.cli.transfer_files import key_of, read_documents, require_new, write_documents

app = typer.Typer(no_args_is_help=True)
_AT_ONCE: Final = 25
_Devices = Annotated[list[str], typer.Argument(metavar="DEVICE…", help="Fingerprints, label codes or thing names.")]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Write the document to this new file.")]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="The other operator's file; - for standard input.")]
_Key = Annotated[
    str,
    typer.Option("--key", metavar="SHA256:…", help="The other lobby's key, as its operator states it, not the file."),
]


def _batched(certids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Return the fingerprints in lists of `size` at most."""
    return (certids[start : start + size] for start in range(0, len(certids), size))


@command(app, "offer")
def offer(
    context: CommandContext,
    devices: _Devices,
    out: _Out,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="The other operator, for the offer and the history.")],
    days: Annotated[int, typer.Option(help="How long the offer is valid: 1 to 365 days.")] = 30,
) -> Status:
    """Offer devices to the operator of another lobby. They work on until the transfer is completed.

    Send the file, and separately the key's fingerprint, which this command prints. The offer can be withdrawn.
    """
    require_new(out)
    certids = list(dict.fromkeys(context.find_device(text) for text in devices))
    results = (each for some in _batched(certids, _AT_ONCE) for each in _offers(context, some, to, days))
    return _report(context, results, out)


def _offers(context: CommandContext, certids: Sequence[str], to: str, days: int) -> Iterator[Mapping[str, Any]]:
    """Offer devices, in several documents if one has no room for their certificates."""
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
def withdraw(context: CommandContext, devices: _Devices, yes: Yes = False) -> Status:
    """Withdraw offers of devices. An admin can also take back devices whose transfer is completed.

    A device that has settled in the other lobby does not come back by this.
    """
    certids = list(dict.fromkeys(context.find_device(text) for text in devices))
    confirm(context, [f"Withdraws the transfer of {len(certids)} devices, open or completed."], yes)
    results = (
        context.execute(documents.WITHDRAW, certids=some)["withdrawTransfers"] for some in _batched(certids, _AT_ONCE)
    )
    return _report(context, results, None)


@command(app, "accept")
def accept(context: CommandContext, file: _File, key: _Key, out: _Out, yes: Yes = False) -> Status:
    """Accept the devices of another lobby's offer: they are admitted to this lobby.

    Return the written file to the owner, and separately the fingerprint of this lobby's key, which this command prints.
    The devices connect here when the owner has completed the transfer. Repeat it if some were not accepted.
    """
    require_new(out)
    return _carry_out(context, file, key, yes, documents.ACCEPT, "acceptTransfer", out)


@command(app, "complete")
def complete(
    context: CommandContext,
    file: _File,
    key: _Key,
    days: Annotated[int, typer.Option(help="How long this lobby sends its former devices to the other one.")] = 180,
    yes: Yes = False,
) -> Status:
    """Complete the transfer of devices that another lobby has accepted: they leave, and are sent to its endpoint.

    Another admin than the user who has offered them does this.
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
    """Show what all documents of a file say, ask, and send each."""
    texts = read_documents(file)
    found = [context.execute(documents.READ, text=text, key=key)["transferDocument"] for text in texts]
    confirm(context, [_effect(each) for each in found], yes)
    return _report(context, (context.execute(request, text=text, key=key, **more)[mutation] for text in texts), out)


def _effect(found: Mapping[str, Any]) -> str:
    count, lobby, endpoint = len(found["devices"]), cells.clean(found["lobby"]), cells.clean(found["endpoint"] or "-")
    if found["kind"] == "offer":
        names = cells.clean(", ".join(found["devices"]))
        return f"Admits {count} devices of the lobby {lobby} ({endpoint}) to this lobby: {names}"
    return f"Sends {count} devices to the lobby {lobby} at {endpoint} for good. They leave their targets."


def _report(context: CommandContext, responses: Iterable[Mapping[str, Any]], out: Path | None) -> Status:
    """Write the documents and list the results, also those before a request that fails."""
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
        context.screen.listing(results, _table, "no device")
    return results


def _table(results: Sequence[Mapping[str, Any]]) -> Table:
    table = tables.plain("DEVICE", "NAME", "STATE", "RESULT")
    for each in results:
        result = "done" if each["ok"] else f"{each['code']}: {each['message']}"
        name, state = each["devicename"] or cells.NONE, each["devstate"] or cells.NONE
        table.add_row(cells.clean(each["certid"][:12]), *(cells.clean(text) for text in (name, state, result)))
    return table
