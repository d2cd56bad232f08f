"""A disk that refuses: the real system calls, or a platter's, with an error at some of them until it is mended."""

import errno
import os
from collections.abc import Callable, Collection
from typing import Any, cast

from device.disk import Calls

ERRORS = ("ENOSPC", "EROFS", "EACCES", "EIO", "EDQUOT", "EMFILE", "ELOOP", "ENAMETOOLONG", "ENOTDIR", "ESTALE", "EPERM")
"""Full, read-only, forbidden, broken, over quota, out of handles, mistaken: what open(2) and its kin can say."""
CALLS = ("open", "read", "write", "fsync", "close", "replace", "unlink", "mkdir", "access")


class Refusals:
    """Refuses the named calls with `error`, so many `times`."""

    def __init__(self, names: Collection[str], error: str, times: float = float("inf"), real: object = os) -> None:
        self._names, self._number, self._times, self._real = names, getattr(errno, error), times, real
        self.refused = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(self._real, name)

        def call(*args: object) -> Any:
            if name in self._names and self.refused < self._times:
                self.refused += 1
                if name == "close":
                    real(*args)  # the handle is gone all the same
                raise OSError(self._number, os.strerror(self._number))
            return real(*args)

        return call

    @property
    def calls(self) -> Calls:
        return cast(Calls, self)

    def mend(self) -> None:
        self._names = ()
