"""Deletes CloudFormation stacks, or reduces them to what devices that stay need: IoT policies, thing types and groups.

CloudFormation cannot delete an IoT policy that is attached, so the stack is deleted after its devices. Every function
can be repeated, even while an earlier deletion is in progress.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from infra.errors import InfraError
from lobby import strict_json
from lobby.names import Target

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

IOT_POLICY: Final = "AWS::IoT::Policy"
THING_TYPE: Final = "AWS::IoT::ThingType"
ROLE: Final = "AWS::IAM::Role"
_OF_DEVICES: Final = frozenset({IOT_POLICY, THING_TYPE, "AWS::IoT::ThingGroup", "AWS::IoT::BillingGroup"})
"""Resources that the registrations of devices refer to. CloudFormation would deprecate a thing type that has things,
fail to delete it, and leave it outside the stack, so that the next deployment could not create it. Without their
groups, things would lose the policies of these groups."""
_DELETED: Final = "DELETE_COMPLETE"
_CAPABILITIES: Final = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
_TIMEOUT: Final = 3600.0
POLL: Final = 2.0
_INLINE_BYTES: Final = 51_200
"""The longest template in a request (API reference, UpdateStack). One in a bucket can have 1 MB."""


class StackNotDeleted(InfraError):
    """CloudFormation could not delete or update a stack: STACK_NOT_DELETED, STACK_NOT_UPDATED."""


@dataclass(frozen=True)
class Stack:
    """A stack in one account and Region. `poll` is in seconds. `upload` stores a template that is too long for a
    request and returns its URL."""

    cloudformation: "CloudFormationClient"
    name: str
    sleep: Callable[[float], None] = time.sleep
    poll: float = POLL
    upload: Callable[[str], str] | None = None

    def status(self) -> str | None:
        """Return the status, or None if there is no such stack."""
        try:
            stacks = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return next((str(each["StackStatus"]) for each in stacks if each["StackStatus"] != _DELETED), None)

    def resources(self, kind: str) -> list[str]:
        """Return the physical ids of the stack's resources of a type; none if there is no such stack."""
        return [each["PhysicalResourceId"] for each in self._resources() if each["ResourceType"] == kind]

    def outputs(self) -> dict[str, str]:
        """Return the outputs of an existing stack."""
        stack = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    def retained(self) -> list[str]:
        """Return type and physical id of the resources that the stack's deletion retains."""
        kept = {
            name
            for name, each in self.template().get("Resources", {}).items()
            if str(each.get("DeletionPolicy", "")).startswith("Retain")
        }
        return [
            f"{each['ResourceType'].removeprefix('AWS::')} {each['PhysicalResourceId']}"
            for each in self._resources()
            if each["LogicalResourceId"] in kept
        ]

    def delete(self, report: Callable[[str], None]) -> None:
        """Delete the stack and wait. Raise `StackNotDeleted` with the resources that could not be deleted."""
        if self.status() is None:
            return
        report(f"deleting the stack {self.name}")
        self.cloudformation.delete_stack(StackName=self.name)
        status = self._wait()
        if status is not None:
            raise StackNotDeleted("STACK_NOT_DELETED", f"{self.name} is {status}: {self._failures()}")
        report(f"stack {self.name} deleted")

    def reduce_for_devices(self, report: Callable[[str], None]) -> None:
        """Delete everything in the stack except what the registrations of devices refer to. Raise
        `StackNotDeleted`."""
        resources = self.template().get("Resources", {})
        self.update(
            {
                "Description": f"{self.name}, removed except for the resources of its devices",
                "Resources": {
                    name: {key: value for key, value in each.items() if key in ("Type", "Properties")}
                    for name, each in resources.items()
                    if each["Type"] in _OF_DEVICES
                },
            }
        )
        report(f"stack {self.name} reduced to the IoT policies, thing types and groups that its devices need")

    def update(self, template: Mapping[str, Any]) -> None:
        """Update the stack to a template and wait. Raise `StackNotDeleted` STACK_NOT_UPDATED."""
        body = json.dumps(template, separators=(",", ":"))
        is_long = len(body) > _INLINE_BYTES  # ASCII
        source = {"TemplateURL": self.upload(body)} if self.upload and is_long else {"TemplateBody": body}
        try:
            self.cloudformation.update_stack(
                StackName=self.name,
                Capabilities=_CAPABILITIES,  # type: ignore[arg-type]
                **source,  # type: ignore[arg-type]
            )
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
        status = self._wait()
        if status is None or not status.endswith("_COMPLETE") or "ROLLBACK" in status:
            raise StackNotDeleted("STACK_NOT_UPDATED", f"{self.name} is {status}: {self._failures()}")

    def _wait(self) -> str | None:
        """Wait until no operation is in progress and return the status."""
        for _ in range(int(_TIMEOUT / self.poll)):
            status = self.status()
            if status is None or not status.endswith("_IN_PROGRESS"):
                return status
            self.sleep(self.poll)
        return self.status()

    def _failures(self) -> str:
        """Return the resources that failed in the last operation, with the reasons."""
        failed: list[str] = []
        for each in self.cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]:
            is_stack = each.get("PhysicalResourceId") == each["StackId"]
            if is_stack and each["ResourceStatus"].endswith("_IN_PROGRESS"):
                break  # the start of the operation; events are ordered newest first
            if not is_stack and each["ResourceStatus"].endswith("_FAILED"):
                failed.append(f"{each['LogicalResourceId']} ({each.get('ResourceStatusReason', 'no reason')})")
        return "; ".join(failed) or "see its events"

    def _resources(self) -> Iterator[Mapping[str, Any]]:
        if self.status() is None:
            return
        for page in self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name):
            for each in page["StackResourceSummaries"]:
                if each["ResourceStatus"] != _DELETED and each.get("PhysicalResourceId"):
                    yield each

    def template(self) -> dict[str, Any]:
        """Return the template; an empty one if there is no such stack."""
        if self.status() is None:
            return {}
        body: Any = self.cloudformation.get_template(StackName=self.name)["TemplateBody"]
        return dict(strict_json.loads(body) if isinstance(body, str) else body)


def upload_to(session: Any, where: Target, name: str) -> Callable[[str], str]:
    """Return a function that stores the template of a stack in the bucket of the CDK's bootstrap, as the CDK CLI does,
    and returns its URL."""

    def upload(template: str) -> str:
        s3 = session.client("s3")
        bucket, key = f"cdk-hnb659fds-assets-{where.account}-{where.region}", f"{name}-reduced.json"
        s3.put_object(Bucket=bucket, Key=key, Body=template.encode(), ExpectedBucketOwner=where.account)
        return f"{s3.meta.endpoint_url}/{bucket}/{key}"

    return upload
