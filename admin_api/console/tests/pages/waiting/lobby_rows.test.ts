/** Pages that are asked for at different times make one list, in which nobody is twice and nobody stays who left. */
import { expect, test } from "vitest";
import {
  type Answer,
  answerOf,
  type Lobby,
  NOBODY,
  type Row,
  taken,
  without,
} from "../../../src/pages/waiting/lobby_rows";

/** Waits since `second`. */
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
>(taken, NOBODY);

test("pages follow each other, and the last one is the end", () => {
  expect(seconds(DEEP)).toEqual([50, 49, 48, 47, 46]);
  expect(DEEP.bottom).toBeNull();
});

test("while only the newest are shown, the list is what the last answer said", () => {
  const first = taken(NOBODY as Lobby<Row>, answer([50, 49], null, 49));
  const next = taken(first, answer([52, 51], null, 51));
  expect(seconds(next)).toEqual([52, 51]);
  expect(next.bottom).toEqual(place(51));
});

test("who came stands on top, and those further down stay", () => {
  expect(seconds(taken(DEEP, answer([52, 51], null, 51)))).toEqual([52, 51, 50, 49, 48, 47, 46]);
});

test.each<[string, Answer<Row>, number[]]>([
  ["at the top", answer([49, 48], null, 48), [49, 48, 47, 46]],
  ["in the middle", answer([47, 46], 49, 46), [50, 49, 47, 46]],
  ["at the end", answer([], 47, null), [50, 49, 48, 47]],
  ["all but one", answer([50], null, null), [50]],
  ["everybody", answer([], null, null), []],
])("who left %s is gone", (_, said, want) => {
  expect(seconds(taken(DEEP, said))).toEqual(want);
});

test("a part of a list that ends says nothing about its end", () => {
  expect(taken(DEEP, answer([50, 49], null, 49)).bottom).toBeNull();
  expect(taken(DEEP, answer([48, 46], 49, 46)).bottom).toEqual(place(46));
});

test("who was released and waits anew is shown once, on top", () => {
  const again = { ...row(47), enteredAt: "2026-11-22T10:00:59.000Z" };
  const next = taken(DEEP, { nodes: [again, row(50)], from: null, end: place(50) });
  expect(seconds(next)).toEqual([47, 50, 49, 48, 46]);
});

test("those of the same moment at the edge of a page are kept", () => {
  const twin = { certid: "twin", enteredAt: row(49).enteredAt };
  const lobby = { rows: [row(50), row(49), twin, row(48)], bottom: null, deep: true };
  expect(taken(lobby, answer([50, 49], null, 49)).rows).toContainEqual(twin);
});

test("who was claimed need not be waited for", () => {
  expect(seconds(without(DEEP, new Set(["c50", "c46"])))).toEqual([49, 48, 47]);
});

test("an answer knows where it ends", () => {
  expect(answerOf([row(50)], { hasNextPage: true, endCursor: "x" }, null).end).toEqual({
    cursor: "x",
    enteredAt: row(50).enteredAt,
  });
  expect(answerOf([row(50)], { hasNextPage: false, endCursor: null }, null).end).toBeNull();
});
