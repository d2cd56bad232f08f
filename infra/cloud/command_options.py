"""The options that several commands of the command line for AWS share, with their help texts.

Each command has its own defaults. The values follow the rules of the CDK app's settings (`infra.settings`).
"""

from typing import Annotated

import typer

from lobby.domain.connections.clones import ClonePolicy

Profile = Annotated[str | None, typer.Option(help="AWS profile. [default: the environment's credentials]")]
AnyRegion = Annotated[str | None, typer.Option(help="Region. [default: the environment's, or the profile's]")]
RemoveLeftThings = Annotated[
    bool,
    typer.Option(
        "--remove-left-things",
        help="Remove the thing and certificate of a device that has left a target, instead of marking its thing."
        " For the lobby and its targets.",
    ),
]
ArchiveDays = Annotated[
    int | None,
    typer.Option(
        min=1, max=36_500, help="Archive events in S3 for these days (docs/archive.md). [default: no archive]"
    ),
]
SigningKeys = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ARN",
        help="A key in KMS that enrolments may name to sign certificates of devices. Repeatable, at most 8.",
    ),
]
RegistryEvents = Annotated[
    bool,
    typer.Option(
        "--registry-events", help="Let AWS IoT publish an event for each change of a thing, thing type or thing group."
    ),
]
Regions = Annotated[
    str | None,
    typer.Option(help="Regions of the lobby, with commas. Each is a door; the first becomes home. [default: one]"),
]
RemovedRegions = Annotated[
    str | None,
    typer.Option(help="All Regions of the lobby, with commas, as for `aws`. [default: the one Region]"),
]
RemoveRegion = Annotated[
    str | None,
    typer.Option(help="Delete the replicas in this Region, whose stack was destroyed. --regions lists the others."),
]
LobbyRegions = Annotated[
    str | None,
    typer.Option("--lobby-regions", help="All Regions of a lobby with several, with commas, --lobby-region first."),
]
AdminEmail = Annotated[str | None, typer.Option(help="Invite this user as the first admin.")]
LogRetentionDays = Annotated[int, typer.Option(help="Retention of logs, in days.")]
AnchorDays = Annotated[
    int,
    typer.Option(
        min=1,
        max=36_500,
        help="Days during which no one can delete anchors of histories or their bucket; 1 for a trial.",
    ),
]
RegistrationsPerSecond = Annotated[
    int, typer.Option(min=1, max=50, help="Devices to admit per second: the account's quotas of AWS IoT.")
]
CampaignApprovalAbove = Annotated[
    int, typer.Option(min=0, max=99_999, help="Devices that a campaign may change without a second user.")
]
ClaimLimits = Annotated[
    str, typer.Option(help="Limits of a technician: devices a minute/devices an hour/wrong codes an hour.")
]
ClonePolicyOption = Annotated[
    ClonePolicy, typer.Option(help="Policy for devices whose certificates seem to be in use twice.")
]
UserPool = Annotated[
    str | None, typer.Option(help="Use this Cognito user pool. [default: create one, or keep that of the stack]")
]
Domain = Annotated[
    str | None, typer.Option(help="A domain of your own for the devices' endpoint, such as lobby.example.com.")
]
DomainCertificate = Annotated[
    str | None, typer.Option(help="The ARN of the domain's certificate in ACM, in this account and Region.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
