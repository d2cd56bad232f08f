/** The address says which devices are shown, and only what it says rightly is asked. */
import { expect, test } from "vitest";
import { devicesAddress } from "../../../src/pages/addresses";
import {
  addressOf,
  asking,
  EVERYTHING,
  filterOf,
  orderOf,
  type Question,
  questionOf,
  searching,
} from "../../../src/pages/devices/question";

const FULL: Question = {
  state: "failed",
  target: "200000000002/eu-west-1",
  reason: "TARGET_LIMIT",
  name: "sensor-",
  print: null,
  size: 50,
  after: "eyJx=",
};
const searchOf = (address: string) => new URL(address, "http://lobby.test").search.slice(1);

test.each<[string, Question]>([
  ["everything", EVERYTHING],
  ["a full question", FULL],
  ["a fingerprint", { ...EVERYTHING, print: "3f2a" }],
])("%s comes back out of its address", (_, question) => {
  expect(questionOf(searchOf(addressOf(question)))).toEqual(question);
});

test("the usual question has the plain address", () => {
  expect(addressOf(EVERYTHING)).toBe("/devices");
});

test("the addresses that other rooms lead to are understood", () => {
  const target = { account: "200000000002", region: "eu-west-1" };
  const question = questionOf(searchOf(devicesAddress({ state: "refused", target, reason: "EXPIRED" })));
  expect(question).toMatchObject({ state: "refused", target: "200000000002/eu-west-1", reason: "EXPIRED" });
});

test.each([
  "state=nowhere",
  "state=toString",
  "target=2/eu-west-1",
  "reason=<script>",
  "name=x",
  "name=a%20b",
  "print=zz",
  "print=abc",
  "size=1000",
  "after=",
])("%s is as if it were not there", (search) => {
  expect(questionOf(search)).toEqual(EVERYTHING);
});

test("the filter is what the API takes", () => {
  expect(filterOf(FULL)).toEqual({
    state: "failed",
    target: { account: "200000000002", region: "eu-west-1" },
    reason: "TARGET_LIMIT",
    namePrefix: "sensor-",
  });
  expect(filterOf({ ...EVERYTHING, print: "3f2a" })).toEqual({ fingerprintPrefix: "3f2a" });
  expect(filterOf({ ...EVERYTHING, size: 100 })).toBeNull();
});

test("another question begins at the first page, and without a reason of another state", () => {
  expect(asking(FULL, { target: null })).toMatchObject({ after: null, reason: "TARGET_LIMIT" });
  expect(asking(FULL, { state: "refused" })).toMatchObject({ after: null, reason: null });
  expect(asking(FULL, { state: null })).toMatchObject({ reason: null });
});

test("a text is searched for as one thing or the other", () => {
  expect(searching(FULL, "print", "3f2a")).toMatchObject({ name: null, print: "3f2a" });
  expect(searching(FULL, null, "")).toMatchObject({ name: null, print: null });
});

test.each<[Partial<Question>, string]>([
  [{}, "Those who need somebody first"],
  [{ state: "failed" }, "Newest first"],
  [{ target: "200000000002/eu-west-1" }, "Newest first"],
  [{ state: "failed", name: "se" }, "By name"],
  [{ print: "3f2a", name: null }, "By fingerprint"],
])("%j comes %s", (question, order) => {
  expect(orderOf({ ...EVERYTHING, ...question })).toBe(order);
});
