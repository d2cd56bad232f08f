/** The query in the address; invalid parts are ignored. */
import { expect, test } from "vitest";
import { devicesAddress } from "../../../src/pages/addresses";
import {
  ALL_DEVICES,
  changeQuery,
  filterOf,
  isByTime,
  type ListQuery,
  listAddress,
  orderOf,
  parseListQuery,
  withSearch,
} from "../../../src/pages/devices/list_query";

const FULL: ListQuery = {
  state: "failed",
  target: "200000000002/eu-west-1",
  reason: "TARGET_LIMIT",
  name: "sensor-",
  print: null,
  renewal: null,
  oldest: true,
  size: 50,
  after: "eyJx=",
};
const searchOf = (address: string) => new URL(address, "http://lobby.test").search.slice(1);

test.each<[string, ListQuery]>([
  ["everything", ALL_DEVICES],
  ["a full query", FULL],
  ["a fingerprint", { ...ALL_DEVICES, print: "3f2a" }],
])("restores %s from its address", (_, query) => {
  expect(parseListQuery(searchOf(listAddress(query)))).toEqual(query);
});

test("uses the plain address for the default query", () => {
  expect(listAddress(ALL_DEVICES)).toBe("/devices");
});

test("reads the addresses of links from other pages", () => {
  const target = { account: "200000000002", region: "eu-west-1" };
  const query = parseListQuery(searchOf(devicesAddress({ state: "refused", target, reason: "EXPIRED" })));
  expect(query).toMatchObject({ state: "refused", target: "200000000002/eu-west-1", reason: "EXPIRED" });
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
])("ignores %s", (search) => {
  expect(parseListQuery(search)).toEqual(ALL_DEVICES);
});

test("builds the API's filter", () => {
  expect(filterOf(FULL)).toEqual({
    state: "failed",
    target: { account: "200000000002", region: "eu-west-1" },
    reason: "TARGET_LIMIT",
    namePrefix: "sensor-",
  });
  expect(filterOf({ ...ALL_DEVICES, print: "3f2a" })).toEqual({ fingerprintPrefix: "3f2a" });
  expect(filterOf({ ...ALL_DEVICES, size: 100 })).toBeNull();
});

test("starts a changed query at the first page, without another state's reason", () => {
  expect(changeQuery(FULL, { target: null })).toMatchObject({ after: null, reason: "TARGET_LIMIT" });
  expect(changeQuery(FULL, { state: "refused" })).toMatchObject({ after: null, reason: null });
  expect(changeQuery(FULL, { state: null })).toMatchObject({ reason: null });
});

test("searches for a name or a fingerprint", () => {
  expect(withSearch(FULL, "print", "3f2a")).toMatchObject({ name: null, print: "3f2a" });
  expect(withSearch(FULL, null, "")).toMatchObject({ name: null, print: null });
});

test.each<[Partial<ListQuery>, string]>([
  [{}, "Newest first"],
  [{ oldest: true }, "Oldest first"],
  [{ oldest: true, name: "ab" }, "By name"],
  [{ state: "failed" }, "Newest first"],
  [{ target: "200000000002/eu-west-1" }, "Newest first"],
  [{ state: "failed", name: "se" }, "By name"],
  [{ print: "3f2a", name: null }, "By fingerprint"],
])("%j: %s", (query, order) => {
  expect(orderOf({ ...ALL_DEVICES, ...query })).toBe(order);
});

test("a renewal in the address is a filter, in the order of deadlines, and anything else is ignored", () => {
  const query = parseListQuery("renewal=overdue");
  expect(filterOf(query)).toEqual({ renewal: "OVERDUE" });
  expect(listAddress(query)).toBe("/devices?renewal=overdue");
  expect([orderOf(query), isByTime(query)]).toEqual(["By deadline", false]);
  expect(parseListQuery("renewal=signed").renewal).toBeNull();
});
