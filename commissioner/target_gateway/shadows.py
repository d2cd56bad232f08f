"""The shadows of a thing in one target: all are read, written or deleted.

AWS IoT allows 20 requests per second for the shadows of a thing, and the device shares this limit, so `pause` is called
before each request. A shadow is written on condition that it still has the version that was read. A shadow that was
written after the move was requested is kept, because the device or its application may have written it. So a late or
repeated copy never replaces newer data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from commissioner.errors import TargetRefusal
from commissioner.target_gateway.error_translation import NOT_FOUND, code_of, message_of
from lobby.domain.shadows.shadow_documents import Shadow, State, is_same, parse_shadow, updates, with_version
from lobby.errors import InvalidInput
from lobby.names import ThingName

if TYPE_CHECKING:
    from types_boto3_iot_data import IoTDataPlaneClient

MAX_SHADOWS: Final = 30
"""The maximum number of shadows of a thing, including the classic one, which limits the work on one device."""
CLASSIC: Final = ""
"""The placeholder for the name of the classic shadow, which has no name in AWS IoT."""
_CHANGED: Final = "ConflictException"
_REJECTED: Final = {
    "InvalidRequestException",
    "RequestEntityTooLargeException",
    "UnsupportedDocumentEncodingException",
    "MethodNotAllowedException",
}
_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class Copied:
    """How many shadows were written, already had the same state, or were kept because they are newer."""

    written: int = 0
    same: int = 0
    kept: int = 0


class ShadowsOfThing:
    """`iot_data` is the client of the target's endpoint. Every method raises `ClientError`, and `TargetRefusal`
    TARGET_SHADOWS_REFUSED if no repetition can succeed."""

    def __init__(self, iot_data: "IoTDataPlaneClient", name: ThingName, pause: Callable[[], None]) -> None:
        self._iot_data, self._name, self._pause = iot_data, name, pause

    def read(self) -> dict[str, State]:
        """Return the state of each shadow that has one."""
        found = {name: self._get(name) for name in (CLASSIC, *self._names())}
        return {name: shadow.state for name, shadow in found.items() if shadow is not None and shadow.state}

    def write(self, wanted: Mapping[str, State], since: str) -> Copied:
        """Write these states to the shadows. Other shadows stay. `since`: when the move was requested."""
        results = [self._write(name, state, since) for name, state in wanted.items()]
        return Copied(results.count("written"), results.count("same"), results.count("kept"))

    def delete(self) -> int:
        """Delete all shadows, and return how many there were."""
        return sum(self._delete(name) for name in (CLASSIC, *self._names()))

    def _names(self) -> list[str]:
        names: list[str] = []
        more: dict[str, Any] = {}
        while True:
            page = self._call("list_named_shadows_for_thing", {"pageSize": 100, **more})
            names += page.get("results", []) if page else []
            if len(names) >= MAX_SHADOWS:
                raise _refused(f"got more than {MAX_SHADOWS} shadows of thing {self._name}")
            if page is None or not page.get("nextToken"):
                return names
            more = {"nextToken": page["nextToken"]}

    def _get(self, name: str) -> Shadow | None:
        answer = self._call("get_thing_shadow", _named(name))
        if answer is None:
            return None
        try:
            return parse_shadow(answer["payload"].read())
        except InvalidInput as error:
            raise _refused(f"{error.message} as shadow {name or 'without name'} of thing {self._name}") from error

    def _write(self, name: str, wanted: State, since: str) -> str:
        for _ in range(_ATTEMPTS):
            present = self._get(name)
            if present is not None and is_same(present.state, wanted):
                return "same"
            if present is not None and present.is_written_since(since):
                return "kept"
            if self._update(name, present or Shadow(), wanted):
                return "written"
        raise ClientError({"Error": {"Code": _CHANGED, "Message": "keeps changing"}}, "UpdateThingShadow")

    def _update(self, name: str, present: Shadow, wanted: State) -> bool:
        """Return whether the shadow was written; False if it has changed since it was read."""
        version = present.version
        for request in updates(present.state, wanted):
            try:
                self._call("update_thing_shadow", {**_named(name), "payload": with_version(request, version)})
            except ClientError as error:
                if code_of(error) != _CHANGED:
                    raise
                return False
            version = None if version is None else version + 1
        return True

    def _delete(self, name: str) -> bool:
        return self._call("delete_thing_shadow", _named(name)) is not None

    def _call(self, method: str, parameters: dict[str, Any]) -> Any:
        """Return the response; None if the shadow, or its thing, does not exist."""
        self._pause()
        try:
            return getattr(self._iot_data, method)(thingName=self._name, **parameters)
        except ClientError as error:
            if code_of(error) == NOT_FOUND:
                return None
            if code_of(error) in _REJECTED:
                message = f"got {code_of(error)} from {error.operation_name} ({message_of(error)})"
                raise _refused(f"{message} for thing {self._name}") from error
            raise


def _named(name: str) -> dict[str, str]:
    return {"shadowName": name} if name else {}


def _refused(message: str) -> TargetRefusal:
    return TargetRefusal.with_advice("TARGET_SHADOWS_REFUSED", message)
