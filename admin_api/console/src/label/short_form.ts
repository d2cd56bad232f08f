/** Formats fingerprints and codes for comparison with a label: in groups of four. */

/** `3F2A 91BC 07D4`: the first 12 digits of a fingerprint. */
export function shortForm(certid: string): string {
  return inFours(certid.slice(0, 12).toUpperCase());
}

export function inFours(text: string): string {
  return text.replace(/(.{4})(?=.)/g, "$1 ");
}
