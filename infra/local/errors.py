"""The expected failures of the local cloud.

LocalCloudError
├── PatchPointMoved PATCH_POINT_MOVED: MiniStack's internals differ from those that the patches are for
├── StartFailed     PORT_TAKEN, STATE_IN_USE, NO_DEPLOYMENT, NOT_RUNNING, EXITED, NOT_READY,
│                   FEWER_REGIONS: not started
└── DeployFailed    BAD_ASSEMBLY, ASSET_FAILED, STACK_FAILED, NOT_COUNTED, NOT_ANCHORED, NO_HOME: a stack, an
                    upgrade, or the home of a lobby with several Regions
"""


class LocalCloudError(Exception):
    """Base of all expected failures. `code` is stable; `message` explains the failure to the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class PatchPointMoved(LocalCloudError):
    """A name or signature inside the emulator differs from the one that a patch replaces."""


class StartFailed(LocalCloudError):
    """The emulator or the deployment is not running. Its state is unchanged."""


class DeployFailed(LocalCloudError):
    """A stack, one of its assets, or an upgrade of the ledger failed. The message contains the cause."""
