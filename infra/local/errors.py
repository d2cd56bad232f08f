"""What can go wrong with the local cloud.

LocalCloudError
├── SeamMoved       SEAM_MOVED: the emulator's internals are not those that our layer was written for
├── StartFailed     PORT_TAKEN, STATE_IN_USE, NO_DEPLOYMENT, EXITED, NOT_READY: the emulator did not come up
└── DeployFailed    BAD_ASSEMBLY, ASSET_FAILED, STACK_FAILED, NOT_COUNTED: a stack could not be deployed
"""


class LocalCloudError(Exception):
    """Base of all expected failures. `code` is stable; `message` is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class SeamMoved(LocalCloudError):
    """A name or signature inside the emulator is not what our layer wraps."""


class StartFailed(LocalCloudError):
    """The emulator is not running; nothing of its state was changed."""


class DeployFailed(LocalCloudError):
    """A stack, one of its assets, or what follows it could not be done; the message says what failed."""
