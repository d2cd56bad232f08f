"""The query for lists of devices, and the filter for those of one target."""

from tests.functional.admin_api.api_on_moto import HERE

DEVICES = """
query Devices($filter: DeviceFilter, $first: Int! = 20, $after: String) {
  devices(filter: $filter, first: $first, after: $after) {
    nodes { certid devicename devstate } pageInfo { hasNextPage endCursor }
  }
}"""
AT_HERE = {"account": HERE.account, "region": HERE.region}
