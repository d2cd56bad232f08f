"""Tokens of enrolments at the door `token`: the types, the query and the mutations. The API returns a secret once.

The lobby keeps only a hash of the secret, so no query can return it.
"""

from typing import Annotated

import strawberry

from admin_api.graphql.arguments import described
from admin_api.graphql.context import ABSENT, Context, Info, given, operation
from admin_api.graphql.value_lists import one_of
from admin_api.operations import enrolment_tokens as rules
from lobby.domain.enrolments import enrolment_token as ledger
from lobby.domain.enrolments.enrolment import Door
from lobby.domain.enrolments.enrolment_rules import require_door
from lobby.domain.enrolments.enrolment_token import ISSUES_PER_USE, TokenState
from lobby.ledger.clock import now, timestamp
from lobby.names import parse_enrolment_name, parse_token_id


@strawberry.type(description="A token with which devices without a certificate get one. Times are ISO 8601, UTC.")
class EnrolmentToken:
    id: strawberry.ID = strawberry.field(description="Identifies the token in caches: its identifier.")
    identifier: str = strawberry.field(description="Its identifier, which is not secret.")
    enrolment: str = strawberry.field(description="The enrolment's name.")
    state: str = strawberry.field(description=one_of(TokenState))
    expires: str = strawberry.field(description="When it expires.")
    max_uses: int = strawberry.field(
        description="The maximum number of uses: new devices, and new certificates of devices that have connected."
    )
    uses: int = strawberry.field(description="The number of uses so far.")
    issued: int = strawberry.field(
        description=f"How many certificates it has issued, at most {ISSUES_PER_USE} for each use: a device whose answer"
        " was lost asks again."
    )
    last_use: str | None = strawberry.field(description="When it last issued a certificate; null for never.")
    thing_name: str | None = strawberry.field(description="The only thing name that may use the token; null for any.")
    created_by: str = strawberry.field(description="Who created it.")
    created_at: str = strawberry.field(description="When it was created.")
    revoked_by: str | None = strawberry.field(description="The user who revoked it; null if it is not revoked.")
    revoked_at: str | None = strawberry.field(description="When it was revoked; null if it was not.")


@strawberry.type(description="A new token. Only this answer contains its secret.")
class NewEnrolmentToken:
    token: EnrolmentToken = strawberry.field(description="The token.")
    secret: str = strawberry.field(description="Its secret, of which the lobby keeps only a hash.")
    authorization: str = strawberry.field(
        description="The value of the header Authorization of a request with this token: `<identifier> <secret>`."
    )


@strawberry.type(description="The operations that change enrolment tokens.")
class EnrolmentTokenMutation:
    @operation(
        "Creates a token for an enrolment of door token. The secret is returned once. If the answer is lost, revoke the"
        " token and create another one."
    )
    def create_enrolment_token(
        self,
        info: Info,
        enrolment: Annotated[str, described("The enrolment's name.")],
        uses: Annotated[int, described("The maximum number of devices, 1 to 1,000,000.")] = 1,
        expires: Annotated[
            str | None, described("When it expires: a date, or a time with its offset. By default in 7 days.")
        ] = ABSENT,
        thing_name: Annotated[
            str | None, described("The only thing name that may use the token; by default any.")
        ] = ABSENT,
    ) -> NewEnrolmentToken | None:
        entered = rules.NewToken(enrolment, uses, given(expires), given(thing_name))
        token, credentials = rules.create(info.context.services, info.context.caller, entered)
        return NewEnrolmentToken(
            token=_token_from(token),
            secret=credentials.secret,
            authorization=f"{credentials.id} {credentials.secret}",
        )

    @operation("Revokes a token immediately and permanently. Devices that were admitted with it stay.")
    def revoke_enrolment_token(
        self, info: Info, identifier: Annotated[str, described("The token's identifier.")]
    ) -> EnrolmentToken | None:
        context = info.context
        token = parse_token_id(identifier)
        return _token_from(context.services.enrolment_tokens.revoke(token, context.caller.actor))


def tokens_of(context: Context, enrolment: str) -> list[EnrolmentToken]:
    """Return the tokens of an enrolment. Raise `InvalidInput` INVALID_ENROLMENT, `NotFound` UNKNOWN_ENROLMENT, or
    `Conflict` WRONG_DOOR."""
    services = context.services
    found = services.enrolments.get(parse_enrolment_name(enrolment))
    require_door(found, Door.TOKEN)
    return [_token_from(each) for each in services.enrolment_tokens.of_enrolment(found.name)]


def _token_from(token: ledger.EnrolmentToken) -> EnrolmentToken:
    return EnrolmentToken(
        id=strawberry.ID(token.id),
        identifier=token.id,
        enrolment=token.enrolment,
        state=token.state(timestamp(now())).value,
        expires=token.expires,
        max_uses=token.limit,
        uses=token.uses,
        issued=token.issued,
        last_use=token.lastuse,
        thing_name=token.name,
        created_by=token.createdby,
        created_at=token.createdat,
        revoked_by=token.revokedby,
        revoked_at=token.revokedat,
    )
