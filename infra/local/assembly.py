"""Deploys a synthesized CDK cloud assembly to the emulator: file assets first, then each stack with CloudFormation.

On AWS the CDK CLI does this. Here it needs no bootstrap stack and no Node, and takes one or two seconds. Assets and
stacks that exist are skipped, so an interrupted deployment can be repeated.
"""

import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError, WaiterError

from infra.local.errors import DeployFailed
from lobby import strict_json

Clients = Callable[[str], Any]
"""Returns the boto3 client of a service in one account and Region, for example `session.client`."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_CAPABILITIES: Final = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
_INLINE_TEMPLATE_BYTES: Final = 51_200
"""Maximum size of a template in the request (CloudFormation user guide, "Understand CloudFormation quotas")."""
_POLL_SECONDS: Final = 0.2
_CHANGE_SET: Final = "deploy"
_UNCHANGED: Final = ("No updates are to be performed", "didn't contain changes")
"""The reasons of a change set that failed because it has no changes."""


@dataclass(frozen=True)
class FileAsset:
    """A file, or a directory to be zipped, that a template refers to by bucket and key."""

    source: Path
    zipped: bool
    bucket: str
    key: str


@dataclass(frozen=True)
class StackArtifact:
    """One stack of an assembly. `environment` is its account and Region, such as `aws://123456789012/eu-west-1`."""

    name: str
    environment: str
    template: Path
    assets: tuple[FileAsset, ...]
    bootstrap: tuple[str, int] | None
    """The SSM parameter in which the template expects the version of `cdk bootstrap`, and the minimum version."""


def read_assembly(directory: Path, account: str, region: str) -> dict[str, StackArtifact]:
    """Return the stacks in `directory` (cdk.out) by their ids in the app, in the order of their dependencies. (The
    stacks of all targets have the same name, each in its own account and Region.) `account` and `region` are the
    defaults for an assembly without an environment. Raise `DeployFailed` BAD_ASSEMBLY."""
    try:
        manifest = strict_json.loads((directory / "manifest.json").read_text())
        artifacts: dict[str, Any] = manifest["artifacts"]
        return {name: _read_stack(directory, name, artifacts, account, region) for name in _in_order(artifacts)}
    except (OSError, ValueError, KeyError) as error:
        raise DeployFailed("BAD_ASSEMBLY", f"cannot read {directory}: {type(error).__name__}: {error}") from error


def _in_order(artifacts: Mapping[str, Any]) -> list[str]:
    """Return the names of the stacks, each after its dependencies."""
    ordered: list[str] = []

    def visit(name: str) -> None:
        for other in artifacts[name].get("dependencies", []):
            visit(other)
        if artifacts[name]["type"] == "aws:cloudformation:stack" and name not in ordered:
            ordered.append(name)

    for name in artifacts:
        visit(name)
    return ordered


def _read_stack(directory: Path, name: str, artifacts: Mapping[str, Any], account: str, region: str) -> StackArtifact:
    artifact = artifacts[name]
    properties = artifact["properties"]
    template = directory / properties["templateFile"]
    assets: list[FileAsset] = []
    for other in artifact.get("dependencies", []):
        if artifacts[other]["type"] == "cdk:asset-manifest":
            manifest = directory / artifacts[other]["properties"]["file"]
            assets += _read_assets(manifest, template, account, region)
    parameter = properties.get("bootstrapStackVersionSsmParameter")
    version = int(properties.get("requiresBootstrapStackVersion", 1))
    return StackArtifact(
        properties.get("stackName", name),
        artifact.get("environment", ""),
        template,
        tuple(assets),
        (parameter, version) if parameter else None,
    )


def _read_assets(manifest: Path, template: Path, account: str, region: str) -> list[FileAsset]:
    body = strict_json.loads(manifest.read_text())
    if body.get("dockerImages"):
        raise DeployFailed("BAD_ASSEMBLY", f"got Docker images in {manifest}, want file assets only")
    values = {"${AWS::AccountId}": account, "${AWS::Region}": region, "${AWS::Partition}": "aws"}
    assets = []
    for asset in body["files"].values():
        source = manifest.parent / asset["source"]["path"]
        if source == template:
            continue  # the template is sent with the request
        for destination in asset["destinations"].values():
            bucket, key = _replaced(destination["bucketName"], values), _replaced(destination["objectKey"], values)
            assets.append(FileAsset(source, asset["source"].get("packaging") == "zip", bucket, key))
    return assets


def _replaced(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def zip_directory(directory: Path) -> bytes:
    """Return a ZIP archive of `directory`. The same files give the same bytes: sorted, without times, with modes."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in directory.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(directory).as_posix(), _EPOCH)
            entry.external_attr = (path.stat().st_mode & 0o777 | 0o100000) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return out.getvalue()


def publish(assets: Sequence[FileAsset], client: Clients) -> int:
    """Upload the missing assets and return their number. Raise `DeployFailed` ASSET_FAILED."""
    s3 = client("s3")
    published = 0
    for asset in assets:
        try:
            published += _publish_one(asset, s3)
        except (OSError, ClientError) as error:
            raise DeployFailed("ASSET_FAILED", f"{asset.source} to {asset.bucket}/{asset.key}: {error}") from error
    return published


def _publish_one(asset: FileAsset, s3: Any) -> int:
    if _exists(s3.head_bucket, Bucket=asset.bucket):
        if _exists(s3.head_object, Bucket=asset.bucket, Key=asset.key):
            return 0
    else:
        _create_bucket(asset.bucket, s3)
    body = zip_directory(asset.source) if asset.zipped else asset.source.read_bytes()
    s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=body)
    return 1


def _create_bucket(bucket: str, s3: Any) -> None:
    region = s3.meta.region_name
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **location)


def _exists(head: Callable[..., object], **params: str) -> bool:
    try:
        head(**params)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchBucket", "NoSuchKey", "NotFound"):
            return False
        raise
    return True


def deploy(
    stack: StackArtifact, parameters: Mapping[str, str], client: Clients, *, timeout: float = 300
) -> dict[str, str]:
    """Publish the assets of `stack`, create or update it, wait at most `timeout` seconds and return its outputs. An
    unchanged stack is not an error. Raise `DeployFailed`: ASSET_FAILED, or STACK_FAILED with the failed resources and
    their reasons."""
    publish(stack.assets, client)
    if stack.bootstrap:
        name, version = stack.bootstrap
        client("ssm").put_parameter(Name=name, Value=str(version), Type="String", Overwrite=True)
    cloudformation = client("cloudformation")
    request = {
        "StackName": stack.name,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": list(_CAPABILITIES),
    } | _template(stack, client)
    try:
        status = _status(stack.name, cloudformation)
        if status in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"):
            _delete(stack.name, cloudformation, timeout)
            status = None
        began = time.time()
        if not _change(cloudformation, request, "CREATE" if status is None else "UPDATE", timeout):
            return outputs(stack.name, cloudformation)
        return _wait(stack.name, cloudformation, began, timeout)
    except (ClientError, WaiterError) as error:
        raise DeployFailed("STACK_FAILED", f"{stack.name}: {error}") from error


def _template(stack: StackArtifact, client: Clients) -> dict[str, str]:
    body = stack.template.read_text()
    if len(body.encode()) <= _INLINE_TEMPLATE_BYTES or not stack.assets:
        return {"TemplateBody": body}
    bucket, key = stack.assets[0].bucket, f"templates/{stack.template.name}"
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
    return {"TemplateURL": f"{s3.meta.endpoint_url}/{bucket}/{key}"}


def _change(cloudformation: Any, request: dict[str, Any], kind: str, timeout: float) -> bool:
    """Start to create or update a stack and adopt what an earlier one retained, as the CDK CLI does with
    `--import-existing-resources`. Return False if there is nothing to change."""
    change_set = {"StackName": request["StackName"], "ChangeSetName": _CHANGE_SET}
    if kind == "UPDATE":
        cloudformation.delete_change_set(**change_set)  # left by an interrupted deployment
    cloudformation.create_change_set(**(request | change_set), ChangeSetType=kind, ImportExistingResources=True)
    deadline = time.monotonic() + timeout
    while (created := cloudformation.describe_change_set(**change_set))["Status"] != "CREATE_COMPLETE":
        reason = str(created.get("StatusReason", "no reason"))
        if created["Status"] == "FAILED" and any(text in reason for text in _UNCHANGED):
            return False
        if created["Status"] == "FAILED" or time.monotonic() > deadline:
            raise DeployFailed("STACK_FAILED", f"{request['StackName']}: {created['Status']}: {reason}")
        time.sleep(_POLL_SECONDS)
    cloudformation.execute_change_set(**change_set)
    return True


def _status(name: str, cloudformation: Any) -> str | None:
    try:
        stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return None if not stacks or stacks[0]["StackStatus"] == "DELETE_COMPLETE" else str(stacks[0]["StackStatus"])


def _delete(name: str, cloudformation: Any, timeout: float) -> None:
    cloudformation.delete_stack(StackName=name)
    deadline = time.monotonic() + timeout
    while _status(name, cloudformation) is not None:
        if time.monotonic() > deadline:
            raise DeployFailed("STACK_FAILED", f"{name}: its failed stack was not deleted within {timeout:.0f} s")
        time.sleep(_POLL_SECONDS)


def _wait(name: str, cloudformation: Any, began: float, timeout: float) -> dict[str, str]:
    deadline = time.monotonic() + timeout
    while True:
        status = _status(name, cloudformation)
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return outputs(name, cloudformation)
        if status is None or not status.endswith("_IN_PROGRESS"):
            raise DeployFailed("STACK_FAILED", f"{name} is {status}:\n{failures(name, cloudformation, began)}")
        if time.monotonic() > deadline:
            raise DeployFailed("STACK_FAILED", f"{name} is still {status} after {timeout:.0f} s")
        time.sleep(_POLL_SECONDS)


def outputs(name: str, cloudformation: Any) -> dict[str, str]:
    """Return the outputs of an existing stack."""
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def failures(name: str, cloudformation: Any, since: float) -> str:
    """Return the resources of a stack that failed after `since` (seconds since 1970), one per line, oldest first."""
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    lines = [
        f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"].timestamp() >= since - 2
    ]
    return "\n".join(lines) or "  no resource reports a reason"
