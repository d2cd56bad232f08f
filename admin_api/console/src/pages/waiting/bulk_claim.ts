/**
 * Claims many devices in chunks and returns an outcome for each. Repeating a claim has no effect, so requests
 * that may have been lost are sent again; other failures are not.
 */
import type { Failure } from "../../api/failures";

/** The maximum per request. The API accepts 1,000, but smaller chunks show progress. */
export const MAX_CHUNK = 50;
const MIN_CHUNK = 10;
const STEPS = 10;
/** The maximum number of requests per device before the user decides. */
export const MAX_ATTEMPTS = 4;
const NOT_TRIED = "NOT_TRIED";

export interface Outcome {
  certid: string;
  ok: boolean;
  code: string | null;
  message: string | null;
}

/**
 * The result of a chunk: an outcome per device, or one failure for all. `lost`: the request may not have
 * arrived.
 */
export type Sent = { outcomes: readonly Outcome[] } | { failure: Failure; lost: boolean };

export interface BulkProgress {
  /** The final outcomes so far. */
  done: readonly Outcome[];
  /** The number of devices without an outcome. */
  left: number;
}

export interface BulkClaimOptions {
  send: (certids: readonly string[]) => Promise<Sent>;
  onProgress: (progress: BulkProgress) => void;
  /** Waits before lost requests are sent again. */
  pause: (attempt: number) => Promise<void>;
  stopped: () => boolean;
}

/**
 * Return one outcome for each of `certids`. A failure of the whole request ends the run; the remaining
 * devices get the same failure.
 */
export async function claimAll(
  certids: readonly string[],
  options: BulkClaimOptions,
): Promise<readonly Outcome[]> {
  const done: Outcome[] = [];
  const queue = [...certids];
  const attempts = new Map<string, number>();
  const size = chunkOf(certids.length);
  while (queue.length > 0 && !options.stopped()) {
    const chunk = queue.splice(0, size);
    const sent = await options.send(chunk);
    const again = settle(chunk, sent, attempts, done);
    if ("failure" in sent && !sent.lost) {
      done.push(...queue.splice(0).map((certid) => unsent(certid, sent.failure)));
    }
    queue.unshift(...again);
    options.onProgress({ done: [...done], left: queue.length });
    const attempted = Math.max(0, ...again.map((certid) => attempts.get(certid) ?? 0));
    if (again.length === chunk.length && attempted > 0) await options.pause(attempted);
  }
  const stopped = { code: NOT_TRIED, message: "Stopped before this device. Nothing has changed." };
  return [...done, ...queue.map((certid) => unsent(certid, stopped))];
}

/** A tenth of the total, within bounds. */
export function chunkOf(total: number): number {
  return Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, Math.ceil(total / STEPS)));
}

/** Add final outcomes to `done` and return the devices to send again. */
function settle(
  chunk: readonly string[],
  sent: Sent,
  attempts: Map<string, number>,
  done: Outcome[],
): readonly string[] {
  const outcomes =
    "failure" in sent ? chunk.map((certid) => unsent(certid, sent.failure)) : outcomesOf(chunk, sent);
  const again: string[] = [];
  for (const outcome of outcomes) {
    const attempted = (attempts.get(outcome.certid) ?? 0) + 1;
    attempts.set(outcome.certid, attempted);
    const transient = "failure" in sent ? sent.lost : outcome.code === NOT_TRIED;
    if (transient && attempted < MAX_ATTEMPTS) again.push(outcome.certid);
    else done.push(outcome);
  }
  return again;
}

/** A device missing from a response must not appear as claimed. */
function outcomesOf(chunk: readonly string[], { outcomes }: { outcomes: readonly Outcome[] }): Outcome[] {
  const byCertid = new Map(outcomes.map((outcome) => [outcome.certid, outcome]));
  return chunk.map(
    (certid) =>
      byCertid.get(certid) ??
      unsent(certid, { code: NOT_TRIED, message: "The API returned no result for this device." }),
  );
}

function unsent(certid: string, { code, message }: Failure): Outcome {
  return { certid, ok: false, code, message };
}
