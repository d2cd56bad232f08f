"""The digest of an assembly's inputs decides whether it is synthesized again."""

from pathlib import Path

import pytest

from infra.local.synthesis import digest_of

CONTEXT = {"local": "true", "consoleUrl": "http://127.0.0.1:4567/"}
INPUTS = (
    "cdk.json",
    "infra/app.py",
    "lobby/py.typed",
    "requirements/core.txt",
    "admin_api/web/pages.py",
    "admin_api/console/dist/index.html",
    "admin_api/console/dist/assets/app-1.js.br",
    "admin_api/console/earlier/assets/app-0.js",
)
OTHER_FILES = (
    "infra/local/ministack/patches.py",
    "admin_api/console/src/app.json",
    "admin_api/console/node_modules/x/index.json",
    "lobby/__pycache__/x.txt",
    "lobby/notes.md",
    "tests/test_x.py",
)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in a folder whose name is that of an excluded folder."""
    project = tmp_path / "local"
    for name in (*INPUTS, *OTHER_FILES):
        write(project, name, "unchanged")
    return project


@pytest.mark.parametrize("name", INPUTS)
def test_a_changed_input_changes_the_digest(root: Path, name: str) -> None:
    before = digest_of(CONTEXT, root)
    write(root, name, "changed")
    assert digest_of(CONTEXT, root) != before


@pytest.mark.parametrize("name", OTHER_FILES)
def test_a_change_of_another_file_keeps_the_digest(root: Path, name: str) -> None:
    before = digest_of(CONTEXT, root)
    write(root, name, "changed")
    assert digest_of(CONTEXT, root) == before


def test_an_added_removed_or_moved_input_changes_the_digest(root: Path) -> None:
    digests = [digest_of(CONTEXT, root)]
    write(root, "admin_api/console/dist/assets/app-2.js", "new")
    digests.append(digest_of(CONTEXT, root))
    (root / "admin_api/console/dist/assets/app-2.js").rename(root / "admin_api/console/dist/app-2.js")
    digests.append(digest_of(CONTEXT, root))
    (root / "lobby/py.typed").unlink()
    digests.append(digest_of(CONTEXT, root))
    assert len(set(digests)) == 4


def test_another_console_url_changes_the_digest(root: Path) -> None:
    elsewhere = CONTEXT | {"consoleUrl": "http://127.0.0.1:4568/"}
    assert digest_of(elsewhere, root) != digest_of(CONTEXT, root)


def test_a_console_that_is_not_built_is_accepted(root: Path) -> None:
    for path in sorted((root / "admin_api/console").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert digest_of(CONTEXT, root) == digest_of(CONTEXT, root)
