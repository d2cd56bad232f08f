"""The names inside MiniStack that the patches use, and the check that they still exist.

Each patch module lists its patch points: a module, a name in it and, for a function, the parameters that the patch
expects. All of them and the pinned version of MiniStack are checked before the emulator starts. A renamed or changed
internal therefore causes an error at start-up instead of an unnoticed change of behaviour.
"""

import importlib
import importlib.metadata
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from infra.local.errors import PatchPointMoved

MINISTACK_VERSION: Final = "1.5.33"
_MOVED: Final = "PATCH_POINT_MOVED"


@dataclass(frozen=True)
class PatchPoint:
    """One name in a module of the emulator. `parameters` is None if it is not a function."""

    module: str
    name: str
    parameters: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"

    def resolve(self) -> Any:
        """Return the object with this name. Raise `PatchPointMoved` if there is none."""
        try:
            value: Any = importlib.import_module(self.module)
            for part in self.name.split("."):
                value = getattr(value, part)
        except (ImportError, AttributeError):
            raise PatchPointMoved(_MOVED, f"got no {self}, want the one of MiniStack {MINISTACK_VERSION}") from None
        return value

    def check(self) -> None:
        """Raise `PatchPointMoved` unless the name exists and has the expected parameters."""
        value = self.resolve()
        if self.parameters is not None:
            self._check_parameters(value)

    def _check_parameters(self, value: object) -> None:
        if not callable(value):
            raise PatchPointMoved(_MOVED, f"got {self} of type {type(value).__name__}, want a function")
        got = tuple(inspect.signature(value).parameters)
        if got != self.parameters:
            raise PatchPointMoved(_MOVED, f"got {self}({', '.join(got)}), want ({', '.join(self.parameters or ())})")

    def wrap(self, make: Callable[[Any], Callable[..., Any]]) -> None:
        """Replace the function with `make(original)`."""
        *path, last = self.name.split(".")
        owner: Any = importlib.import_module(self.module)
        for part in path:
            owner = getattr(owner, part)
        setattr(owner, last, make(self.resolve()))


def check(patch_points: Iterable[PatchPoint], version: str | None = None) -> None:
    """Raise `PatchPointMoved`, with every patch point that does not match, unless the patches fit this MiniStack."""
    installed = version or importlib.metadata.version("ministack")
    if installed != MINISTACK_VERSION:
        raise PatchPointMoved(_MOVED, f"got MiniStack {installed}, want {MINISTACK_VERSION}, which the patches are for")
    moved = []
    for patch_point in patch_points:
        try:
            patch_point.check()
        except PatchPointMoved as error:
            moved.append(error.message)
    if moved:
        raise PatchPointMoved(_MOVED, "; ".join(moved))
