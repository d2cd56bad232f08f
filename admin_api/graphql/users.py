"""The operations with which admins block users. The API refuses all requests of a blocked user, even with a valid
token."""

from typing import Annotated

import strawberry

from admin_api import blocked_users
from admin_api.graphql.arguments import described
from admin_api.graphql.context import Info, computed, operation
from admin_api.graphql.value_lists import one_of
from admin_api.operations.user_creations import ENDED_BY, MOST_OF_A_KIND, MOST_READ, CreationKind
from lobby.domain.campaigns.campaign import CampaignState
from lobby.ledger.users import user_blocks

UserName = Annotated[str, described("The user's name, as in histories without `user:`.")]


@strawberry.type(description="A campaign for which a blocked user answers.")
class UnfinishedCampaign:
    name: str = strawberry.field(description="Its name.")
    state: str = strawberry.field(description=one_of(CampaignState))
    stopped_because: str | None = strawberry.field(
        description="Why it has stopped, such as USER_BLOCKED; null if it has not."
    )


@strawberry.type(description="Something that a user has created and that still works.")
class UserCreation:
    kind: str = strawberry.field(description=one_of(CreationKind))
    name: str = strawberry.field(description="Its name, id, fingerprint or serial number, which identifies it.")
    at: str = strawberry.field(description="When it was created; ISO 8601, UTC.")
    detail: str = strawberry.field(description="A description.")
    ended_by: str = strawberry.field(description=f"The operation that ends it. {one_of(ENDED_BY.values())}")


@strawberry.type(description="A user whose requests the API refuses.")
class BlockedUser:
    name: str = strawberry.field(description="The user's name, as in histories without `user:`.")
    by: str = strawberry.field(description="Who blocked them, as `user:` and a name.")
    at: str = strawberry.field(description="When; ISO 8601, UTC.")

    @computed("The campaigns that the user has created, taken over or approved, and that have not ended.")
    def campaigns(self, info: Info) -> list[UnfinishedCampaign]:
        found = blocked_users.unfinished_campaigns(info.context.services, self.name)
        return [UnfinishedCampaign(name=each.name, state=each.state.value, stopped_because=each.why) for each in found]

    @computed(
        "What the user has created and that still works after the block, by kind, the newest first: at most"
        f" {MOST_OF_A_KIND} of each kind. Of all users, {MOST_READ:,} offered devices and {MOST_READ:,} serial numbers"
        " are read at most. Devices that they have claimed are in `activity`."
    )
    def created(self, info: Info) -> list[UserCreation]:
        return [
            UserCreation(
                kind=each.kind.value, name=each.name, at=each.at, detail=each.detail, ended_by=ENDED_BY[each.kind]
            )
            for each in info.context.creations.get(f"user:{self.name}", ())
        ]


@strawberry.type(description="A user who was unblocked.")
class UnblockedUser:
    name: str = strawberry.field(description="The user's name.")


@strawberry.type(description="The operations that read which users are blocked.")
class UserQuery:
    @operation("Returns the users whose requests the API refuses, by name.")
    def blocked_users(self, info: Info) -> list[BlockedUser]:
        return [_from(each) for each in info.context.services.blocks.all()]


@strawberry.type(description="The operations that block users.")
class UserMutation:
    @operation(
        "Refuses all requests of a user, within 5 seconds, even if the user's token is still valid. A new"
        " token does not end the block. The user's running campaigns stop (USER_BLOCKED). Also disable the user in"
        " Cognito."
    )
    def block_user(self, info: Info, name: UserName) -> BlockedUser | None:
        return _from(blocked_users.block(info.context.services, name, info.context.caller.actor))

    @operation("Accepts the requests of a user again.")
    def unblock_user(self, info: Info, name: UserName) -> UnblockedUser | None:
        user = info.context.services.blocks.set_blocked(name, info.context.caller.actor, blocked=False)
        return UnblockedUser(name=user.name)


def _from(user: user_blocks.BlockedUser) -> BlockedUser:
    return BlockedUser(name=user.name, by=user.by, at=user.at)
