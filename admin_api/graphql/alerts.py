"""Alerts by e-mail in the API: the addresses that get notices about devices."""

from typing import Annotated

import strawberry

from admin_api.graphql.arguments import described
from admin_api.graphql.context import ABSENT, Info, given, operation
from admin_api.graphql.value_lists import one_of
from lobby.domain.events.notice import Notice, parse_email, parse_notices


@strawberry.type(description="An e-mail address that gets notices. Each notice has a link to unsubscribe.")
class Alert:
    email: str = strawberry.field(description="The address.")
    confirmed: bool = strawberry.field(
        description="Whether the owner of the address has confirmed it. Until then it gets no notices."
    )


@strawberry.type(description="The operations that read alerts.")
class AlertQuery:
    @operation("Returns the addresses that get notices by e-mail.")
    def alerts(self, info: Info) -> list[Alert]:
        found = info.context.services.notices.all()
        return [Alert(email=each.email, confirmed=each.confirmed) for each in found]


@strawberry.type(description="The operations that change alerts.")
class AlertMutation:
    @operation("Subscribes an e-mail address to notices. AWS sends it an e-mail with a confirmation link.")
    def add_alert(
        self,
        info: Info,
        email: Annotated[str, described("The address.")],
        notices: Annotated[list[str] | None, described(f"By default all. {one_of(Notice)}")] = ABSENT,
    ) -> Alert | None:
        address, wanted = parse_email(email), parse_notices(given(notices) or ())
        info.context.services.notices.subscribe(address, wanted)
        return Alert(email=address, confirmed=False)
