"""Sessions for a cloud on this machine read nothing of the user's, and share the descriptions of services."""

from pathlib import Path

import boto3
import pytest

from pki.lobby_account.isolated_session import isolated_session


def of_boto3() -> boto3.Session:
    return boto3.Session("id", "secret", region_name="eu-west-1", botocore_session=isolated_session())


def test_sessions_share_the_descriptions_of_services_and_nothing_else() -> None:
    one, two = of_boto3(), of_boto3()
    loaders = [each._session.get_component("data_loader") for each in (one, two)]
    assert loaders[0] is loaders[1]
    assert one.client("iot").meta.service_model.operation_names == two.client("iot").meta.service_model.operation_names
    assert one.events is not two.events


def test_the_folders_of_descriptions_do_not_grow_with_each_session() -> None:
    before = of_boto3()._session.get_component("data_loader").search_paths
    after = of_boto3()._session.get_component("data_loader").search_paths
    assert before == after
    assert any(Path(each).name == "data" and Path(each).parent.name == "boto3" for each in after)


def test_a_resource_of_boto3_is_created() -> None:
    assert of_boto3().resource("s3").Bucket("trust").name == "trust"


def test_the_environment_and_the_files_of_the_user_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("not a configuration")
    for name, value in {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_PROFILE": "absent",
        "AWS_DATA_PATH": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    client = of_boto3().client("sts")
    assert client.meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"
    assert str(tmp_path) not in of_boto3()._session.get_component("data_loader").search_paths
