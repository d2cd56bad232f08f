/** Groups failures by reason, most frequent first. */

/** A device for which an operation failed. */
export interface Failed {
  certid: string;
  code: string | null;
  message: string | null;
}

export interface Reason {
  code: string;
  message: string;
  certids: readonly string[];
}

export function byReason(failed: readonly Failed[]): readonly Reason[] {
  const groups = new Map<string, { code: string; message: string; certids: string[] }>();
  for (const { certid, code, message } of failed) {
    const text = { code: code ?? "ERROR", message: withoutFingerprint(message ?? "", certid) };
    const key = `${text.code} ${text.message}`;
    const reason = groups.get(key) ?? { ...text, certids: [] };
    reason.certids.push(certid);
    groups.set(key, reason);
  }
  return [...groups.values()].sort((one, other) => other.certids.length - one.certids.length);
}

/** Replaces the fingerprint in a message, so that equal messages about different devices are grouped. */
function withoutFingerprint(message: string, certid: string): string {
  return message.replaceAll(certid, "it");
}
