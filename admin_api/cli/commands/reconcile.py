"""Comparing targets with the ledger, page by page, and having mended what may be.

What may be mended is the lobby's table, not this command's. A target that cannot be looked at is told, and the others
are compared all the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from admin_api.cli import documents
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.change import Yes, agree
from admin_api.cli.completion import complete_target
from admin_api.cli.errors import ApiRefused
from admin_api.cli.exits import Status
from admin_api.cli.render import tables
from lobby.names import Target

app = typer.Typer()
_MENDING = "what may be is mended: devices are set up again, certificates of no claim are put out of use"
_LOOKED_UP = ("commissioned", "arrived")


@dataclass
class _Compared:
    """A target, and what differs there. `refused` is why it could not be looked at, or not to its end."""

    target: Target
    looked: int = 0
    differences: list[Mapping[str, Any]] = field(default_factory=list)
    refused: ApiRefused | None = None

    @property
    def left(self) -> int:
        return sum(not each["repaired"] for each in self.differences)


@command(app, "reconcile")
def reconcile(
    desk: CommandContext,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            help="account/Region or name. May be repeated. [default: every one]",
            autocompletion=complete_target,
        ),
    ] = None,
    mend: Annotated[bool, typer.Option("--mend", help="Mend what may be; the README has the list.")] = False,
    yes: Yes = False,
) -> Status:
    """Compare targets with the ledger: certificates, things and policies of devices, and those of no claim.

    Changes nothing without --mend. Exits 1 where something differs that was not mended, or a target cannot be looked
    at. With --json one difference a line, and one line a target.
    """
    chosen = [desk.register.named(name) for name in target] if target else desk.register.known
    if mend:
        agree(desk, [_MENDING], yes)
    targets = list(dict.fromkeys(each.target for each in chosen))
    compared = []
    with desk.screen.bar("devices", _expected(desk, targets)) as bar:
        for each in targets:
            compared.append(_Compared(each))
            for looked in _pages(desk, compared[-1], mend):
                bar.advance(looked)
            _tell(desk, compared[-1])
    return Status.REFUSED if any(each.left or each.refused for each in compared) else Status.DONE


def _expected(desk: CommandContext, targets: Sequence[Target]) -> int:
    """How many devices there are to look up."""
    counts = desk.ask(documents.OVERVIEW)["overview"]["targets"]
    wanted = {(each.account, each.region) for each in targets}
    here = [each["states"] for each in counts if (each["account"], each["region"]) in wanted]
    return sum(each["count"] for states in here for each in states if each["state"] in _LOOKED_UP)


def _pages(desk: CommandContext, compared: _Compared, mend: bool) -> Iterator[int]:
    """How many devices each page looked up."""
    document, name = (documents.MEND, "repairTarget") if mend else (documents.RECONCILE, "reconcileTarget")
    place, after = compared.target, None
    while True:
        try:
            page = desk.ask(document, account=place.account, region=place.region, after=after)[name]
        except ApiRefused as refused:
            if not refused.code.startswith("TARGET_"):
                raise
            compared.refused = refused
            return
        compared.looked += page["compared"]
        compared.differences += page["differences"]
        yield page["compared"]
        after = page["next"]
        if after is None:
            return


def _tell(desk: CommandContext, compared: _Compared) -> None:
    screen, place, refused = desk.screen, str(compared.target), compared.refused
    if screen.as_json:
        for each in compared.differences:
            screen.record({"target": place, **each})
        why = {"code": refused.code, "message": refused.message} if refused else None
        numbers = {"looked": compared.looked, "differences": len(compared.differences), "left": compared.left}
        screen.record({"target": place, **numbers, "refused": why})
        return
    differs = f"{len(compared.differences)} differ" if compared.differences else "all is as the ledger says"
    mended = len(compared.differences) - compared.left
    screen.say(f"{place}: {compared.looked} looked up, {differs}{f', {mended} being mended' if mended else ''}")
    if compared.differences:
        screen.show(tables.differences(compared.differences))
    if refused:
        screen.say(
            f"{place}: {'not compared further' if compared.looked else 'not compared'}: {refused.code}: "
            f"{refused.message}"
        )
