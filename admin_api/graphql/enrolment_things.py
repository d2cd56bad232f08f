"""The GraphQL types for the attributes and thing groups that an enrolment adds to the things of its devices."""

import strawberry

from lobby.domain.enrolments.thing_settings import ThingSettings


@strawberry.type(description="An attribute that the things of an enrolment's devices get.")
class ThingAttribute:
    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its value.")


@strawberry.input(description="An attribute that the things of an enrolment's devices get.")
class ThingAttributeInput:
    name: str = strawberry.field(description="Its name, which a profile lets enrolments set.")
    value: str = strawberry.field(description="Its value: 1 to 256 of a-z A-Z 0-9 _ . , @ / : # = [ ] -.")


def attributes_from(things: ThingSettings | None) -> list[ThingAttribute]:
    return [ThingAttribute(name=name, value=value) for name, value in (things.attributes if things else ())]
