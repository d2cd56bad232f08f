"""Sends claims and shows what became of them: to a program each as it comes, to a person all together at the end."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from admin_api.cli import documents
from admin_api.cli.bulk import Api, Bulk, Outcome
from admin_api.cli.claim_requests import Wish
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.waiting import follow
from admin_api.cli.csv_claims import Sheet
from admin_api.cli.errors import ApiRefused
from admin_api.cli.exits import Status, of_several
from admin_api.cli.follow import Goal
from admin_api.cli.render import tables
from admin_api.cli.results import Results, summary
from lobby.names import Fingerprint, State

_SHOWN: Final = 20
"""Outcomes listed one by one; of more, those that failed."""


def send(desk: CommandContext, sheet: Sheet, title: str, results: Results, timeout: float | None) -> Status:
    """`title` is what a row's number is called. With a timeout, what was claimed is followed until it has arrived.
    Rows with a fault are skipped, and are among what was not done.

    Raises what cut the sending off; a single row's refusal as `ApiRefused`."""
    bulk = Bulk(Api(_asking(desk), desk.look))
    told = _sent(desk, bulk, sheet, results)
    failed = [outcome for outcome in told if not outcome.ok]
    if not desk.screen.as_json:
        _show(desk, told, failed, title)
    _say_what_is_next(desk, told)
    if bulk.cut is not None:
        raise bulk.cut
    if len(told) == 1 and failed:
        raise ApiRefused(failed[0].code or "REFUSED", failed[0].message or "no reason given")
    claimed = {outcome.row.certid: Goal.ARRIVAL for outcome in told if outcome.ok}
    waited = follow(desk, claimed, timeout) if timeout is not None and claimed else Status.DONE
    undone = len(failed) + len(sheet.faults)
    return of_several(len(claimed), undone) if undone else waited


def _sent(desk: CommandContext, bulk: Bulk, sheet: Sheet, results: Results) -> list[Outcome]:
    told: list[Outcome] = []
    try:
        with results, desk.screen.bar("claiming", len(sheet.rows)) as bar:
            results.skip(sheet.faults)
            for outcomes in bulk.send(sheet.rows):
                results.add(outcomes)
                for outcome in outcomes if desk.screen.as_json else ():
                    desk.screen.record(results.record(outcome))
                told += outcomes
                bar.advance(len(outcomes))
    except KeyboardInterrupt:
        desk.screen.note(f"{len(told)} of {len(sheet.rows)} were sent; run the same again to go on")
        raise
    return told


def _show(desk: CommandContext, told: Sequence[Outcome], failed: Sequence[Outcome], title: str) -> None:
    shown = told if len(told) <= _SHOWN else failed
    if shown:
        desk.screen.show(tables.outcomes(sorted(shown, key=lambda outcome: outcome.row.line), title))
    if len(told) > 1:
        desk.screen.say(summary(told))


def _say_what_is_next(desk: CommandContext, told: Sequence[Outcome]) -> None:
    """Of those whose target wants somebody to stand before them."""
    waiting = [each.device for each in told if each.ok and each.device and each.device["devstate"] == State.PROVING]
    if waiting:
        which = str(waiting[0]["certid"])[:12] if len(waiting) == 1 else "DEVICE"
        many = "It waits" if len(waiting) == 1 else f"{len(waiting)} wait"
        desk.screen.note(f"{many} for the code that shows on the device: lobbyctl confirm {which} CODE")


def _asking(desk: CommandContext) -> Callable[[Sequence[Fingerprint], Wish], Sequence[dict[str, Any]]]:
    def ask(certids: Sequence[Fingerprint], wish: Wish) -> Sequence[dict[str, Any]]:
        said = {"profile": wish.profile, "config": wish.config}
        more = {key: value for key, value in said.items() if value is not None}
        place = {"account": wish.target.account, "region": wish.target.region}
        answer = desk.ask(documents.CLAIM, certids=list(certids), target=place, **more)
        found: list[dict[str, Any]] = answer["claimDevices"]["results"]
        return found

    return ask
