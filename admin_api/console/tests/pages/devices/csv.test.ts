/** CSV that other programs read correctly and that runs nothing in a spreadsheet. */
import { expect, test } from "vitest";
import { csvOf } from "../../../src/pages/devices/csv";
import type { DeviceLine } from "../../../src/pages/devices/device_line";
import { deviceLine } from "../fixtures";

const csv = (more: Record<string, unknown>) =>
  csvOf([deviceLine(1, more) as unknown as DeviceLine]).split("\r\n");

test("writes a header, a deviceLine per device and a final deviceLine break", () => {
  const [head, row, end] = csv({ devstate: "arrived", generation: 2 });
  expect(head).toMatch(/^certid,devicename,expectedName,devstate,/);
  expect(row).toContain(",sensor-1,,arrived,");
  expect(row?.split(",")).toHaveLength(head?.split(",").length ?? 0);
  expect(end).toBe("");
});

test.each([
  ["a,b", '"a,b"'],
  ['say "x"', '"say ""x"""'],
  ["=1+1", "'=1+1"],
  ["-1", "'-1"],
  ["@x,y", `"'@x,y"`],
])("writes %j as %j", (claimedBy, want) => {
  expect(csv({ claimedBy })[1]).toContain(`,${want},`);
});

test.each([
  ["012345678901", '"=""012345678901"""'],
  ["200000000002", '"=""200000000002"""'],
  ["1-2", '"=""1-2"""'],
  ["2026-01-02", '"=""2026-01-02"""'],
  ["MAR1", '"=""MAR1"""'],
  ["12:30", '"=""12:30"""'],
  ["TRUE", '"=""TRUE"""'],
  ["1-2-3-4", "1-2-3-4"],
])("keeps the text of the account %s in a spreadsheet", (targetaccount, want) => {
  expect(csv({ targetaccount })[1]).toContain(`,${want},`);
});

test.each([
  [null, ","],
  [{ stage: "SIGNED", by: "2026-12-24T11:30:00.000Z", overdue: false }, "signed,2026-12-24T11:30:00.000Z"],
  [{ stage: "DUE", by: "2026-12-24T11:30:00.000Z", overdue: true }, "overdue,2026-12-24T11:30:00.000Z"],
])("writes the renewal %o", (renewal, want) => {
  expect(csv({ renewal })[1]?.endsWith(`,${want}`)).toBe(true);
});
