"""A `lobby.json` as the local cloud writes it."""

from infra.local.lobby_file import LobbyFile, LocalOperator, LocalTarget

FILE = LobbyFile(
    graphql_url="http://127.0.0.1:4566/one/graphql",
    console_url="http://127.0.0.1:4567/",
    lobby_endpoint="0x7f000001",
    mqtt_port=8883,
    mqtt_alpn_port=8443,
    server_ca_path="/ca",
    device_ca_path="/device-ca",
    device_ca_key_path="/device-key",
    aws_endpoint_url="http://127.0.0.1:4566",
    aws_secret_access_key="secret",  # pragma: allowlist secret
    lobby_account="100000000001",
    lobby_region="us-east-1",
    user_pool_id="us-east-1_A",
    user_pool_client_id="one",
    provisioning_template="device-lobby",
    targets=(LocalTarget("200000000002", "eu-west-1", "0x7f000002"),),
    operators=(LocalOperator("admin", "password", "admin"),),  # pragma: allowlist secret
)
