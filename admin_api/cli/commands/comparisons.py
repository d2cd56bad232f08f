"""`reconcile --last`: the result and the progress of the reconciler's daily comparison of each target. A missing result
is shown as unknown. The command does not succeed if a target has had no complete comparison for two days, or if its
latest comparison failed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from admin_api.cli.command_context import CommandContext
from admin_api.cli.documents import devices as documents
from admin_api.cli.exits import Status
from admin_api.cli.render import cells
from lobby.names import Target

_OLD: Final = timedelta(days=2)
"""A comparison starts every day, and takes hours for a large target."""


def show_last(context: CommandContext, targets: Sequence[Target]) -> Status:
    """Print the state of `targets`. Return `DONE` if each was compared completely, without a difference."""
    wanted = [(target.account, target.region) for target in targets]
    states = {
        (each["account"], each["region"]): each for each in context.execute(documents.COMPARISONS)["targetComparisons"]
    }
    shown = [states[key] for key in dict.fromkeys(wanted) if key in states]
    for state in shown:
        if context.screen.as_json:
            context.screen.record(
                {"target": _name(state), **{key: state[key] for key in ("running", "last", "failed")}}
            )
            continue
        for line in _lines(context, state):
            context.screen.line(f"{_name(state)}: {line}")
    return Status.DONE if all(_is_clean(state, context.now()) for state in shown) else Status.REFUSED


def empty_target(target: str, devices: int) -> str:
    """Return the hint for a target that contains none of its devices."""
    return (
        f"EMPTY: the target contains none of its {devices:,} devices. It may have been rebuilt. Deploy its stack"
        f" (`lobbyctl targets check {target}`), then register all of them again: `lobbyctl retry --from {target}`"
    )


def _is_clean(state: Mapping[str, Any], now: datetime) -> bool:
    last = state["last"]
    if not last or state["failed"] or _is_old(last, now):
        return False
    return bool(last["differences"] == last["unexamined"] == 0)


def _is_old(last: Mapping[str, Any], now: datetime) -> bool:
    return now - datetime.fromisoformat(last["completedAt"]) > _OLD


def _name(state: Mapping[str, Any]) -> str:
    return f"{state['account']}/{state['region']}"


def _lines(context: CommandContext, state: Mapping[str, Any]) -> Iterator[str]:
    last, failed, running = state["last"], state["failed"], state["running"]
    if last is None:
        yield "never compared completely"
    else:
        yield f"compared {cells.age(last['completedAt'], context.now())} ago: {_result(last)}"
        if last["empty"]:
            yield empty_target(_name(state), last["missing"])
        if _is_old(last, context.now()):
            yield "the daily comparison is overdue: see the alarms and the log of the reconciler"
    if failed:
        age = cells.age(failed["at"], context.now())
        yield f"the comparison {age} ago failed: {failed['code']}: {cells.clean(failed['message'])}"
    if running:
        counts = f"{running['compared']:,} of {running['listed']:,} devices compared, {running['differences']:,} differ"
        age = cells.age(running["beganAt"], context.now())
        yield f"in progress for {age} ({cells.clean(running['step'])}): {counts} so far"


def _result(last: Mapping[str, Any]) -> str:
    parts = [f"{last['compared']:,} devices", f"{last['differences']:,} differences"]
    if last["unexamined"]:
        parts.append(
            f"{last['unexamined']:,} more may differ and were not examined; the next comparison begins with them"
        )
    if last["byDevice"]:
        parts.append(
            "compared one by one, because the target's role does not allow lists: deploy the target's stack again"
        )
    elif last["days"] > 1:
        parts.append(f"attachments, groups and renewed certificates of each device within {last['days']} days")
    return ", ".join(parts)
