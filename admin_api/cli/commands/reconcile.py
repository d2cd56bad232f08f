"""`reconcile`: compare targets with the ledger page by page, and repair differences on request.

The lobby decides which differences can be repaired. If a target cannot be read, the command reports it and compares the
others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import typer

from admin_api.cli.api.pages import advanced
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.comparisons import empty_target, show_last
from admin_api.cli.commands.confirmation import Yes, confirm
from admin_api.cli.completion import complete_target
from admin_api.cli.documents import devices as documents
from admin_api.cli.errors import ApiRefused, usage_error
from admin_api.cli.exits import Status
from admin_api.cli.render import tables
from lobby.names import State, Target

app = typer.Typer()
_EFFECT: Final = (
    "Repairable differences are repaired: devices are registered again, and orphaned certificates are deactivated."
)
_NO_CERTIFICATE: Final = "CERTIFICATE_MISSING"
_COMPARED_STATES: Final = (State.COMMISSIONED, State.ARRIVED)


@dataclass
class _Comparison:
    """A target and its differences. `error` is why it could not be compared, or not completely."""

    target: Target
    compared: int = 0
    differences: list[Mapping[str, Any]] = field(default_factory=list)
    error: ApiRefused | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the target has no certificate of any compared device."""
        missing = sum(each["code"] == _NO_CERTIFICATE for each in self.differences)
        return self.error is None and 0 < self.compared == missing

    @property
    def unrepaired(self) -> int:
        return sum(not each["repaired"] for each in self.differences)


@command(app, "reconcile")
def reconcile(
    context: CommandContext,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            help="Target as account/Region or name. Repeatable. [default: all targets]",
            autocompletion=complete_target,
        ),
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Repair the differences that can be repaired.")] = False,
    last: Annotated[
        bool, typer.Option("--last", help="Show the result and the progress of the daily comparison. Compares nothing.")
    ] = False,
    yes: Yes = False,
) -> Status:
    """Compare the certificates, things and policies in targets with the ledger, device by device.

    Changes nothing without --repair. Exits with status 1 if a difference is not repaired or a target cannot be read.
    With --last, exits with status 1 unless the last daily comparison of each target is complete and found nothing.
    """
    selected = [context.targets.find(name) for name in target] if target else context.targets.targets
    if last:
        if repair:
            raise usage_error("got --last and --repair, want one of them")
        return show_last(context, [each.target for each in selected])
    if repair:
        confirm(context, [_EFFECT], yes)
    targets = list(dict.fromkeys(each.target for each in selected))
    comparisons = []
    with context.screen.progress_bar("devices", _device_count(context, targets)) as bar:
        for each in targets:
            comparison = _Comparison(each)
            comparisons.append(comparison)
            for compared in _compare(context, comparison, repair):
                bar.advance(compared)
            _show(context, comparison)
    return Status.REFUSED if any(each.unrepaired or each.error for each in comparisons) else Status.DONE


def _device_count(context: CommandContext, targets: Sequence[Target]) -> int:
    """Return how many devices will be compared."""
    counts = context.execute(documents.OVERVIEW)["overview"]["targets"]
    keys = {(each.account, each.region) for each in targets}
    selected = [each["states"] for each in counts if (each["account"], each["region"]) in keys]
    return sum(each["count"] for states in selected for each in states if each["state"] in _COMPARED_STATES)


def _compare(context: CommandContext, comparison: _Comparison, repair: bool) -> Iterator[int]:
    """Compare page by page, add the results to `comparison`, and yield the number of devices of each page."""
    document, name = (documents.REPAIR, "repairTarget") if repair else (documents.RECONCILE, "reconcileTarget")
    target, after = comparison.target, None
    while True:
        try:
            page = context.execute(document, account=target.account, region=target.region, after=after)[name]
        except ApiRefused as error:
            if not error.code.startswith("TARGET_"):
                raise
            comparison.error = error
            return
        comparison.compared += page["compared"]
        comparison.differences += page["differences"]
        yield page["compared"]
        after = advanced(after, page["next"])
        if after is None:
            return


def _show(context: CommandContext, comparison: _Comparison) -> None:
    screen, target, error = context.screen, str(comparison.target), comparison.error
    count, unrepaired = len(comparison.differences), comparison.unrepaired
    if screen.as_json:
        for each in comparison.differences:
            screen.record({"target": target, **each})
        refused = {"code": error.code, "message": error.message} if error else None
        counts = {"compared": comparison.compared, "differences": count, "unrepaired": unrepaired}
        counts["empty"] = comparison.is_empty
        screen.record({"target": target, **counts, "refused": refused})
        return
    result = f"{_plural(count, 'difference')}" if count else "no differences"
    repaired = f", {count - unrepaired} being repaired" if count > unrepaired else ""
    screen.line(f"{target}: {_plural(comparison.compared, 'device')} compared, {result}{repaired}")
    if count:
        screen.show(tables.differences(comparison.differences))
    if comparison.is_empty and not repaired:
        screen.line(f"{target}: {empty_target(target, comparison.compared)}")
    if error:
        extent = "comparison incomplete" if comparison.compared else "not compared"
        screen.line(f"{target}: {extent}: {error.code}: {error.message}")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
