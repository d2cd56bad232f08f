/** Merging pages that were loaded at different times: no duplicates, and no devices that have left. */
import { expect, test } from "vitest";
import {
  type Answer,
  answerOf,
  EMPTY_LOBBY,
  type Lobby,
  merge,
  type Row,
  without,
} from "../../../src/pages/waiting/lobby_rows";

/** Waiting since `second`. */
const row = (second: number): Row => ({ certid: `c${second}`, enteredAt: `2026-11-22T10:00:${second}.000Z` });
const place = (second: number) => ({ cursor: `after-${second}`, enteredAt: row(second).enteredAt });
const seconds = (lobby: Lobby<Row>) => lobby.rows.map(({ certid }) => Number(certid.slice(1)));
const answer = (nodes: number[], from: number | null, end: number | null): Answer<Row> => ({
  nodes: nodes.map(row),
  from: from === null ? null : place(from),
  end: end === null ? null : place(end),
});
/** 50 to 46, loaded as three pages of two. */
const DEEP = [answer([50, 49], null, 49), answer([48, 47], 49, 47), answer([46], 47, null)].reduce<
  Lobby<Row>
>(merge, EMPTY_LOBBY);

test("appends pages up to the last", () => {
  expect(seconds(DEEP)).toEqual([50, 49, 48, 47, 46]);
  expect(DEEP.bottom).toBeNull();
});

test("replaces the list while only the newest are loaded", () => {
  const first = merge(EMPTY_LOBBY as Lobby<Row>, answer([50, 49], null, 49));
  const next = merge(first, answer([52, 51], null, 51));
  expect(seconds(next)).toEqual([52, 51]);
  expect(next.bottom).toEqual(place(51));
});

test("puts new devices on top and keeps the rest", () => {
  expect(seconds(merge(DEEP, answer([52, 51], null, 51)))).toEqual([52, 51, 50, 49, 48, 47, 46]);
});

test.each<[string, Answer<Row>, number[]]>([
  ["at the top", answer([49, 48], null, 48), [49, 48, 47, 46]],
  ["in the middle", answer([47, 46], 49, 46), [50, 49, 47, 46]],
  ["at the end", answer([], 47, null), [50, 49, 48, 47]],
  ["all but one", answer([50], null, null), [50]],
  ["loadAll", answer([], null, null), []],
])("removes devices that left %s", (_, said, want) => {
  expect(seconds(merge(DEEP, said))).toEqual(want);
});

test("keeps the end of the list when a part is replaced", () => {
  expect(merge(DEEP, answer([50, 49], null, 49)).bottom).toBeNull();
  expect(merge(DEEP, answer([48, 46], 49, 46)).bottom).toEqual(place(46));
});

test("shows a released device once, on top", () => {
  const again = { ...row(47), enteredAt: "2026-11-22T10:00:59.000Z" };
  const next = merge(DEEP, { nodes: [again, row(50)], from: null, end: place(50) });
  expect(seconds(next)).toEqual([47, 50, 49, 48, 46]);
});

test("keeps devices with equal times at the edge of a page", () => {
  const twin = { certid: "twin", enteredAt: row(49).enteredAt };
  const lobby = { rows: [row(50), row(49), twin, row(48)], bottom: null, deep: true };
  expect(merge(lobby, answer([50, 49], null, 49)).rows).toContainEqual(twin);
});

test("removes claimed devices immediately", () => {
  expect(seconds(without(DEEP, new Set(["c50", "c46"])))).toEqual([49, 48, 47]);
});

test("records where an answer ends", () => {
  expect(answerOf([row(50)], { hasNextPage: true, endCursor: "x" }, null).end).toEqual({
    cursor: "x",
    enteredAt: row(50).enteredAt,
  });
  expect(answerOf([row(50)], { hasNextPage: false, endCursor: null }, null).end).toBeNull();
});
