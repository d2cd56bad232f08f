"""How many devices are where: the counts that the ledger keeps with every transition, put in order for people.

One query of a few dozen rows, however many devices there are. What is asked a moment after a change may not yet
show it.
"""

import strawberry


@strawberry.type
class StateCount:
    state: str
    count: int


@strawberry.type(description="The devices claimed for a target.")
class TargetCount:
    account: str
    region: str
    count: int
    states: list[StateCount] = strawberry.field(description="Without those that no device is in.")


@strawberry.type
class ReasonCount:
    state: str
    reason: str
    count: int


@strawberry.type(description="How many devices are where.")
class Overview:
    total: int
    states: list[StateCount] = strawberry.field(description="Every state, in the order of a device's life.")
    targets: list[TargetCount] = strawberry.field(
        description="Most devices first; for a technician, those that they may claim for."
    )
    reasons: list[ReasonCount] = strawberry.field(description="Of failed and refused devices, most first.")
