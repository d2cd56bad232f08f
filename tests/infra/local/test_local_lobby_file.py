"""`lobby.json`: the same fields in every version, and those of each Region of a lobby with several."""

import json
from pathlib import Path

from infra.local.lobby_file import LobbyFile, LocalRegion
from tests.infra.local.example_lobby_file import FILE


def test_a_lobby_with_one_region_has_the_fields_of_earlier_versions(tmp_path: Path) -> None:
    path = FILE.write(tmp_path)
    assert "regions" not in json.loads(path.read_text())
    assert LobbyFile.read(tmp_path) == FILE
    assert path.stat().st_mode & 0o777 == 0o600


def test_each_region_of_a_lobby_with_several_can_be_used_like_the_first(tmp_path: Path) -> None:
    first = LocalRegion("us-east-1", FILE.graphql_url, FILE.lobby_endpoint, FILE.user_pool_id, FILE.user_pool_client_id)
    second = LocalRegion("eu-central-1", "http://127.0.0.1:4566/two/graphql", "0x7f000003", "eu-central-1_B", "two")
    both = LobbyFile(**{**vars(FILE), "regions": (first, second)})
    both.write(tmp_path)
    read = LobbyFile.read(tmp_path)
    assert read == both
    there = read.of_region("eu-central-1")
    assert (there.graphql_url, there.user_pool_client_id, there.lobby_region) == (
        second.graphql_url,
        "two",
        second.region,
    )
    assert there.operators == FILE.operators
    assert read.of_region("us-east-1") == both
