/**
 * Claims many devices, a chunk at a time, and says what became of each. A claim that was made already is the same claim
 * again, so that what may have been lost on the way is sent once more; what a person has to look at is not.
 */
import type { Failure } from "../../api/failures";

/** Devices in one request, at most; the API takes 1,000 in all of its time, and a person wants to see it move. */
export const MAX_CHUNK = 50;
const MIN_CHUNK = 10;
const STEPS = 10;
/** How often the same device is sent, at most, before a person decides. */
export const TRIES = 4;
const NOT_TRIED = "NOT_TRIED";

export interface Outcome {
  certid: string;
  ok: boolean;
  code: string | null;
  message: string | null;
}

/** What became of a chunk: an outcome for each, or one failure of them all. `lost`: it may never have arrived. */
export type Sent = { outcomes: readonly Outcome[] } | { failure: Failure; lost: boolean };

export interface Course {
  /** What is settled so far. */
  done: readonly Outcome[];
  /** How many are not. */
  left: number;
}

export interface Means {
  send: (certids: readonly string[]) => Promise<Sent>;
  onProgress: (course: Course) => void;
  /** Waits before what was lost is sent again. */
  pause: (try_: number) => Promise<void>;
  stopped: () => boolean;
}

/** One outcome for each of `certids`. A failure that concerns all of them ends it: theirs, too, is in the outcomes. */
export async function claimAll(certids: readonly string[], means: Means): Promise<readonly Outcome[]> {
  const done: Outcome[] = [];
  const queue = [...certids];
  const tries = new Map<string, number>();
  const size = chunkOf(certids.length);
  while (queue.length > 0 && !means.stopped()) {
    const chunk = queue.splice(0, size);
    const sent = await means.send(chunk);
    const again = settle(chunk, sent, tries, done);
    if ("failure" in sent && !sent.lost) {
      done.push(...queue.splice(0).map((certid) => unsent(certid, sent.failure)));
    }
    queue.unshift(...again);
    means.onProgress({ done: [...done], left: queue.length });
    const tried = Math.max(0, ...again.map((certid) => tries.get(certid) ?? 0));
    if (again.length === chunk.length && tried > 0) await means.pause(tried);
  }
  const stopped = { code: NOT_TRIED, message: "It was stopped before this one's turn. Nothing has changed." };
  return [...done, ...queue.map((certid) => unsent(certid, stopped))];
}

/** A tenth of them at a time, within bounds. */
export function chunkOf(total: number): number {
  return Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, Math.ceil(total / STEPS)));
}

/** Puts what is settled to `done`; gives those that are to be sent again. */
function settle(
  chunk: readonly string[],
  sent: Sent,
  tries: Map<string, number>,
  done: Outcome[],
): readonly string[] {
  const outcomes =
    "failure" in sent ? chunk.map((certid) => unsent(certid, sent.failure)) : outcomesOf(chunk, sent);
  const again: string[] = [];
  for (const outcome of outcomes) {
    const tried = (tries.get(outcome.certid) ?? 0) + 1;
    tries.set(outcome.certid, tried);
    const passing = "failure" in sent ? sent.lost : outcome.code === NOT_TRIED;
    if (passing && tried < TRIES) again.push(outcome.certid);
    else done.push(outcome);
  }
  return again;
}

/** An answer that leaves somebody out must not make it look as if they were claimed. */
function outcomesOf(chunk: readonly string[], { outcomes }: { outcomes: readonly Outcome[] }): Outcome[] {
  const found = new Map(outcomes.map((outcome) => [outcome.certid, outcome]));
  return chunk.map(
    (certid) =>
      found.get(certid) ?? unsent(certid, { code: NOT_TRIED, message: "got no result, want one for each" }),
  );
}

function unsent(certid: string, { code, message }: Failure): Outcome {
  return { certid, ok: false, code, message };
}
