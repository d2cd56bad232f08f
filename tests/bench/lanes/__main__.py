"""Many claims under AWS's quotas, before and after: `python -m tests.bench.lanes`.

Starts a lobby with its own state. A bulk claim for one target is carried out while single claims are made for the same
and for another target. Then bulk claims for two targets are carried out at the same time. This is measured with today's
lanes, and with the commissioner of an earlier commit, which read the ledger's stream itself. The limits are the time at
the targets' rate, and the time that the quota of RegisterCertificateWithoutCA allows. `--rate` raises the targets'
rate, and the quotas by the same factor. The time of a bulk claim includes the cold start of its worker, which is about
a second. The figures need a machine with two free processors; the earlier commit must be in the repository.

Exit status: 0 the budgets are met, 1 one is exceeded or a step failed, 2 wrong usage.
"""

from typing import Annotated, Any, Final

import typer

from lobby.domain.lanes.lane_pace import DEFAULT_RATE
from tests.bench.before_and_after import AFTER, BEFORE, Row, compare
from tests.bench.deployment import LobbyUnderTest
from tests.bench.lanes import earlier
from tests.bench.lanes.measurement import Figures, LanesUnderTest

app = typer.Typer(add_completion=False)
WITHIN: Final = 1.05
"""The budget: the time of a bulk claim, relative to the time at the target's rate."""
THROTTLED: Final = 0.05
"""The budget: throttled calls per device."""
SLOWER: Final = 2.0
"""The budget: a single claim during a bulk claim, relative to one on an idle system."""
_TODAY: Final = ("device-lobby-bell", "device-lobby-express", "device-lobby-commissioner")


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=50, help="Devices of a bulk claim.")] = 600,
    both: Annotated[int, typer.Option(min=0, help="Devices of the bulk claims for two targets; 0: none.")] = 600,
    rate: Annotated[float, typer.Option(min=1, max=500, help="The targets' rate.")] = DEFAULT_RATE,
    patience: Annotated[float, typer.Option(min=1, help="End a measurement after this multiple of the limit.")] = 5,
    before: Annotated[bool, typer.Option(help="Also measure the earlier commit.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    def one(lobby: LobbyUnderTest, name: str) -> tuple[Figures, str]:
        figures = _under_test(lobby, name).measure(devices, both, rate, patience)
        return figures, f"{figures.commissioned} commissioned"

    names = (AFTER, BEFORE) if before else (AFTER,)
    compare("Claims under AWS's quotas", ROWS, names, one, is_within, as_json=as_json)


def is_within(figures: Figures, _before: Figures | None = None) -> bool:
    """Return whether the budgets are met."""
    return (
        _in_time(figures.seconds, figures.rate_limit)
        and (figures.both_devices == 0 or _in_time(figures.both_seconds, figures.both_limit))
        and figures.failed == 0
        and figures.throttled_per_device <= THROTTLED
        and max(figures.single_same_ms, figures.single_other_ms) <= SLOWER * figures.idle_ms
    )


def _in_time(seconds: float | None, limit: float) -> bool:
    return seconds is not None and seconds <= WITHIN * limit


def _under_test(lobby: LobbyUnderTest, name: str) -> LanesUnderTest:
    if name == AFTER:
        return LanesUnderTest(lobby, _TODAY, earlier=False)
    functions: Any = lobby.session.client("lambda")
    [mapping] = functions.list_event_source_mappings(FunctionName=_TODAY[0])["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    earlier.deploy(lobby)
    return LanesUnderTest(lobby, [earlier.FUNCTION], earlier=True)


def _seconds(value: float | None) -> str:
    return "not all" if value is None else f"{value:.1f} s"


def _ratio(ms: float, idle_ms: float) -> str:
    return f"{ms:.0f} ms, {ms / idle_ms:.1f} times" if ms and idle_ms else "none"


ROWS: Final[tuple[Row, ...]] = (
    ("devices of a bulk claim", lambda each: each.devices),
    ("devices for two targets at once", lambda each: each.both_devices),
    ("commissioned, of both", lambda each: each.commissioned),
    ("failed", lambda each: each.failed),
    ("bulk claim carried out after", lambda each: _seconds(each.seconds)),
    ("limit: the target's rate, with single claims", lambda each: _seconds(each.rate_limit)),
    ("limit: the quota", lambda each: _seconds(each.quota_limit)),
    ("for two targets at once, after", lambda each: _seconds(each.both_seconds)),
    ("limit: the targets' rate", lambda each: _seconds(each.both_limit)),
    ("throttled calls per device", lambda each: each.throttled_per_device),
    ("billed Lambda time", lambda each: _seconds(each.billed_seconds)),
    ("first single claim, cold", lambda each: f"{each.cold_ms:.0f} ms"),
    ("single claim, idle system", lambda each: f"{each.idle_ms:.0f} ms"),
    ("single claim, same target meanwhile", lambda each: _ratio(each.single_same_ms, each.idle_ms)),
    ("single claim, other target meanwhile", lambda each: _ratio(each.single_other_ms, each.idle_ms)),
    ("the slowest of them", lambda each: f"{each.single_slowest_ms:.0f} ms"),
)


if __name__ == "__main__":
    app()
