"""The template of a target for owners who deploy without this project: the output of the CDK without its metadata. The
stacks of the role and of a target are synthesized for a placeholder account and Region with all profiles. The result is
part of the admin API's bundle, where `admin_api.templates` completes it for one target and returns it as CloudFormation
or Terraform. So the template has the same content as `deploy.sh target`, without the registry events, which need a
Lambda and are a setting of the owner's account.
"""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from aws_cdk import App

from infra import stack_names
from infra.cdk_context import cdk_context
from infra.role_stack import RoleStack
from infra.settings import Settings, TargetSettings
from infra.target_stack import TargetStack
from lobby import strict_json
from lobby.domain.targets.target import PLACEHOLDER, PLACEHOLDER_EXTERNAL_ID

PATH: Final = "admin_api/templates/target.json"
"""The path of the file in the bundle."""
_OF_CDK: Final = ("Parameters", "Rules", "Metadata", "Conditions")


def target_templates(settings: Settings) -> bytes:
    """Return the templates of the role's stack and of a target's stack as one JSON object: `role` and `region`."""
    target = TargetSettings(PLACEHOLDER, PLACEHOLDER_EXTERNAL_ID, tuple(sorted(settings.profiles.by_name)))
    generic = replace(settings, targets=(target,), lobby_stack=False, registry_events=False)
    with tempfile.TemporaryDirectory() as folder:
        app = App(  # the stacks are validated when they are deployed
            outdir=folder, analytics_reporting=False, builtin_cloud_formation_validation=False, context=cdk_context()
        )
        RoleStack(app, generic, target)
        TargetStack(app, generic, target)
        app.synth()
        stacks = {"role": stack_names.role_id(PLACEHOLDER.account), "region": stack_names.target_id(PLACEHOLDER)}
        found = {part: _template(Path(folder), stack) for part, stack in stacks.items()}
    return json.dumps(found, separators=(",", ":")).encode()


def _template(folder: Path, stack: str) -> dict[str, Any]:
    template: dict[str, Any] = strict_json.loads((folder / f"{stack}.template.json").read_text())
    for resource in template["Resources"].values():
        resource.pop("Metadata", None)
    return {name: _literal(content) for name, content in template.items() if name not in _OF_CDK}


def _literal(value: Any) -> Any:
    """Return the value with a literal partition in its ARNs, because the placeholder's Region has no known one."""
    if isinstance(value, list):
        return [_literal(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value == {"Ref": "AWS::Partition"}:
        return "aws"
    resolved = {key: _literal(each) for key, each in value.items()}
    separator, parts = resolved.get("Fn::Join", ("", [None]))
    return separator.join(parts) if all(isinstance(part, str) for part in parts) else resolved
