"""Many new devices at the same time, with AWS's quotas, before and after: `python -m tests.bench.storm`. Starts a lobby
with its own state. The devices connect within some seconds, and connect again until they are admitted. This is measured
with today's bouncer and its queue, and with the bouncer of an earlier commit, which a rule invoked for each attempt.
The physical limit is the time in which the quotas of AWS IoT allow to admit these devices. The figures need a machine
with two free processors; the earlier commit must be in the repository. The earlier bouncer gets a share of the devices
and rates, because its rule starts a process for each attempt, and hundreds of them do not fit on one machine.

Exit status: 0 the budgets are met, 1 one is exceeded or a step failed, 2 wrong usage.
"""

from typing import Annotated, Any, Final

import typer

from tests.bench.before_and_after import AFTER, BEFORE, Row, compare
from tests.bench.deployment import LobbyUnderTest
from tests.bench.storm import earlier
from tests.bench.storm.measurement import (
    PERIOD,
    REAL_RULE,
    RULE,
    Alone,
    Figures,
    StormUnderTest,
    alone,
)

app = typer.Typer(add_completion=False)
WITHIN: Final = 1.05
"""The budget: the time until the last admission, relative to the physical limit."""
RUNS: Final = 1.2
"""The budget: runs of the bouncer per device."""
SLOWER: Final = 1.1
"""The budget: the admission of a single device, relative to that by the earlier bouncer. Less is noise."""


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=20, help="New devices.")] = 1000,
    spread: Annotated[float, typer.Option(min=0, help="Seconds in which all connect for the first time.")] = 30,
    patience: Annotated[float, typer.Option(min=1, help="End a storm after this multiple of the limit.")] = 3,
    share: Annotated[
        float,
        typer.Option(min=0.02, max=1, help="On a busy machine: this share of devices and rates."),
    ] = 1.0,
    before: Annotated[bool, typer.Option(help="Also measure the earlier commit.")] = True,
    before_share: Annotated[
        float,
        typer.Option(min=0.02, max=1, help="The share for the earlier commit."),
    ] = 0.1,
    warm: Annotated[bool, typer.Option("--warm/--cold", help="Whether the Lambdas' processes exist.")] = True,
    seed: Annotated[int, typer.Option(help="Seed of the devices' attempts.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    def one(lobby: LobbyUnderTest, name: str) -> tuple[Figures, str]:
        if not storms:
            storms.update((each, _under_test(lobby, each, shares[each])) for each in names)
            single.update(alone(storms))
        count = max(2, round(devices * shares[name]))
        figures = storms[name].measure(count, spread, patience, seed, single[name], warm=warm)
        return figures, f"{figures.admitted} of {figures.devices} admitted"

    # Today's bouncer is first, because the retries of the earlier one continue after its measurement.
    names = (AFTER, BEFORE) if before else (AFTER,)
    shares = {AFTER: share, BEFORE: min(share, before_share)}
    storms, single = dict[str, StormUnderTest](), dict[str, Alone]()
    compare("A storm of new devices, with AWS's quotas", ROWS, names, one, is_within, as_json=as_json)


def is_within(figures: Figures, before: Figures | None = None) -> bool:
    """Return whether the budgets are met. A single device must not be admitted later than `before`."""
    return (
        figures.seconds is not None
        and figures.seconds <= WITHIN * figures.limit
        and figures.runs_per_device <= RUNS
        and figures.undelivered == 0
        and (before is None or figures.alone_ms <= SLOWER * before.alone_ms)
    )


def _under_test(lobby: LobbyUnderTest, name: str, share: float) -> StormUnderTest:
    if name == BEFORE:
        return StormUnderTest(lobby, earlier.FUNCTION, earlier.deploy(lobby, RULE), share)
    iot: Any = lobby.session.client("iot")
    [action] = iot.get_topic_rule(ruleName=REAL_RULE)["rule"]["actions"]
    return StormUnderTest(lobby, "device-lobby-bouncer", action, share)


ROWS: Final[tuple[Row, ...]] = (
    ("devices", lambda each: each.devices),
    ("share of AWS's rates", lambda each: f"{each.share:g}"),
    ("admitted", lambda each: each.admitted),
    ("last admitted after", lambda each: "not all" if each.seconds is None else f"{each.seconds:.1f} s"),
    ("physical limit (quotas)", lambda each: f"{each.limit:.1f} s"),
    ("ratio", lambda each: "" if each.seconds is None else f"{each.seconds / each.limit:.3f}"),
    (f"admitted in each {PERIOD:g} s", lambda each: " ".join(map(str, each.profile))),
    ("connection attempts", lambda each: each.attempts),
    ("runs of the bouncer per device", lambda each: each.runs_per_device),
    ("devices examined (DescribeCertificate)", lambda each: each.examined),
    ("throttled calls", lambda each: each.throttled),
    ("undelivered", lambda each: each.undelivered),
    ("one device alone: admitted after", lambda each: f"{each.alone_ms:.0f} ms"),
    ("one device alone: AWS calls", lambda each: each.alone_calls),
    ("one device alone: calls of its lease", lambda each: each.alone_queue_calls),
)


if __name__ == "__main__":
    app()
