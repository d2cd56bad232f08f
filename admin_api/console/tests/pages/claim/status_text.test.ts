/** The status text of a claim, and the message for an operator. */
import { expect, test } from "vitest";
import { actorName, adviceFor, operatorMessage } from "../../../src/pages/claim/advice";
import type { ClaimProgress, ClaimStatus } from "../../../src/pages/claim/claim_progress";
import { statusText } from "../../../src/pages/claim/status_text";

const HERE = { account: "111111111111", region: "eu-west-1" };
const AT = { devstate: "claimed", targetaccount: HERE.account, targetregion: HERE.region, history: [] };

function line(status: ClaimStatus, totalMs: number | null = null): ClaimProgress {
  return { status, steps: [], totalMs };
}

test.each<[ClaimProgress, object | null, string]>([
  [line("unseen"), {}, "Not seen yet. Power it on; the rest is automatic."],
  [
    line("proving"),
    { showsCode: true },
    "The device shows an eight-digit code. Enter it here to prove you are at the device.",
  ],
  [line("proving"), { showsCode: null }, "Its target requires a presence code."],
  [line("no code"), {}, "Its target requires a presence code, which this device can't show."],
  [line("released"), { reason: "PRESENCE_FAILED" }, "The claim ended after five wrong codes."],
  [line("in progress"), {}, "Being set up in its target."],
  [
    line("in progress"),
    { devstate: "commissioned" },
    "Set up in its target. Waiting for it to connect there.",
  ],
  [line("arrived", 1234), {}, "Arrived in 1.2 s."],
  [line("arrived"), {}, "Arrived."],
  [line("failed"), {}, "Could not be set up in its target."],
  [line("refused"), {}, "It connected, but its certificate was refused."],
  [line("revoked"), {}, "Its certificate is revoked."],
  [line("released"), null, "The claim was released."],
  [
    line("released"),
    { history: [{ actor: "user:ben", event: "release" }] },
    "The claim was released by ben.",
  ],
  [
    line("other target"),
    { targetregion: "eu-west-2", history: [{ actor: "user:ben", event: "move" }] },
    "It was sent to 111111111111/eu-west-2 by ben, not to 111111111111/eu-west-1.",
  ],
])("%j, %j: %s", (of, device, text) => {
  expect(statusText(of, device && { ...AT, ...device }, HERE)).toBe(text);
});

test("builds an operator message with device, target, reason and address", () => {
  const certid = "3f2a91bc07d4".padEnd(64, "0");
  expect(
    operatorMessage(
      { certid, name: "meter-1", target: HERE, code: "TARGET_LIMIT", message: "a quota is used up" },
      "https://lobby.test",
    ),
  ).toBe(
    `Device 3F2A 91BC 07D4 (meter-1) for 111111111111/eu-west-1: TARGET_LIMIT\na quota is used up\nhttps://lobby.test/devices/${certid}`,
  );
});

test.each([
  ["user:ada", "ada"],
  ["commissioner", "commissioner"],
  [null, "someone"],
])("%s is %s", (actor, user) => expect(actorName(actor)).toBe(user));

test("gives advice for an unknown code, too", () => {
  expect(adviceFor("SOMETHING_NEW")).toMatch(/Try again/);
});
