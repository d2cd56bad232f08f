/** Failures are grouped by reason, most frequent first. */
import { expect, test } from "vitest";
import { byReason } from "../../src/pages/by_reason";

const failed = (certid: string, code: string, message: string) => ({ certid, ok: false, code, message });

test("lists a reason once with all its devices", () => {
  const reasons = byReason([
    failed("aa", "REVOKED", "got claim"),
    failed("bb", "ALREADY_CLAIMED", "got a claim"),
    failed("cc", "ALREADY_CLAIMED", "got a claim"),
  ]);
  expect(reasons.map(({ code, certids }) => [code, certids])).toEqual([
    ["ALREADY_CLAIMED", ["bb", "cc"]],
    ["REVOKED", ["aa"]],
  ]);
});

test("groups messages that differ only in the device", () => {
  const reasons = byReason([
    failed("aa", "NOT_TRIED", "got no time left for aa, want it sent again"),
    failed("bb", "NOT_TRIED", "got no time left for bb, want it sent again"),
  ]);
  expect(reasons).toHaveLength(1);
  expect(reasons[0]?.message).toBe("got no time left for it, want it sent again");
});
