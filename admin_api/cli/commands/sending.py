"""Sends claims and shows the outcomes: with --json each as it arrives, otherwise all together at the end.

The results of a chunk are written to the file of results before the next chunk is sent, so the file is complete after
an interruption.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from admin_api.cli.bulk.claim_requests import ClaimRow
from admin_api.cli.bulk.claims import BulkClaim, ClaimApi, Outcome
from admin_api.cli.bulk.results import ResultsFile, record_of, summary
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.waiting import follow
from admin_api.cli.documents import devices as documents
from admin_api.cli.errors import ApiRefused
from admin_api.cli.exits import Status, of_several
from admin_api.cli.follow import Goal, cannot_prove
from admin_api.cli.inputs.csv_claims import ClaimList
from admin_api.cli.render import tables
from lobby.names import State

_MAX_LISTED: Final = 20
"""Up to this number, the output lists all outcomes. For more, it lists only the failed ones."""


def send_claims(
    context: CommandContext, claims: ClaimList, line_title: str, results: ResultsFile[ClaimRow], timeout: float | None
) -> Status:
    """Send the claims and show their outcomes; with a timeout, follow the claimed devices until they arrive.

    Invalid rows count as failed. Raise the error that aborted the sending, or `ApiRefused` if the only row failed."""
    bulk = BulkClaim(ClaimApi(_claim_call(context), context.lookup))
    outcomes = _send(context, bulk, claims, results)
    failed = [outcome for outcome in outcomes if not outcome.ok]
    if not context.screen.as_json:
        _show(context, outcomes, failed, line_title)
    _note_pending_codes(context, outcomes)
    if bulk.aborted_by is not None:
        raise bulk.aborted_by
    if len(outcomes) == 1 and failed:
        raise ApiRefused(failed[0].code or "REFUSED", failed[0].message or "no reason given")
    goals = {outcome.row.certid: Goal.ARRIVAL for outcome in outcomes if outcome.ok}
    followed = follow(context, goals, timeout) if timeout is not None and goals else Status.DONE
    failures = len(failed) + len(claims.errors)
    return of_several(len(goals), failures) if failures else followed


def _send(context: CommandContext, bulk: BulkClaim, claims: ClaimList, results: ResultsFile[ClaimRow]) -> list[Outcome]:
    sent: list[Outcome] = []
    try:
        with results, context.screen.progress_bar("claiming", len(claims.rows)) as bar:
            results.add_errors(claims.errors)
            for outcomes in bulk.send(claims.rows):
                results.add(outcomes)
                for outcome in outcomes if context.screen.as_json else ():
                    context.screen.record(record_of(outcome))
                sent += outcomes
                bar.advance(len(outcomes))
    except KeyboardInterrupt:
        context.screen.note(f"{len(sent)} of {len(claims.rows)} claims sent; run the same command again to continue")
        raise
    return sent


def _show(context: CommandContext, outcomes: Sequence[Outcome], failed: Sequence[Outcome], line_title: str) -> None:
    listed = outcomes if len(outcomes) <= _MAX_LISTED else failed
    if listed:
        context.screen.show(tables.outcomes(sorted(listed, key=lambda outcome: outcome.row.line), line_title))
    if len(outcomes) > 1:
        context.screen.line(summary(outcomes))


def _note_pending_codes(context: CommandContext, outcomes: Sequence[Outcome]) -> None:
    """Print the next step for devices whose target requires proof of presence."""
    waiting = [each.device for each in outcomes if each.ok and each.device and each.device["devstate"] == State.PROVING]
    unable = [device for device in waiting if cannot_prove(device)]
    if unable:
        argument = str(unable[0]["certid"])[:12] if len(unable) == 1 else "DEVICE"
        subject = "The device" if len(unable) == 1 else f"{len(unable)} of the devices"
        context.screen.note(
            f"{subject} cannot show the code that the target requires: lobbyctl release {argument}, then claim for "
            "another target, or update the client"
        )
    proving = [device for device in waiting if device not in unable]
    if proving:
        argument = str(proving[0]["certid"])[:12] if len(proving) == 1 else "DEVICE"
        subject = "The claim waits" if len(proving) == 1 else f"{len(proving)} claims wait"
        context.screen.note(f"{subject} for the code that the device shows: lobbyctl confirm {argument} CODE")


def _claim_call(context: CommandContext) -> Callable[[Sequence[ClaimRow]], Sequence[dict[str, Any]]]:
    def claim(rows: Sequence[ClaimRow]) -> Sequence[dict[str, Any]]:
        request, certids = rows[0].request, [row.certid for row in rows]
        names = [row.expected_name for row in rows]
        optional = {
            "profile": request.profile,
            "config": request.config,
            "expectedNames": names if any(names) else None,
        }
        variables = {name: value for name, value in optional.items() if value is not None}
        target = {"account": request.target.account, "region": request.target.region}
        data = context.execute(documents.CLAIM, certids=certids, target=target, **variables)
        results: list[dict[str, Any]] = data["claimDevices"]["results"]
        return results

    return claim
