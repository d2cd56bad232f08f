"""Claims by serial number: `claim --serial` and `--serials` create them; `serials` lists and withdraws them.

The device needs no certificate yet: the lobby claims it when a device with this thing name joins. A repeated claim
changes nothing, so the same command continues an interrupted list.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from admin_api.cli.bulk.claim_requests import ClaimRequest
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.documents import serials as documents
from admin_api.cli.errors import ApiRefused
from admin_api.cli.exits import Status, of_several
from admin_api.cli.render import serials as render
from lobby.chunks import chunks
from lobby.names import ThingName, parse_thing_name

app = typer.Typer(no_args_is_help=True)
BATCH: Final = 200
_PAGE: Final = 100
_MAX_LISTED: Final = 20
"""Up to this number, the output lists all results. For more, it lists only the failed ones."""


@command(app, "list")
def list_claims(context: CommandContext) -> None:
    """List the serial numbers that are claimed and whose devices have not joined."""
    pages = context.pages(documents.SERIAL_CLAIMS, "serialNumberClaims", first=_PAGE)
    found = [each for page in pages for each in page["nodes"]]
    context.screen.listing(found, render.claims, "no serial number is claimed; next: lobbyctl claim --serial SERIAL")


@command(app, "withdraw")
def withdraw(
    context: CommandContext,
    serials: Annotated[list[str], typer.Argument(metavar="SERIAL", help="Serial numbers.")],
) -> None:
    """Withdraw claims of serial numbers whose devices have not joined."""
    for serial in [parse_thing_name(each) for each in serials]:
        withdrawn = context.execute(documents.WITHDRAW_CLAIM, serialNumber=serial)["withdrawSerialNumberClaim"]
        context.screen.result(withdrawn, note=f"Withdrew the claim of {serial}")


def claim_serials(context: CommandContext, serials: Sequence[ThingName], request: ClaimRequest) -> Status:
    """Claim serial numbers for a target and show the results. Raise `ApiRefused` if the only one failed."""
    results: list[dict[str, Any]] = []
    target = {"account": request.target.account, "region": request.target.region}
    with context.screen.progress_bar("claiming", len(serials)) as bar:
        for batch in chunks(serials, BATCH):
            answer = context.execute(
                documents.CLAIM_SERIALS,
                serialNumbers=batch,
                target=target,
                profile=request.profile,
                config=request.config,
            )["claimSerialNumbers"]["results"]
            for each in answer if context.screen.as_json else ():
                context.screen.record(each)
            results += answer
            bar.advance(len(batch))
    failed = [each for each in results if not each["ok"]]
    if len(results) == 1 and failed:
        raise ApiRefused(failed[0]["code"] or "REFUSED", failed[0]["message"] or "no reason given")
    if not context.screen.as_json:
        _show(context, results, failed)
    return of_several(len(results) - len(failed), len(failed))


def _show(context: CommandContext, results: list[dict[str, Any]], failed: list[dict[str, Any]]) -> None:
    listed = results if len(results) <= _MAX_LISTED else failed
    if listed:
        context.screen.show(render.results(listed))
    waiting = sum(1 for each in results if each["claim"])
    done = len(results) - len(failed) - waiting
    parts = [f"{waiting} claimed when they join" if waiting else "", f"{done} claimed now" if done else ""]
    codes = ", ".join(f"{count} {code}" for code, count in Counter(each["code"] for each in failed).items())
    parts.append(f"{len(failed)} failed ({codes})" if failed else "")
    context.screen.note("; ".join(filter(None, parts)))
