"""Profiles are read from a directory. YAML whose result its author may not expect is rejected."""

from pathlib import Path

import pytest

from infra.profile_files import DIRECTORY, read_profiles
from lobby.errors import InvalidInput

DEFAULT = b"policy:\n  - actions: [iot:Publish]\n    resources: ['topic/app/${thing}']\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "default.yaml").write_bytes(DEFAULT)
    return tmp_path


def test_the_projects_own_profiles_are_valid() -> None:
    profile = read_profiles(DIRECTORY).get("default")
    assert [each.shared for each in profile.statements] == [False, False, False]


def test_a_profile_is_added_by_a_file(directory: Path) -> None:
    (directory / "gateway.yaml").write_text("thing_groups: [gateways]\nbilling_group: 'no'\n")
    found = read_profiles(directory)
    assert sorted(found.by_name) == ["default", "gateway"]
    assert (found.thing_groups(), found.billing_groups()) == (("gateways",), ("no",))


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + DEFAULT, DEFAULT.replace(b"\n", b"\r\n")], ids=["BOM", "CRLF"])
def test_files_of_windows_editors_are_read(directory: Path, content: bytes) -> None:
    (directory / "gateway.yaml").write_bytes(content)
    assert read_profiles(directory).get("gateway").statements == read_profiles(directory).get("default").statements


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "got 0 YAML documents, want one"),
    "only a comment": (b"# nothing\n", "got 0 YAML documents, want one"),
    "text": (b"hello", "content: got 'hello'"),
    "two documents": (b"{}\n---\n{}\n", "got 2 YAML documents, want one"),
    "not YAML": (b"a: [", "got text that is not valid YAML"),
    "tab": (b"a:\n\t- b\n", "got text that is not valid YAML"),
    "UTF-16": ("policy: []".encode("utf-16"), "got bytes that are not UTF-8"),
    "NUL": (b"a: \x00", "got text that is not valid YAML"),
    "field twice": (b"billing_group: a\nbilling_group: b\n", "line 2: got field 'billing_group' a second time"),
    "nested field twice": (b"attributes:\n  a: x\n  a: y\n", "line 3: got field 'a' a second time"),
    "alias": (b"thing_groups: &a [x]\nbilling_group: *a\n", "line 1: got an anchor or alias"),
    "bomb": (b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "line 1: got an anchor or alias"),
    "merge": (b"<<: &a {billing_group: x}\n", "got an anchor or alias"),
    "Python object": (b"a: !!python/object/apply:os.system [id]\n", "got tag"),
    "own tag": (b"a: !Sub x\n", "got tag '!Sub', want none"),
    "YAML's yes": (b"billing_group: yes\n", "billing_group: got True"),
    "a number": (b"attributes: {model: 1_000}\n", "attributes.model: got 1000"),
    "a date": (b"attributes: {made: 2026-11-29}\n", "attributes.made: got datetime.date(2026, 11, 29)"),
    "an impossible date": (b"attributes: {made: 2026-13-29}\n", "got text that is not valid YAML (ValueError"),
    "list as a field": (b"? [a]\n: b\n", "got text that is not valid YAML"),
    "deep": (b"a: " + b"[" * 1000, "got text that is not valid YAML"),
    "large": (b"#" * 70_000, "got more than 65536 bytes"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_reported_by_name(directory: Path, case: str) -> None:
    content, message = HOSTILE[case]
    (directory / "gateway.yaml").write_bytes(content)
    with pytest.raises(InvalidInput, match="INVALID_PROFILES") as raised:
        read_profiles(directory)
    assert message in raised.value.message
    assert raised.value.message.startswith(f"{directory}/gateway.yaml: ")


@pytest.mark.parametrize("name", ["gateway.yml", "gateway.YAML", "gateway", "gateway.yaml.bak", "gateway.json"])
def test_no_file_is_ignored_because_of_its_name(directory: Path, name: str) -> None:
    (directory / name).write_bytes(DEFAULT)
    with pytest.raises(InvalidInput, match=r"want only files <profile>\.yaml in this directory"):
        read_profiles(directory)


def test_a_folder_is_no_profile(directory: Path) -> None:
    (directory / "gateway.yaml").mkdir()
    with pytest.raises(InvalidInput, match="want only files"):
        read_profiles(directory)


def test_the_default_profile_must_exist(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_bytes(DEFAULT)
    with pytest.raises(InvalidInput, match=r"got no .*/default.yaml, want it"):
        read_profiles(tmp_path)


def test_a_missing_directory_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="want a directory with profiles"):
        read_profiles(tmp_path / "none")


def test_problems_of_several_files_are_reported_together(directory: Path) -> None:
    (directory / "a.yaml").write_bytes(b"a: [")
    (directory / "b.yaml").write_bytes(b"billing_group: 5")
    with pytest.raises(InvalidInput) as raised:
        read_profiles(directory)
    lines = raised.value.message.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [f"{directory}/a.yaml", f"{directory}/b.yaml"]


def test_what_cannot_be_read_is_reported(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    for method, got in (("open", "default.yaml: got a file that cannot be read"), ("iterdir", f"got {directory}")):
        with monkeypatch.context() as patch:
            patch.setattr(Path, method, refuse)
            with pytest.raises(InvalidInput, match=rf"{got} \(Permission denied\)"):
                read_profiles(directory)
