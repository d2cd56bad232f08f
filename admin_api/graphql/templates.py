"""The template of a target, for owners who set up their account with their own tools. Only admins get it, because it
contains the ExternalId."""

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Final

import strawberry

from admin_api.graphql.context import Context, computed
from admin_api.operations.target_registration import first_region
from admin_api.services import Services
from admin_api.templates import quick_create
from admin_api.templates.cloudformation import cloudformation
from admin_api.templates.source import TargetResources, resources_of
from admin_api.templates.terraform import terraform
from lobby.deployment import NAMES
from lobby.names import Target


@strawberry.enum(description="The deployment tool of a target's owner.")
class TemplateFormat(Enum):
    CLOUDFORMATION = strawberry.enum_value(
        "CLOUDFORMATION", description="For a stack, or for a StackSet with many Regions."
    )
    TERRAFORM = strawberry.enum_value("TERRAFORM", description="For Terraform with the provider hashicorp/aws.")


@strawberry.type(description="A self-contained template that sets a target's account up.")
class TargetTemplate:
    file_name: str = strawberry.field(description="A name for the file.")
    content: str = strawberry.field(description="The text of the template.")
    link: strawberry.Private[Callable[[], str] | None]

    @computed(
        "A link for the owner that opens AWS's console with the stack ready to be created. Valid for an hour. Null for"
        " Terraform."
    )
    def quick_create_url(self) -> str | None:
        return self.link() if self.link else None


_WRITERS: Final[dict[TemplateFormat, tuple[str, Callable[[TargetResources, str], str]]]] = {
    TemplateFormat.CLOUDFORMATION: ("yaml", cloudformation),
    TemplateFormat.TERRAFORM: ("tf", terraform),
}


def template_of(context: Context, target: Target, wanted: TemplateFormat) -> TargetTemplate:
    """Return the template of a target. Raise `NotFound` UNKNOWN_TARGET or UNKNOWN_PROFILE."""
    services = context.services
    registered = services.targets.get(target)
    role_region = first_region(registered, services.targets.all())
    resources = resources_of(services.template_source(), registered, role_region, services.profiles)
    suffix, write = _WRITERS[wanted]
    content = write(resources, str(services.identity))
    return TargetTemplate(
        file_name=NAMES.name(f"target-{target.account}-{target.region}.{suffix}"),
        content=content,
        link=partial(_link, services, target, content) if wanted is TemplateFormat.CLOUDFORMATION else None,
    )


def _link(services: Services, target: Target, content: str) -> str:
    return quick_create.link(target, services.store_template(target, content))
