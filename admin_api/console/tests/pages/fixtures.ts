/** API responses for page tests: devices, targets and counts. */

export const ROTTERDAM = {
  __typename: "RegisteredTarget",
  account: "200000000002",
  region: "eu-west-1",
  name: "Rotterdam",
  profiles: ["default", "gateway"],
};
export const SYDNEY = {
  __typename: "RegisteredTarget",
  account: "300000000003",
  region: "ap-southeast-2",
  name: "Sydney",
  profiles: ["default"],
};
export const TARGETS = { targets: [ROTTERDAM, SYDNEY] };

const STATES = [
  "expected",
  "knocking",
  "inlobby",
  "proving",
  "bulkResult",
  "commissioned",
  "arrived",
  "failed",
  "refused",
  "revoked",
];

/** Counts of unnamed states are 0. */
export function counts(of: Record<string, number>, reasons: Record<string, number> = {}) {
  return {
    overview: {
      __typename: "Overview",
      total: Object.values(of).reduce((sum, count) => sum + count, 0),
      states: STATES.map((state) => ({ __typename: "StateCount", state, count: of[state] ?? 0 })),
      reasons: Object.entries(reasons).map(([reason, count]) => ({
        __typename: "ReasonCount",
        state: "failed",
        reason,
        count,
      })),
    },
  };
}

/** 64 digits that begin with `number`. */
export function certid(number: number): string {
  return number.toString(16).padStart(4, "0").padEnd(64, "0");
}

export function deviceLine(number: number, more: Record<string, unknown> = {}) {
  return {
    __typename: "Device",
    certid: certid(number),
    devicename: `sensor-${number}`,
    expectedName: null,
    devstate: "inlobby",
    enteredAt: new Date(Date.UTC(2026, 10, 22, 12) - number * 1000).toISOString(),
    reason: null,
    targetaccount: null,
    targetregion: null,
    profile: "default",
    generation: 0,
    claimedBy: null,
    claimedAt: null,
    firstSeen: "2026-11-22T11:00:00.000Z",
    lobbyRegion: "eu-central-1",
    allowedActions: ["claimDevice", "revokeDevice"],
    online: null,
    onlineSince: null,
    ...more,
  };
}

export function deviceLines(from: number, to: number) {
  return Array.from({ length: to - from }, (_, index) => deviceLine(from + index));
}

/** A page of `all`; the cursor is the index of the next row. Null: the total is unknown. */
export function pageOf(
  all: object[],
  { first, after, counted }: Record<string, unknown>,
  total: number | null = null,
) {
  const start = Number(after ?? 0);
  const end = start + Number(first);
  return {
    devices: {
      __typename: "DevicePage",
      nodes: all.slice(start, end),
      pageInfo: { __typename: "PageInfo", hasNextPage: end < all.length, endCursor: String(end) },
      ...(counted === true && { total }),
    },
  };
}

/** The result of a bulk claim: bulkResult, or the code that `refused` returns. */
export function bulkResult(variables: Record<string, unknown>, refused: (certid: string) => string | null) {
  const results = (variables.certids as string[]).map((each) => {
    const code = refused(each);
    return {
      __typename: "ClaimResult",
      certid: each,
      ok: code === null,
      code,
      message: code && "got x, want y",
    };
  });
  return { claimDevices: { __typename: "BulkClaim", results } };
}
