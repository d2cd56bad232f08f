"""The archive's tables in the Glue catalog, and the Athena workgroup with its named queries.

Each table describes the JSON objects that Firehose writes. Partitions are projected from the days, so no crawler looks
for them (Athena user guide, "Partition projection"). A column that an event lacks is null.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.archive.queries import QUERIES
from lobby.deployment import NAMES
from lobby.names import Target

DAY: Final = "day"
"""The partition column: the day in UTC, such as 2026-11-30."""
RESULTS: Final = "athena-results/"
DATABASE: Final = NAMES.rule("archive")
_FIRST_DAY: Final = "2026-11-01"
"""The first day of the partitions, before the first release with an archive."""
_SCAN_LIMIT: Final = 10_000_000_000
"""The maximum number of bytes that a query may read. A larger query is cancelled, which limits the price of a query to
0.05 USD."""
_INPUT: Final = "org.apache.hadoop.mapred.TextInputFormat"
_OUTPUT: Final = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_JSON: Final = "org.openx.data.jsonserde.JsonSerDe"


@dataclass(frozen=True)
class Table:
    """A table. `columns` are Hive types by name, in lower case, as Glue requires; JSON names match in any case."""

    name: str
    description: str
    columns: Mapping[str, str]

    @property
    def construct_id(self) -> str:
        return self.name.capitalize()

    @property
    def stream(self) -> str:
        """The name of the stream that writes the table's objects."""
        return NAMES.name(f"archive-{self.name}")


TRANSITIONS: Final = Table(
    "transitions",
    "One row for each transition of a device (docs/events.md). Can contain an event twice: count distinct ids.",
    {
        "version": "int",
        "id": "string",
        "type": "string",
        "at": "string",
        "lobby": "string",
        "device": "struct<fingerprint:string,name:string,enrolment:string,model:string>",
        "seq": "bigint",
        "actor": "string",
        "before": "string",
        "after": "string",
        "generation": "bigint",
        "target": "string",
        "reason": "string",
        "hash": "string",
    },
)
REGISTRY: Final = Table(
    "registry",
    "One row for each change of AWS IoT's registry (AWS IoT developer guide, Registry events).",
    {
        "eventtype": "string",
        "eventid": "string",
        "timestamp": "bigint",
        "operation": "string",
        "accountid": "string",
        "thingname": "string",
        "thingid": "string",
        "thingarn": "string",
        "thingtypename": "string",
        "thingtypeid": "string",
        "thinggroupname": "string",
        "thinggroupid": "string",
        "grouparn": "string",
        "groupid": "string",
        "membershipid": "string",
        "parentgroupname": "string",
        "parentgroupid": "string",
        "childgroupname": "string",
        "childgroupid": "string",
        "versionnumber": "bigint",
        "isdeprecated": "boolean",
        "deprecationdate": "bigint",
        "searchableattributes": "array<string>",
        "description": "string",
        "attributes": "map<string,string>",
    },
)


def make_tables(scope: Construct, bucket: s3.Bucket, lobby: Target) -> None:
    """Create the database, its tables, and the workgroup with the named queries."""
    database = glue.CfnDatabase(
        scope,
        "ArchiveDatabase",
        catalog_id=lobby.account,
        database_input=glue.CfnDatabase.DatabaseInputProperty(
            name=DATABASE, description="The archive of Device Lobby's events"
        ),
    )
    for table in (TRANSITIONS, REGISTRY):
        _make_table(scope, bucket, lobby, table).node.add_dependency(database)
    group = _workgroup(scope, bucket)
    for query in QUERIES:
        named = athena.CfnNamedQuery(
            scope,
            f"{''.join(word.capitalize() for word in query.name.split('-'))}Query",
            name=NAMES.name(query.name),
            description=query.description,
            database=DATABASE,
            query_string=query.sql,
            work_group=group.name,
        )
        named.node.add_dependency(group)


def _make_table(scope: Construct, bucket: s3.Bucket, lobby: Target, table: Table) -> glue.CfnTable:
    cfn = glue.CfnTable
    place = f"s3://{bucket.bucket_name}/{table.name}/"
    columns = [cfn.ColumnProperty(name=name, type=kind) for name, kind in table.columns.items()]
    return cfn(
        scope,
        f"{table.construct_id}Table",
        catalog_id=lobby.account,
        database_name=DATABASE,
        table_input=cfn.TableInputProperty(
            name=table.name,
            description=table.description,
            table_type="EXTERNAL_TABLE",
            partition_keys=[cfn.ColumnProperty(name=DAY, type="string")],
            parameters={
                "EXTERNAL": "TRUE",
                "classification": "json",
                "compressionType": "gzip",
                "projection.enabled": "true",
                f"projection.{DAY}.type": "date",
                f"projection.{DAY}.format": "yyyy-MM-dd",
                f"projection.{DAY}.range": f"{_FIRST_DAY},NOW",
                f"projection.{DAY}.interval": "1",
                f"projection.{DAY}.interval.unit": "DAYS",
                "storage.location.template": f"{place}{DAY}=${{{DAY}}}/",
            },
            storage_descriptor=cfn.StorageDescriptorProperty(
                columns=columns,
                location=place,
                input_format=_INPUT,
                output_format=_OUTPUT,
                serde_info=cfn.SerdeInfoProperty(serialization_library=_JSON),
            ),
        ),
    )


def _workgroup(scope: Construct, bucket: s3.Bucket) -> athena.CfnWorkGroup:
    """Create the workgroup. Its settings override those of a query, so results are encrypted and deleted."""
    cfn = athena.CfnWorkGroup
    return cfn(
        scope,
        "ArchiveWorkGroup",
        name=NAMES.prefix,
        description="Queries of Device Lobby's archive",
        recursive_delete_option=True,
        work_group_configuration=cfn.WorkGroupConfigurationProperty(
            enforce_work_group_configuration=True,
            publish_cloud_watch_metrics_enabled=False,
            bytes_scanned_cutoff_per_query=_SCAN_LIMIT,
            result_configuration=cfn.ResultConfigurationProperty(
                output_location=f"s3://{bucket.bucket_name}/{RESULTS}",
                encryption_configuration=cfn.EncryptionConfigurationProperty(encryption_option="SSE_S3"),
            ),
        ),
    )
