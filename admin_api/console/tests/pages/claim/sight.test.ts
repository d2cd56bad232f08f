/** Which codes are labels, which comes first, and what is new about them. */
import { describe, expect, test } from "vitest";
import { encodeLabel } from "../../../src/label/label";
import {
  type Code,
  FORGOTTEN_AFTER_MS,
  type Memory,
  news,
  sightOf,
} from "../../../src/pages/claim/scanner/sight";

const A = "aa".repeat(32);
const B = "bb".repeat(32);

function code(rawValue: string, x = 0, y = 0): Code {
  return { rawValue, boundingBox: { x, y, width: 10, height: 10 } };
}

describe("a picture", () => {
  test("the label nearest to the middle comes first", () => {
    const codes = [code(encodeLabel(A), 0, 0), code(encodeLabel(B), 600, 350)];
    expect(sightOf(codes, { x: 640, y: 360 }).labels).toEqual([B, A]);
    expect(sightOf(codes).labels).toEqual([A, B]);
  });
  test("v0.1's bare hex is a label", () => expect(sightOf([code(A.toUpperCase())]).labels).toEqual([A]));
  test("one label twice is one", () => expect(sightOf([code(A), code(encodeLabel(A))]).labels).toEqual([A]));
  test.each([
    ["an address", "https://example.com/?a=1", '"https://example.com/?a=1"'],
    ["a damaged code", `${encodeLabel(A).slice(0, -1)}A`, /^"DL1:/],
    ["control characters", "a\u0000\nb", '"a\\u0000\\nb"'],
    ["a book", "x".repeat(4000), /… \(4000 characters\)$/],
  ])("%s is a stranger, quoted on one line", (_, text, said) => {
    const { labels, stranger } = sightOf([code(text)]);
    expect(labels).toEqual([]);
    expect(stranger).toMatch(said);
  });
});

describe("what is new", () => {
  const see = (memory: Memory, certid: string, now: number) =>
    news(memory, { labels: [certid], stranger: null }, now);

  test("a label that stays in the picture is said once", () => {
    let { news: first, memory } = see(new Map(), A, 0);
    expect(first.labels).toEqual([A]);
    for (let now = 100; now < 10_000; now += 100) {
      const then = see(memory, A, now);
      expect(then.news.labels).toEqual([]);
      memory = then.memory;
    }
  });
  test("one that was away and comes back is said again", () => {
    const { memory } = see(new Map(), A, 0);
    expect(see(memory, A, FORGOTTEN_AFTER_MS + 1).news.labels).toEqual([A]);
  });
  test("another one is said at once", () => {
    const { memory } = see(new Map(), A, 0);
    expect(see(memory, B, 1).news.labels).toEqual([B]);
  });
  test("a stranger is said once, too", () => {
    const sight = { labels: [], stranger: '"x"' };
    const { news: first, memory } = news(new Map(), sight, 0);
    expect(first.stranger).toBe('"x"');
    expect(news(memory, sight, 100).news.stranger).toBeNull();
  });
  test("memory does not grow with what went by", () => {
    let memory: Memory = new Map();
    for (let at = 0; at < 100; at++) memory = see(memory, `${at}`, at * FORGOTTEN_AFTER_MS).memory;
    expect(memory.size).toBeLessThan(4);
  });
});
