/** What people are told: where a claim stands, and what an operator needs to know. */
import { expect, test } from "vitest";
import { adviceFor, personOf, wordsForOperator } from "../../../src/pages/claim/advice";
import type { ClaimLine, Standing } from "../../../src/pages/claim/claim_line";
import { standingWords } from "../../../src/pages/claim/words";

const HERE = { account: "111111111111", region: "eu-west-1" };
const AT = { devstate: "claimed", targetaccount: HERE.account, targetregion: HERE.region, history: [] };

function line(standing: Standing, totalMs: number | null = null): ClaimLine {
  return { standing, steps: [], totalMs };
}

test.each<[ClaimLine, object | null, string]>([
  [line("unseen"), {}, "Not seen yet. Power it on; it goes through by itself."],
  [
    line("proving"),
    { showsCode: true },
    "It shows a code of eight digits. Type it here, so that it is seen that you stand before it.",
  ],
  [line("proving"), { showsCode: false }, "Its target asks for the code that it shows."],
  [line("taken back"), { reason: "PRESENCE_FAILED" }, "Five wrong codes: the claim was dropped."],
  [line("under way"), {}, "The lobby is setting it up in its target."],
  [line("under way"), { devstate: "commissioned" }, "Set up in its target; it is on its way there."],
  [line("arrived", 1234), {}, "Arrived in 1.2 s."],
  [line("arrived"), {}, "It has arrived."],
  [line("failed"), {}, "It could not be set up in its target."],
  [line("not let in"), {}, "It came to the door, but its certificate was not let in."],
  [line("revoked"), {}, "Its certificate was banned for good."],
  [line("taken back"), null, "The claim was taken back."],
  [
    line("taken back"),
    { history: [{ actor: "user:ben", event: "release" }] },
    "The claim was taken back by ben.",
  ],
  [
    line("elsewhere"),
    { targetregion: "eu-west-2", history: [{ actor: "user:ben", event: "move" }] },
    "It was sent to 111111111111/eu-west-2 by ben, not to 111111111111/eu-west-1.",
  ],
])("%j, %j: %s", (of, device, words) => {
  expect(standingWords(of, device && { ...AT, ...device }, HERE)).toBe(words);
});

test("an operator gets the device, where it was to go, why not, and where to look", () => {
  const certid = "3f2a91bc07d4".padEnd(64, "0");
  expect(
    wordsForOperator(
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
  [null, "somebody"],
])("%s is %s", (actor, person) => expect(personOf(actor)).toBe(person));

test("a code without words of its own is advised on, too", () => {
  expect(adviceFor("SOMETHING_NEW")).toMatch(/Try again/);
});
