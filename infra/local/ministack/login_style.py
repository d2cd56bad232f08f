"""The looks of Cognito's sign-in page, as a resource that is there and does nothing.

MiniStack draws no managed login and refuses the whole template for the one resource that styles it
(`AWS::Cognito::ManagedLoginBranding`), so the stack for AWS could not be tried here.
"""

from typing import Any, Final

from infra.local.ministack.patch_points import Seam

HANDLERS: Final = Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
SEAMS: Final = (HANDLERS,)
TYPE: Final = "AWS::Cognito::ManagedLoginBranding"


def apply() -> None:
    """Let the type pass."""
    HANDLERS.found().setdefault(TYPE, {"create": _create, "delete": _delete})


def _create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    made = f"{stack_name}-{logical_id}"
    return f"{props.get('UserPoolId')}|{made}", {"ManagedLoginBrandingId": made}


def _delete(_physical_id: str, _props: dict[str, Any]) -> None:
    """There is nothing to take away."""
