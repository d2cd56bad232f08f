/** The variables of a change of many devices: what is sent, and what is missing. */
import { expect, test } from "vitest";
import { ACTIONS, type BulkAction, changeOf } from "../../../src/pages/bulk/change";
import { EMPTY_REQUEST } from "../../../src/parts/claim_request";

const EMPTY = { request: EMPTY_REQUEST, why: "" };
const asking = (request: Partial<typeof EMPTY_REQUEST>) => ({
  ...EMPTY,
  request: { ...EMPTY_REQUEST, ...request },
});

test.each<[BulkAction, ReturnType<typeof asking>, object | undefined]>([
  ["renew", EMPTY, { operation: "RENEW" }],
  ["retry", EMPTY, { operation: "RETRY" }],
  ["configure", EMPTY, undefined],
  ["configure", asking({ profile: " " }), undefined],
  ["configure", asking({ kind: "json", json: "[" }), undefined],
  ["configure", asking({ profile: " gateway " }), { operation: "CONFIGURE", profile: "gateway" }],
  ["configure", asking({ kind: "text", text: "fast" }), { operation: "CONFIGURE", config: "fast" }],
  [
    "configure",
    asking({ profile: "gateway", kind: "json", json: '{"interval": 60}' }),
    { operation: "CONFIGURE", profile: "gateway", config: { interval: 60 } },
  ],
  ["revoke", EMPTY, undefined],
  ["revoke", { ...EMPTY, why: " stolen " }, { operation: "REVOKE", why: "stolen" }],
])("%s with %o sends %o", (action, draft, want) => expect(changeOf(action, draft)).toEqual(want));

test("offers what the page of a device offers for one", () => {
  expect(Object.values(ACTIONS).map(({ operation }) => operation)).toEqual([
    "moveDevice",
    "configureDevice",
    "releaseDevice",
    "retryDevice",
    "renewDevice",
    "revokeDevice",
  ]);
});
