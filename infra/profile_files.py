"""Reads device profiles from a directory: `<name>.yaml` is the profile `<name>`.

The project's directory is `infra/profiles`; an operator edits it or specifies another one instead. The files are a
restricted subset of YAML: no tags, no anchors, and each field once, because PyYAML would silently keep the last one. A
file that is not a profile is an error, so that no profile is ignored because of its name.
"""

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from lobby.domain.targets.profile import Profiles
from lobby.domain.targets.profile_rules import parse_profiles
from lobby.errors import InvalidInput
from lobby.names import shown

DIRECTORY: Final = Path(__file__).resolve().parent / "profiles"
_SUFFIX: Final = ".yaml"
_IGNORED: Final = frozenset({"README.md", "__pycache__", ".DS_Store", ".gitkeep"})
_MAX_BYTES: Final = 64 * 1024


class _Rejected(Exception):
    """A file's content is not accepted. The message states why."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """A YAML loader that rejects anchors, tags and repeated fields, whose results its author may not expect."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Rejected(f"line {event.start_mark.line + 1}: got an anchor or alias, want each value written out")
        if getattr(event, "tag", None):
            raise _Rejected(f"line {event.start_mark.line + 1}: got tag {shown(event.tag)}, want none")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        fields: set[object] = set()
        for key, _ in node.value:
            if key.value in fields:
                line = key.start_mark.line + 1
                raise _Rejected(f"line {line}: got field {shown(key.value)} a second time, want each field once")
            fields.add(key.value)
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def read_profiles(directory: Path = DIRECTORY) -> Profiles:
    """Return the profiles in `directory`. Raise `InvalidInput` INVALID_PROFILES, which names every problem."""
    problems: list[str] = []
    contents: dict[str, Any] = {}
    try:
        paths = sorted(directory.iterdir())
    except OSError as error:
        reason = f" ({error.strerror})" if directory.is_dir() else ""
        message = f"got {directory}{reason}, want a directory with profiles, such as default.yaml"
        raise InvalidInput("INVALID_PROFILES", message) from None
    for path in paths:
        if path.name in _IGNORED:
            continue
        try:
            contents[path.stem] = _content(path)
        except _Rejected as error:
            problems.append(f"{path}: {error}")
            contents[path.stem] = {}  # so that the other problems are also found
    try:
        profiles = parse_profiles(contents, lambda name: str(directory / f"{name}{_SUFFIX}"))
    except InvalidInput as error:
        raise InvalidInput(error.code, "\n".join([*problems, error.message])) from None
    if problems:
        raise InvalidInput("INVALID_PROFILES", "\n".join(problems))
    return profiles


def unknown_profiles(profiles: Profiles, named: Iterable[Iterable[str]]) -> list[str]:
    """Return a message for each profile that targets name (`named`) and the directory does not have."""
    known = profiles.by_name
    want = f"one of {', '.join(sorted(known))}, or the directory that has it in profiles (--profiles-from)"
    missing = sorted({name for names in named for name in names if name not in known})
    return [f"targets: got profile {name}, want {want}" for name in missing]


def _content(path: Path) -> Any:
    if path.suffix != _SUFFIX or not path.is_file():
        raise _Rejected(f"got {shown(path.name)}, want only files <profile>.yaml in this directory")
    try:
        with path.open("rb") as opened:
            content = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _Rejected(f"got a file that cannot be read ({error.strerror})") from None
    if len(content) > _MAX_BYTES:
        raise _Rejected(f"got more than {_MAX_BYTES} bytes, want at most that")
    try:
        documents = list(yaml.load_all(content.decode("utf-8-sig"), Loader=_Loader))  # a SafeLoader
    except UnicodeDecodeError as error:
        raise _Rejected(f"got bytes that are not UTF-8 at position {error.start}, want UTF-8") from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise _Rejected(f"got text that is not valid YAML ({type(error).__name__}: {reason})") from None
    if len(documents) != 1:
        raise _Rejected(f"got {len(documents)} YAML documents, want one")
    return documents[0]
