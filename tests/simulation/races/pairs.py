"""The races that have names: who meets whom over one device, what has to come of it in every order of their calls.

After each, everything is delivered and comes to rest, and what `truth` wants of any ending is wanted of this one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lobby.names import Fingerprint, Target
from tests import certificates as make
from tests.simulation.faults import beginnings, presses
from tests.simulation.faults.beginnings import ONE, TWO
from tests.simulation.faults.field import FAR, GUARDED, A, B, Field, event_of
from tests.simulation.faults.ground import CA, Beginning, Ground, deploy_policy
from tests.simulation.faults.layer import FaultLayer
from tests.simulation.races.truth import Untrue, check_moment, check_rest, check_told, entries_of, row_of
from tests.simulation.races.turns import Actor, Choose
from tests.simulation.races.world import Errand, World

Runners = Callable[[World], list[Actor]]


@dataclass(frozen=True)
class Race:
    """`runners` start in the lobby that `beginning` left; at rest, `ends` holds as well."""

    name: str
    beginning: Beginning
    runners: Runners
    ends: Callable[[World], None] = lambda _world: None


def three_targets(then: Beginning) -> Beginning:
    def begin(field: Field) -> None:
        presses.register(field, FAR, "the far place")
        deploy_policy(FAR)
        then(field)

    return begin


def guarded(then: Beginning) -> Beginning:
    def begin(field: Field) -> None:
        presses.register(field, GUARDED, "the place where somebody looks")
        deploy_policy(GUARDED)
        then(field)

    return begin


def _one(world: World) -> Fingerprint:
    return world.devices[ONE].certid


def _people(*wishes: tuple[str, Target | None]) -> Runners:
    return lambda world: [world.press(what, _one(world), target) for what, target in wishes]


def _with_commissioner(*wishes: tuple[str, Target | None]) -> Runners:
    """People meet the commissioner, who has the device's last record in hand."""
    return lambda world: [world.deliver(_one(world)), *_people(*wishes)(world)]


def _claimed_first(then: Runners, target: Target = A) -> Runners:
    def run(world: World) -> list[Actor]:
        world.finish(world.press("claim", _one(world), target))
        return then(world)

    return run


def _knocks(world: World, name: str = ONE) -> Actor:
    """Its first connect: the bouncer comes."""
    world.act(world.devices[name])
    return world.run(world.errands[-1])


def _greets(world: World) -> Actor:
    world.say_hello(world.devices[ONE])
    return world.run(world.errands[-1])


def _admitted(field: Field) -> None:
    """Let in, and not heard of since."""
    beginnings.in_its_box(field)
    device = field.devices[ONE]
    device.powered = True
    field._move_on()
    device.powered = False
    field.cloud.settle()


def _again(errand: Errand) -> Errand:
    return Errand(errand.function, errand.event, errand.certid)


def _twice(world: World) -> list[Actor]:
    first = _knocks(world)
    errand = Errand("bouncer", _event_of_knock(world), _one(world))
    return [first, world.run(_again(errand))]


def _event_of_knock(world: World) -> dict[str, object]:
    return event_of("certificate_registered", CA_CERTIFICATE_ID=world.ca_id, CERTIFICATE_ID=_one(world))


def _late_knock(world: World) -> Actor:
    return world.run(Errand("bouncer", _event_of_knock(world), _one(world)))


def _one_won(world: World) -> None:
    """One of the claims won, and the others were told that."""
    told = sorted(wish.told for wish in world.wishes if wish.what == "claim")
    if told != [*["ALREADY_CLAIMED"] * (len(told) - 1), "done"]:
        raise Untrue(f"people were told {told}")
    winner = next(wish for wish in world.wishes if wish.told == "done")
    row = row_of(_one(world))
    if row is None or (row.target, row.claimedby) != (winner.target, winner.by):
        raise Untrue(f"{winner} won, and the row is {row}")


def _all_done(world: World) -> None:
    if [wish for wish in world.wishes if wish.told != "done"]:
        raise Untrue(f"people were told {world.wishes}")


def _is(state: str, target: Target | None = None) -> Callable[[World], None]:
    def ends(world: World) -> None:
        row = row_of(_one(world))
        if row is None or row.devstate != state or (target and row.target != target):
            raise Untrue(f"got {row}, want {state}, {target}")

    return ends


def _once(event: str) -> Callable[[World], None]:
    def ends(world: World) -> None:
        many = sum(entry.event == event for entry in entries_of(_one(world)))
        if many != 1:
            raise Untrue(f"got {many} entries of {event}, want one")

    return ends


def _both(*ends: Callable[[World], None]) -> Callable[[World], None]:
    def all_of(world: World) -> None:
        for each in ends:
            each(world)

    return all_of


def same_name(field: Field) -> None:
    """TWO's certificate says that it is ONE."""
    beginnings.box(field)
    beginnings.box(field, TWO, make.pem_of(make.device(CA, ONE, number=2)))


def _one_has_the_name(world: World) -> None:
    states = sorted(row.devstate for device in world.devices.values() if (row := row_of(device.certid)))
    if states != ["inlobby", "refused"]:
        raise Untrue(f"got {states}, want one that has the name and one refused")


RACES: Final = (
    Race("two claims for different targets", beginnings.waiting, _people(("claim", A), ("claim", B)), _one_won),
    Race("two claims of a device in its box", beginnings.in_its_box, _people(("claim", A), ("claim", B)), _one_won),
    Race(
        "three claims for different targets",
        three_targets(beginnings.waiting),
        _people(("claim", A), ("claim", B), ("claim", FAR)),
        _one_won,
    ),
    Race(
        "two claims for the same target",
        beginnings.waiting,
        _people(("claim", A), ("claim", A)),
        _both(_all_done, _once("claim")),
    ),
    Race(
        "claim, and the first hello",
        _admitted,
        lambda w: [_greets(w), w.press("claim", _one(w), A)],
        _both(_all_done, _is("arrived", A)),
    ),
    Race(
        "claim, and the admission",
        beginnings.in_its_box,
        lambda w: [_knocks(w), w.press("claim", _one(w), A)],
        _both(_all_done, _is("arrived", A)),
    ),
    Race(
        "claims for different targets, and the admission",
        beginnings.in_its_box,
        lambda w: [_knocks(w), *_people(("claim", A), ("claim", B))(w)],
        _one_won,
    ),
    Race(
        "release, and commissioning",
        beginnings.waiting,
        _claimed_first(_with_commissioner(("release", None))),
        _both(_all_done, _is("inlobby")),
    ),
    Race(
        "move, and commissioning",
        beginnings.waiting,
        _claimed_first(_with_commissioner(("move", B))),
        _both(_all_done, _is("arrived", B)),
    ),
    Race(
        "ban, and commissioning",
        beginnings.waiting,
        _claimed_first(_with_commissioner(("revoke", None))),
        _both(_all_done, _is("revoked")),
    ),
    Race(
        "retry, and commissioning",
        beginnings.waiting,
        _claimed_first(_with_commissioner(("retry", None))),
        _both(_all_done, _is("arrived", A)),
    ),
    Race(
        "hello, and commissioning",
        beginnings.waiting,
        _claimed_first(lambda w: [w.deliver(_one(w)), _greets(w)]),
        _is("arrived", A),
    ),
    Race(
        "move, and another move",
        three_targets(beginnings.arrived),
        _people(("move", B), ("move", FAR)),
        _both(_all_done, _is("arrived")),
    ),
    Race("move, and the move back", beginnings.moved, _people(("move", A), ("release", None)), _is("inlobby")),
    Race("release, and a claim of the next", beginnings.arrived, _people(("release", None), ("claim", B))),
    Race("move, and release", beginnings.arrived, _people(("move", B), ("release", None)), _is("inlobby")),
    Race("move, and ban", beginnings.arrived, _people(("move", B), ("revoke", None)), _is("revoked")),
    Race(
        "the code, and a wrong one",
        guarded(beginnings.waiting),
        _claimed_first(_people(("confirm", None), ("mismatch", None)), GUARDED),
        _is("arrived", GUARDED),
    ),
    Race(
        "the code, and release",
        guarded(beginnings.waiting),
        _claimed_first(_people(("confirm", None), ("release", None)), GUARDED),
        _is("inlobby"),
    ),
    Race("admission twice", beginnings.in_its_box, _twice, _both(_once("admit"), _is("inlobby"))),
    Race(
        "admission, and ban", beginnings.in_its_box, lambda w: [_knocks(w), w.press("revoke", _one(w))], _is("revoked")
    ),
    Race(
        "a late knock, and a move",
        beginnings.arrived,
        lambda w: [_late_knock(w), w.press("move", _one(w), B)],
        _is("arrived", B),
    ),
    Race("two certificates of one name", same_name, lambda w: [_knocks(w, ONE), _knocks(w, TWO)], _one_has_the_name),
)


def live(layer: FaultLayer, ground: Ground, race: Race, choose: Choose) -> None:
    """One order of turns. Raises `Untrue`."""
    world = World(layer, ground.at(race.beginning))
    turns: list[str] = []
    with world.in_turns():
        try:
            runners = race.runners(world)
            while going := [actor for actor in runners if not actor.ended]:
                actor = going[choose(len(going)) if len(going) > 1 else 0]
                turns.append(f"{actor.name}: {actor.at}")
                reads = actor.reads
                world.go(actor)
                if not reads:
                    check_moment(world.at_work())
            world.settle(lambda: check_moment(world.at_work()))
            check_rest(world.devices.values())
            check_told(world.wishes)
            race.ends(world)
        except Untrue as wrong:
            raise Untrue(f"{race.name}: {wrong}\n  " + "\n  ".join(turns)) from wrong
