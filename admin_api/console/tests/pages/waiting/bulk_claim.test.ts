/** A bulk claim returns one outcome per device: claimed, rejected, or failed after several attempts. */
import { expect, test, vi } from "vitest";
import {
  type BulkClaimOptions,
  type BulkProgress,
  chunkOf,
  claimAll,
  MAX_ATTEMPTS,
  MAX_CHUNK,
  type Outcome,
  type Sent,
} from "../../../src/pages/waiting/bulk_claim";

const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
const ok = (certid: string): Outcome => ({ certid, ok: true, code: null, message: null });
const no = (certid: string, code: string): Outcome => ({ certid, ok: false, code, message: "got x, want y" });

function options(send: BulkClaimOptions["send"], more: Partial<BulkClaimOptions> = {}): BulkClaimOptions {
  return { send, onProgress: () => {}, pause: async () => {}, stopped: () => false, ...more };
}
const claimed = (certids: readonly string[]): Sent => ({ outcomes: certids.map(ok) });

test("sends a thousand devices in chunks and reports progress after each", async () => {
  const courses: BulkProgress[] = [];
  const send = vi.fn(async (chunk: readonly string[]) => claimed(chunk));
  const outcomes = await claimAll(
    names(1000),
    options(send, { onProgress: (course) => courses.push(course) }),
  );
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
])("sends %i devices %i at a time", (total, size) => {
  expect(chunkOf(total)).toBe(size);
});

test("continues after a rejected device, and does not send it again", async () => {
  const send = vi.fn(async (chunk: readonly string[]) => ({
    outcomes: chunk.map((certid) => (certid === "c1" ? no(certid, "ALREADY_CLAIMED") : ok(certid))),
  }));
  const outcomes = await claimAll(names(3), options(send));
  expect(outcomes.find(({ certid }) => certid === "c1")).toEqual(no("c1", "ALREADY_CLAIMED"));
  expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(2);
  expect(send).toHaveBeenCalledTimes(1);
});

test("sends only the untried devices again", async () => {
  const sent: (readonly string[])[] = [];
  const send = async (chunk: readonly string[]): Promise<Sent> => {
    sent.push(chunk);
    return {
      outcomes: chunk.map((certid, index) =>
        sent.length === 1 && index > 0 ? no(certid, "NOT_TRIED") : ok(certid),
      ),
    };
  };
  const outcomes = await claimAll(names(3), options(send));
  expect(sent).toEqual([
    ["c0", "c1", "c2"],
    ["c1", "c2"],
  ]);
  expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
});

test("repeats lost requests after a pause, up to a limit", async () => {
  const lost: Sent = { failure: { code: "UNREACHABLE", message: "It did not answer." }, lost: true };
  const pause = vi.fn(async () => {});
  const send = vi.fn(async () => lost);
  const outcomes = await claimAll(names(2), options(send, { pause }));
  expect(send).toHaveBeenCalledTimes(MAX_ATTEMPTS);
  expect(pause.mock.calls).toEqual([[1], [2], [3]]);
  expect(outcomes.map((outcome) => outcome.code)).toEqual(["UNREACHABLE", "UNREACHABLE"]);
});

test("stops at a failure of the whole request, and reports it for every device", async () => {
  const send = vi.fn(
    async (): Promise<Sent> => ({ failure: { code: "FORBIDDEN", message: "no" }, lost: false }),
  );
  const outcomes = await claimAll(names(25), options(send));
  expect(send).toHaveBeenCalledTimes(1);
  expect(outcomes.map((outcome) => outcome.code)).toEqual(names(25).map(() => "FORBIDDEN"));
});

test("reports the remaining devices as not tried after Stop", async () => {
  const send = vi.fn(async (chunk: readonly string[]) => claimed(chunk));
  const outcomes = await claimAll(names(30), options(send, { stopped: () => send.mock.calls.length > 0 }));
  expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(10);
  expect(outcomes.filter((outcome) => outcome.code === "NOT_TRIED")).toHaveLength(20);
  expect(new Set(outcomes.map((outcome) => outcome.certid)).size).toBe(30);
});

test("does not report a device as claimed that is missing from the response", async () => {
  const outcomes = await claimAll(
    names(2),
    options(async ([first = ""]) => claimed([first])),
  );
  expect(outcomes.find(({ certid }) => certid === "c1")?.ok).toBe(true);
  const never = await claimAll(
    names(1),
    options(async () => claimed([])),
  );
  expect(never).toMatchObject([{ certid: "c0", ok: false, code: "NOT_TRIED" }]);
});
