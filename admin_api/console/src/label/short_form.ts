/** How fingerprints and codes are written for people to compare: in groups of four, as on the label. */

/** `3F2A 91BC 07D4`: a fingerprint's first 12 digits. */
export function shortForm(certid: string): string {
  return inFours(certid.slice(0, 12).toUpperCase());
}

export function inFours(text: string): string {
  return text.replace(/(.{4})(?=.)/g, "$1 ");
}
