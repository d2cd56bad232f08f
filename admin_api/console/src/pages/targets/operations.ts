/**
 * The queries and mutations of the targets page. The setup command contains a secret and is requested
 * separately.
 */
import { graphql, type ResultOf } from "../../api/graphql";

export const TARGET_LIST = graphql(`
  query TargetList {
    targets(includeArchived: true) {
      account region name profiles presence clones createdBy createdAt archivedAt
      standby {
        target { account region } certificates placed prepared evacuatedAt away left askedBy campaign
      }
    }
  }
`);

export const TARGET_COUNTS = graphql(`
  query TargetCounts { overview { targets { account region count states { state count } } } }
`);

export const SETUP_COMMANDS = graphql(`
  query SetupCommands { targets { account region setupCommand } }
`);

export const TARGET_TEMPLATE = graphql(`
  query TargetTemplate($account: String!, $region: String!, $format: TemplateFormat!) {
    targetTemplate(account: $account, region: $region, format: $format) { fileName content quickCreateUrl }
  }
`);

export const REGISTER_TARGET = graphql(`
  mutation RegisterTarget(
    $account: String!, $region: String!, $name: String!, $profiles: [String!], $presence: Boolean,
    $clones: ClonePolicy
  ) {
    registerTarget(
      account: $account, region: $region, name: $name, profiles: $profiles, presence: $presence, clones: $clones
    ) {
      account region name profiles presence clones setupCommand
    }
  }
`);

export const ARCHIVE_TARGET = graphql(`
  mutation ArchiveTarget($account: String!, $region: String!) {
    archiveTarget(account: $account, region: $region) { account region archivedAt }
  }
`);

export const RESTORE_TARGET = graphql(`
  mutation RestoreTarget($account: String!, $region: String!) {
    restoreTarget(account: $account, region: $region) { account region archivedAt }
  }
`);

export const REMOVE_TARGET = graphql(`
  mutation RemoveTarget($account: String!, $region: String!) {
    removeTarget(account: $account, region: $region) { account region }
  }
`);

export const SET_STANDBY = graphql(`
  mutation SetStandby(
    $account: String!, $region: String!, $standby: TargetInput, $certificates: StandbyCertificates!
  ) {
    setStandby(account: $account, region: $region, standby: $standby, certificates: $certificates) {
      account region standby { campaign }
    }
  }
`);

export const EVACUATE_TARGET = graphql(`
  mutation EvacuateTarget($account: String!, $region: String!) {
    evacuateTarget(account: $account, region: $region) { account region standby { evacuatedAt } }
  }
`);

export const RETURN_TARGET = graphql(`
  mutation ReturnTarget($account: String!, $region: String!) {
    returnTarget(account: $account, region: $region) { account region standby { evacuatedAt } }
  }
`);

export const CHECK_TARGET = graphql(`
  query CheckTarget($account: String!, $region: String!) {
    checkTarget(account: $account, region: $region) {
      ok endpoint findings { step ok message }
    }
  }
`);

export type Listed = ResultOf<typeof TARGET_LIST>["targets"][number];
export type Counted = ResultOf<typeof TARGET_COUNTS>["overview"]["targets"][number];
export type Checked = ResultOf<typeof CHECK_TARGET>["checkTarget"];
