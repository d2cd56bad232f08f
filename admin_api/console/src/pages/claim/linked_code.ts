/**
 * The code in the address of the claim page: `/claim#DL1:…` and `/claim?code=…`. A label may carry such a link,
 * which the phone's camera app opens. The code is read once and then removed from the address, so that a
 * reload does not offer the same device again. Nothing is claimed without the user.
 */
import { decodeScanned, LabelError } from "../../label/codec";
import type { FlowEvent } from "./flow";

/** Other fragments belong to the page, for example the link that skips to its content. */
const LOOKS_LIKE_A_CODE = /^#(dl1|[0-9a-f]{32})/i;

/** Return the event for the code in `address`; null if there is none. */
export function linkedCode(address: string): FlowEvent | null {
  const { search, hash } = new URL(address);
  if (new URLSearchParams(search).get("code") === null && !LOOKS_LIKE_A_CODE.test(hash)) return null;
  try {
    return { is: "opened", label: decodeScanned(address) };
  } catch (error) {
    if (!(error instanceof LabelError)) throw error;
    return { is: "error", text: "The link has no valid code. Scan the label, or type the code." };
  }
}

/** The address without the code. */
export function withoutCode(address: string): string {
  return new URL(address).pathname;
}
