"""Who asks, as the API tells them: so that a console offers what will be allowed, and nothing else."""

import strawberry

from admin_api.roles import Caller


@strawberry.type(description="Somebody who is signed in.")
class Me:
    name: str
    role: str
    operations: list[str] = strawberry.field(description="Fields of Query and Mutation that the role may ask for.")


def me_of(caller: Caller) -> Me:
    return Me(name=caller.name, role=caller.role.value, operations=caller.operations)
