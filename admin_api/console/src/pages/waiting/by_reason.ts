/** Failures put together by why they failed, the most frequent first: a thousand lines with one reason are one. */
import type { Outcome } from "./bulk_claim";

export interface Reason {
  code: string;
  message: string;
  certids: readonly string[];
}

export function byReason(failed: readonly Outcome[]): readonly Reason[] {
  const found = new Map<string, { code: string; message: string; certids: string[] }>();
  for (const { certid, code, message } of failed) {
    const words = { code: code ?? "ERROR", message: withoutName(message ?? "", certid) };
    const key = `${words.code} ${words.message}`;
    const reason = found.get(key) ?? { ...words, certids: [] };
    reason.certids.push(certid);
    found.set(key, reason);
  }
  return [...found.values()].sort((one, other) => other.certids.length - one.certids.length);
}

/** A message that names its device is the same message for the next one; which device it is, is shown beside it. */
function withoutName(message: string, certid: string): string {
  return message.replaceAll(certid, "it");
}
