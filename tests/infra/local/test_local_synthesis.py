"""When an assembly is made anew, and when the one that is there will do."""

from pathlib import Path

import pytest

from infra.local.synthesis import digest_of

CONTEXT = {"local": "true", "consoleUrl": "http://127.0.0.1:4567/"}
FILES = (
    "cdk.json",
    "infra/app.py",
    "lobby/py.typed",
    "requirements/core.txt",
    "admin_api/web/pages.py",
    "admin_api/console/dist/index.html",
    "admin_api/console/dist/assets/app-1.js.br",
)
APART = (
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
    """A project in a folder whose name is one of those that are left out."""
    project = tmp_path / "local"
    for name in (*FILES, *APART):
        write(project, name, "as it was")
    return project


@pytest.mark.parametrize("name", FILES)
def test_what_goes_into_the_assembly_makes_it_anew(root: Path, name: str) -> None:
    before = digest_of(CONTEXT, root)
    write(root, name, "changed")
    assert digest_of(CONTEXT, root) != before


@pytest.mark.parametrize("name", APART)
def test_what_does_not_go_into_it_leaves_it_as_it_is(root: Path, name: str) -> None:
    before = digest_of(CONTEXT, root)
    write(root, name, "changed")
    assert digest_of(CONTEXT, root) == before


def test_a_file_that_is_new_gone_or_elsewhere_makes_it_anew(root: Path) -> None:
    seen = [digest_of(CONTEXT, root)]
    write(root, "admin_api/console/dist/assets/app-2.js", "new")
    seen.append(digest_of(CONTEXT, root))
    (root / "admin_api/console/dist/assets/app-2.js").rename(root / "admin_api/console/dist/app-2.js")
    seen.append(digest_of(CONTEXT, root))
    (root / "lobby/py.typed").unlink()
    seen.append(digest_of(CONTEXT, root))
    assert len(set(seen)) == 4


def test_another_address_of_the_console_makes_it_anew(root: Path) -> None:
    elsewhere = CONTEXT | {"consoleUrl": "http://127.0.0.1:4568/"}
    assert digest_of(elsewhere, root) != digest_of(CONTEXT, root)


def test_a_console_that_was_never_built_is_no_obstacle(root: Path) -> None:
    for path in sorted((root / "admin_api/console").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert digest_of(CONTEXT, root) == digest_of(CONTEXT, root)
