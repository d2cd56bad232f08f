"""The files of the built console, and the content coding of a response."""

from pathlib import Path

import pytest

from admin_api.web.built_console import BuiltConsole, chosen_coding


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("GZip", "gzip"),
        ("deflate, zstd", None),
        ("*", "br"),
        ("*;q=0", None),
        ("br;q=0, *", "gzip"),
        ("br;q=0", None),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br;q=0.8, gzip;q=0.8", "br"),
        ("br;q=0.001", "br"),
        ("gzip, identity", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0.5, identity;q=0.3", "gzip"),
        ("identity;q=0", None),
        (" br ; q = 1.0 ,gzip;q=1", "br"),
        ("br;q=1.001, gzip", "gzip"),
        ("br;q=-1, gzip", "gzip"),
        ("br;q=nan, gzip", "gzip"),
        ("br;q=, gzip", "gzip"),
        ("br;level=1, gzip", "gzip"),
        ("brotli, x-br, xgzip", None),
        (",,;;q=1,", None),
        ("br," * 10_000, "br"),
    ],
    ids=range(27),
)
def test_the_best_accepted_coding_is_chosen(accept_encoding: str | None, coding: str | None) -> None:
    assert chosen_coding(accept_encoding, ["br", "gzip"]) == coding


def test_a_file_without_compressed_variants_is_served_uncompressed() -> None:
    assert chosen_coding("br, gzip, *", []) is None
    assert chosen_coding("br, gzip;q=0.1", ["gzip"]) == "gzip"


def test_a_console_that_is_not_built_is_none(tmp_path: Path) -> None:
    assert BuiltConsole.read(tmp_path / "dist") is None
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-1.js").write_text("")
    assert BuiltConsole.read(tmp_path) is None


def test_compressed_variants_and_symlinks_are_not_served_by_name(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    for name in ("index.html", "index.html.gz", "sw.js", "sw.js.br", "sw.js.gz", "assets/a.wasm", "assets/alone.gz"):
        (dist / name).write_text(name)
    (dist / "link.txt").symlink_to(tmp_path / "secret.txt")
    built = BuiltConsole.read(dist)
    assert built is not None
    assert built.files.keys() == {"sw.js", "assets/a.wasm", "assets/alone.gz"}
    assert [each.coding for each in built.files["sw.js"].compressed] == ["br", "gzip"]
    assert built.files["assets/a.wasm"].compressed == ()


def test_etags_differ_for_equal_size_and_date(tmp_path: Path) -> None:
    """In a bundle all files have the same date."""
    (tmp_path / "index.html").write_text("")
    etags = []
    for version in ("one", "two"):
        (tmp_path / "sw.js").write_text(version)
        built = BuiltConsole.read(tmp_path)
        assert built is not None
        etags.append(built.files["sw.js"].plain.etag)
    assert len(set(etags)) == 2


def test_hashed_files_of_the_previous_build_are_served_next_to_those_of_the_present_one(tmp_path: Path) -> None:
    new, old = tmp_path / "dist", tmp_path / "earlier"
    for directory, names in (
        (new, ("index.html", "assets/page-2.js", "assets/both.js")),
        (old, ("index.html", "sw.js", "assets/page-1.js", "assets/page-1.js.br", "assets/both.js")),
    ):
        for name in names:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_text(directory.name)
    built = BuiltConsole.read(new, old)
    assert built is not None
    assert built.files.keys() == {"assets/page-1.js", "assets/page-2.js", "assets/both.js"}
    assert [each.coding for each in built.files["assets/page-1.js"].compressed] == ["br"]
    assert built.files["assets/both.js"].plain.content == b"dist"


def test_without_files_of_a_previous_build_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("")
    built = BuiltConsole.read(tmp_path, tmp_path / "earlier")
    assert built is not None
    assert built.files == {}
