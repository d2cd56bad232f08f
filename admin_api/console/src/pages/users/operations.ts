/** The queries and mutations of the page of blocked users. */
import { graphql, type ResultOf } from "../../api/graphql";

export const BLOCKED_USERS = graphql(`
  query BlockedUsers { blockedUsers { name by at } }
`);

/** Separate from the list, because it reads several lists of the lobby: if one fails, users are still shown. */
export const LEFT_BY_USERS = graphql(`
  query LeftByUsers {
    blockedUsers { name campaigns { name state stoppedBecause } created { kind name detail } }
  }
`);

export const BLOCK_USER = graphql(`
  mutation BlockUser($name: String!) { blockUser(name: $name) { name } }
`);

export const UNBLOCK_USER = graphql(`
  mutation UnblockUser($name: String!) { unblockUser(name: $name) { name } }
`);

export type BlockedUser = ResultOf<typeof BLOCKED_USERS>["blockedUsers"][number];
export type LeftByUser = ResultOf<typeof LEFT_BY_USERS>["blockedUsers"][number];
