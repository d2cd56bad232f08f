/** The queries and mutations of the page of blocked users. */
import { graphql, type ResultOf } from "../../api/graphql";

export const BLOCKED_USERS = graphql(`
  query BlockedUsers {
    blockedUsers { name by at campaigns { name state stoppedBecause } created { kind name detail } }
  }
`);

export const BLOCK_USER = graphql(`
  mutation BlockUser($name: String!) { blockUser(name: $name) { name } }
`);

export const UNBLOCK_USER = graphql(`
  mutation UnblockUser($name: String!) { unblockUser(name: $name) { name } }
`);

export type BlockedUser = ResultOf<typeof BLOCKED_USERS>["blockedUsers"][number];
