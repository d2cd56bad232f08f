"""Many claims under AWS's quotas, before and after: `python -m tests.bench.lanes`.

Starts a lobby with a state of its own. A bulk claim for one target is carried out while single claims are made for the
same and for another target; then bulk claims for two targets at once. By today's lanes, and by the commissioner of an
earlier commit, which read the ledger's stream itself. The limits are the time at the targets' rate, and the time that
the quota of RegisterCertificateWithoutCA allows. The figures need a machine with two free processors; the earlier
commit must be in the repository.

Exit status: 0 the budgets are met, 1 one is exceeded or a step failed, 2 wrong usage.
"""

from typing import Annotated, Any, Final

import typer

from tests.bench.before_and_after import AFTER, BEFORE, Row, measure, report
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
_TODAY: Final = ("device-lobby-bell", "device-lobby-commissioner")


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=50, help="Devices of a bulk claim.")] = 600,
    patience: Annotated[float, typer.Option(min=1, help="End a measurement after this multiple of the limit.")] = 5,
    before: Annotated[bool, typer.Option(help="Also measure the earlier commit.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    def one(lobby: LobbyUnderTest, name: str) -> tuple[Figures, str]:
        figures = _under_test(lobby, name).measure(devices, patience)
        return figures, f"{figures.commissioned} commissioned"

    found = measure("lanes", f"{devices} devices", (AFTER, BEFORE) if before else (AFTER,), one)
    report("Claims under AWS's quotas", found, ROWS, goal=is_within(found[AFTER]), as_json=as_json)


def is_within(figures: Figures) -> bool:
    """Return whether the budgets are met. Bulk claims for two targets take the time of one of half the size."""
    return (
        figures.seconds is not None
        and figures.seconds <= WITHIN * figures.rate_limit
        and figures.both_targets_seconds is not None
        and figures.both_targets_seconds <= WITHIN * figures.rate_limit / 2
        and figures.failed == 0
        and figures.throttled_per_device <= THROTTLED
        and max(figures.single_same_ms, figures.single_other_ms) <= SLOWER * figures.idle_ms
    )


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


ROWS: Final[tuple[Row, ...]] = (
    ("devices of a bulk claim", lambda each: each.devices),
    ("commissioned, of twice as many", lambda each: each.commissioned),
    ("failed", lambda each: each.failed),
    ("bulk claim carried out after", lambda each: _seconds(each.seconds)),
    ("limit: the target's rate", lambda each: _seconds(each.rate_limit)),
    ("limit: the quota", lambda each: _seconds(each.quota_limit)),
    ("half as many for two targets at once", lambda each: _seconds(each.both_targets_seconds)),
    ("throttled calls per device", lambda each: each.throttled_per_device),
    ("billed Lambda time", lambda each: _seconds(each.billed_seconds)),
    ("single claim, idle system", lambda each: f"{each.idle_ms:.0f} ms"),
    ("single claim, same target meanwhile", lambda each: f"{each.single_same_ms:.0f} ms"),
    ("single claim, other target meanwhile", lambda each: f"{each.single_other_ms:.0f} ms"),
)


if __name__ == "__main__":
    app()
