"""The expected failures of `infra`, as one tree with stable codes.

lobby.errors.LobbyError
└── InfraError
    ├── BadContext      missing or invalid settings, all in one message: BAD_CONTEXT
    ├── BundleFailed    a Lambda's code cannot be bundled: NO_INSTALLER, INSTALL_FAILED, COMPILE_FAILED,
    │                   FILE_TOO_LARGE, BUNDLE_TOO_LARGE, NOT_BUILT
    ├── WrongAccount    (`infra.cloud.account`) NO_CREDENTIALS, NO_REGION, WRONG_ACCOUNT, WRONG_REGION,
    │                   WRONG_PARTITION, LOBBY_IN_REGION
    ├── CdkFailed       (`infra.cloud.cdk`) SYNTH_FAILED, CDK_FAILED
    ├── WrongRegions    (`infra.cloud.lobby_regions`) WRONG_REGIONS, REGIONS_MISSING, REGION_REMOVED, FIRST_REGION
    ├── RegionNotReady  (`infra.regions.steps`) NO_REPLICA, NO_HOME
    ├── UserExists      (`infra.cloud.first_admin`) USER_EXISTS
    ├── RoleUnknown     (`infra.cloud.role_upgrade`) ROLE_UNKNOWN
    ├── BadUserPool     (`infra.cloud.user_pool`) INVALID_USER_POOL, UNKNOWN_USER_POOL, OPEN_USER_POOL,
    │                    LITE_USER_POOL
    ├── StackNotDeleted (`infra.teardown.stacks`) STACK_NOT_DELETED, STACK_NOT_UPDATED
    └── NotRemoved      (`infra.teardown.target`) DEVICES_LEFT, POLICY_IN_USE, ROLE_IN_STACK
"""

from lobby.errors import LobbyError


class InfraError(LobbyError):
    """Base of the expected failures of `infra`."""


class BadContext(InfraError):
    """The CDK app's context has missing or invalid settings."""


class BundleFailed(InfraError):
    """The code of a Lambda could not be bundled; no incomplete bundle is left behind."""
