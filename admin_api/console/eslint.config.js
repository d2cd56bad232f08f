/**
 * Checks the API's schema with graphql-eslint's recommended preset. Biome checks the sources of the console.
 * docs/decisions/0040-schema.md has the reasons of the exceptions. ESLint runs in the folder of the schema, because
 * it does not check files outside its folder.
 */
import graphqlPlugin from "@graphql-eslint/eslint-plugin";

const schema = new URL("../schema.graphql", import.meta.url).pathname;

/** Types that are values: they have no identity, and a cache keeps them in the object that contains them. */
const VALUES = [
  "Activity",
  "AddedSerialNumbers",
  "Alert",
  "AllocatedTarget",
  "Allocation",
  "ApprovedSerialNumber",
  "BlockedUser",
  "BulkChange",
  "BulkClaim",
  "CampaignCounts",
  "DeviceRenewal",
  "DeviceStandby",
  "DeviceTransfer",
  "Difference",
  "EnrolmentMatch",
  "EnrolmentRefusals",
  "ExpiringAuthority",
  "Finding",
  "HistoryExport",
  "Lane",
  "Lobby",
  "LobbyRegion",
  "Me",
  "NewEnrolmentToken",
  "Overview",
  "PreviewedDevice",
  "Reconciliation",
  "RegionFinding",
  "RegionPromotion",
  "ReleasedDevice",
  "RenewalOverview",
  "RenewalPolicy",
  "SerialNumberClaims",
  "SettingFinding",
  "Signer",
  "Standby",
  "SubjectField",
  "Suspicion",
  "Target",
  "ThingAttribute",
  "TransferDocument",
  "TransferredDevice",
  "UnblockedUser",
  "UndeliveredEvent",
  "UnfinishedCampaign",
  "UserCreation",
  "WebhookDelivery",
  "WebhookTest",
  "WebhookWithSecret",
];
const VALUE_SUFFIXES = [
  ...["Check", "Comparison", "Count", "Devices", "Entry", "Facts", "Info", "Page", "Preview", "Problem"],
  ...["Result", "Results", "Template"],
];

/** Names of v0.1, which cannot change: rule and field. */
const V01 = [
  ["@graphql-eslint/naming-convention", '"getDevice"'],
  ["@graphql-eslint/no-typename-prefix", '"devicename"'],
];

/** Leaves out the reports on v0.1's names. */
const withoutV01 = {
  meta: { name: "without-v01" },
  preprocess: (text) => [text],
  postprocess: (reports) =>
    reports
      .flat()
      .filter(
        ({ ruleId, message }) => !V01.some(([rule, name]) => rule === ruleId && message.includes(name)),
      ),
};

export default [
  {
    files: ["schema.graphql"],
    languageOptions: { parser: graphqlPlugin.parser, parserOptions: { graphQLConfig: { schema } } },
    plugins: { "@graphql-eslint": graphqlPlugin },
    processor: withoutV01,
    rules: {
      ...graphqlPlugin.configs["flat/schema-recommended"].rules,
      "@graphql-eslint/strict-id-in-types": [
        "error",
        { exceptions: { types: VALUES, suffixes: VALUE_SUFFIXES } },
      ],
    },
  },
];
