/** Every device of a bulk claim gets one outcome: claimed, refused, or tried again until that is all that can be said. */
import { expect, test, vi } from "vitest";
import {
  type Course,
  chunkOf,
  claimAll,
  MAX_CHUNK,
  type Means,
  type Outcome,
  type Sent,
  TRIES,
} from "../../../src/pages/waiting/bulk_claim";

const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
const ok = (certid: string): Outcome => ({ certid, ok: true, code: null, message: null });
const no = (certid: string, code: string): Outcome => ({ certid, ok: false, code, message: "got x, want y" });

function means(send: Means["send"], more: Partial<Means> = {}): Means {
  return { send, onProgress: () => {}, pause: async () => {}, stopped: () => false, ...more };
}
const claimed = (certids: readonly string[]): Sent => ({ outcomes: certids.map(ok) });

test("a thousand go in chunks, with the course told after each", async () => {
  const courses: Course[] = [];
  const send = vi.fn(async (chunk: readonly string[]) => claimed(chunk));
  const outcomes = await claimAll(names(1000), means(send, { onProgress: (course) => courses.push(course) }));
  expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1000);
  expect(Math.max(...send.mock.calls.map(([chunk]) => chunk.length))).toBe(MAX_CHUNK);
  expect(courses.map(({ done, left }) => done.length + left)).toEqual(courses.map(() => 1000));
  expect(courses.at(-1)?.left).toBe(0);
});

test.each([
  [1, 10],
  [100, 10],
  [333, 34],
  [1000, 50],
])("%i devices go %i at a time", (total, size) => {
  expect(chunkOf(total)).toBe(size);
});

test("one that is refused holds nobody up, and is not sent again", async () => {
  const send = vi.fn(async (chunk: readonly string[]) => ({
    outcomes: chunk.map((certid) => (certid === "c1" ? no(certid, "ALREADY_CLAIMED") : ok(certid))),
  }));
  const outcomes = await claimAll(names(3), means(send));
  expect(outcomes.find(({ certid }) => certid === "c1")).toEqual(no("c1", "ALREADY_CLAIMED"));
  expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(2);
  expect(send).toHaveBeenCalledTimes(1);
});

test("what there was no time for is sent again, and only that", async () => {
  const sent: (readonly string[])[] = [];
  const send = async (chunk: readonly string[]): Promise<Sent> => {
    sent.push(chunk);
    return {
      outcomes: chunk.map((certid, index) =>
        sent.length === 1 && index > 0 ? no(certid, "NOT_TRIED") : ok(certid),
      ),
    };
  };
  const outcomes = await claimAll(names(3), means(send));
  expect(sent).toEqual([
    ["c0", "c1", "c2"],
    ["c1", "c2"],
  ]);
  expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
});

test("what may have been lost is sent again after a pause, but not for ever", async () => {
  const lost: Sent = { failure: { code: "UNREACHABLE", message: "It did not answer." }, lost: true };
  const pause = vi.fn(async () => {});
  const send = vi.fn(async () => lost);
  const outcomes = await claimAll(names(2), means(send, { pause }));
  expect(send).toHaveBeenCalledTimes(TRIES);
  expect(pause.mock.calls).toEqual([[1], [2], [3]]);
  expect(outcomes.map((outcome) => outcome.code)).toEqual(["UNREACHABLE", "UNREACHABLE"]);
});

test("a failure of the whole request ends it, and everybody has it", async () => {
  const send = vi.fn(
    async (): Promise<Sent> => ({ failure: { code: "FORBIDDEN", message: "no" }, lost: false }),
  );
  const outcomes = await claimAll(names(25), means(send));
  expect(send).toHaveBeenCalledTimes(1);
  expect(outcomes.map((outcome) => outcome.code)).toEqual(names(25).map(() => "FORBIDDEN"));
});

test("stopped, the rest is told that it was not tried", async () => {
  const send = vi.fn(async (chunk: readonly string[]) => claimed(chunk));
  const outcomes = await claimAll(names(30), means(send, { stopped: () => send.mock.calls.length > 0 }));
  expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(10);
  expect(outcomes.filter((outcome) => outcome.code === "NOT_TRIED")).toHaveLength(20);
  expect(new Set(outcomes.map((outcome) => outcome.certid)).size).toBe(30);
});

test("an answer that leaves somebody out does not make them look claimed", async () => {
  const outcomes = await claimAll(
    names(2),
    means(async ([first = ""]) => claimed([first])),
  );
  expect(outcomes.find(({ certid }) => certid === "c1")?.ok).toBe(true);
  const never = await claimAll(
    names(1),
    means(async () => claimed([])),
  );
  expect(never).toMatchObject([{ certid: "c0", ok: false, code: "NOT_TRIED" }]);
});
