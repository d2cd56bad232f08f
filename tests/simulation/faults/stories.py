"""What may be disturbed: what befalls devices, from the factory to the ban, and what people do about them.

Each story begins where another life has come to rest, undisturbed, and is played by the doors that events and people
come in by. What it sets off by itself (the commissioner's work, devices that obey, reports of arrivals) is part of it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.simulation.faults import beginnings, presses
from tests.simulation.faults.beginnings import ONE, TWO, C
from tests.simulation.faults.field import EVENTS, A, B, Field
from tests.simulation.faults.ground import Beginning
from tests.simulation.faults.refusals import REFUSED, turned_away_until_the_name_was_free


@dataclass(frozen=True)
class Story:
    """`happens` to the lobby that `beginning` left behind. `reason` is what the device in it shows at the end. With
    `again`, asking twice is doing it twice: a retry is one more try, whenever it comes, and the history says so. With
    `overtaken`, a claim ends before it was carried out: what was registered for it, if it was, is out of use; people's
    calls are not disturbed, as that would let the commissioner come first."""

    name: str
    beginning: Beginning
    happens: Callable[[Field], None]
    reason: str | None = None
    again: bool = False
    overtaken: bool = False


def _whole(field: Field) -> None:
    """From its box to its account."""
    field.power_on(ONE)
    field.cloud.settle()
    presses.claim(field, ONE, A)


def _claimed_and(then: Callable[[Field], None]) -> Callable[[Field], None]:
    """Somebody claims, and thinks better of it before the commissioner has come to it."""

    def happens(field: Field) -> None:
        presses.claim(field, ONE, A)
        then(field)

    return happens


def _confirm(field: Field) -> None:
    request: dict[str, Any] = json.loads((EVENTS / "subscription_confirmation.json").read_text())
    field.cloud.send(request)


_ADMITTED: Final = (
    Story("a good certificate knocks and says hello", beginnings.in_its_box, lambda f: f.power_on(ONE)),
    Story("a device that was claimed in its box knocks", beginnings.claimed_in_its_box, lambda f: f.power_on(ONE)),
    Story("from its box to its account", beginnings.in_its_box, _whole),
    Story("hello while waiting", beginnings.waiting_for_long, lambda f: f.say_hello(ONE)),
    Story("hello once it has arrived", beginnings.arrived, lambda f: f.say_hello(ONE)),
    Story("hello of one that fell back", beginnings.arrived_long_ago, lambda f: f.say_hello(ONE)),
    Story("hello of a banned device", beginnings.heard_too_late_of_its_ban, lambda f: f.say_hello(ONE), again=True),
)
_CLAIMED: Final = (
    Story("claim before it was seen", beginnings.in_its_box, lambda f: presses.claim(f, ONE, A)),
    Story("claim of a waiting device", beginnings.waiting, lambda f: presses.claim(f, ONE, A)),
    Story("v0.1's claim of a waiting device", beginnings.waiting, lambda f: presses.add(f, ONE, A)),
    Story(
        "claim for a target that asks for the device's code",
        beginnings.waiting_where_a_code_is_asked_for,
        lambda f: presses.claim(f, ONE, A),
    ),
    Story("the code that the device shows", beginnings.proving, lambda f: presses.confirm(f, ONE)),
    Story("a new code", beginnings.proving, lambda f: presses.retry(f, ONE), again=True),
    Story("claim of several", beginnings.three, lambda f: presses.claim_all(f, A)),
    Story("retry after a failure", beginnings.failed_for_want_of_a_policy, lambda f: presses.retry(f, ONE), again=True),
)
_ELSEWHERE: Final = (
    Story("move to another target", beginnings.arrived, lambda f: presses.move(f, ONE, B)),
    Story("v0.1's claim for another target", beginnings.arrived, lambda f: presses.add(f, ONE, B)),
    Story("move back", beginnings.moved, lambda f: presses.move(f, ONE, A)),
    Story(
        "another profile in the same target", beginnings.with_cameras_in_a, lambda f: presses.move(f, ONE, A, "camera")
    ),
    Story("move before it was seen", beginnings.claimed_in_its_box, lambda f: presses.move(f, ONE, B)),
    Story("release", beginnings.arrived, lambda f: presses.release(f, ONE)),
    Story("release before it was seen", beginnings.claimed_in_its_box, lambda f: presses.release(f, ONE)),
    Story("claim of the target just left", beginnings.released, lambda f: presses.claim(f, ONE, A)),
)
_AT_ONCE: Final = tuple(
    Story(f"claim, and {what} at once", beginnings.waiting, _claimed_and(then), reason, overtaken=True)
    for what, then, reason in (
        ("release", lambda f: presses.release(f, ONE), None),
        ("move", lambda f: presses.move(f, ONE, B), None),
        ("ban", lambda f: presses.revoke(f, ONE), "REVOKED"),
    )
)
_OUT: Final = (
    Story("ban before it was seen", beginnings.in_its_box, lambda f: presses.revoke(f, ONE)),
    Story("ban of a waiting device", beginnings.waiting, lambda f: presses.revoke(f, ONE), "REVOKED"),
    Story("ban of an arrived device", beginnings.arrived, lambda f: presses.revoke(f, ONE), "REVOKED"),
    Story(
        "retry of a device that its target threw out",
        beginnings.thrown_out,
        lambda f: presses.retry(f, ONE),
        again=True,
    ),
    Story(
        "a refused device may knock again",
        turned_away_until_the_name_was_free,
        lambda f: presses.retry(f, TWO),
        again=True,
    ),
)
_TARGETS: Final = (
    Story("a target is registered", beginnings.in_its_box, lambda f: presses.register(f, C, "another place")),
    Story("a target is renamed", beginnings.in_its_box, lambda f: presses.register(f, A, "another name")),
    Story("a target's topic asks to be confirmed", beginnings.in_its_box, _confirm),
    Story("a target is checked", beginnings.in_its_box, lambda f: presses.check(f, A)),
    Story("somebody looks", beginnings.arrived, lambda f: presses.look(f, ONE)),
)


def _refused(code: str) -> Story:
    beginning, name = REFUSED[code]
    return Story(f"refused: {code}", beginning, lambda field: field.power_on(name), code)


STORIES: Final = (*_ADMITTED, *map(_refused, REFUSED), *_CLAIMED, *_ELSEWHERE, *_AT_ONCE, *_OUT, *_TARGETS)
