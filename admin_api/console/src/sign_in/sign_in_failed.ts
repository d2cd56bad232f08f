/**
 * Explains a failed sign-in without the terms of OAuth and JWT libraries. The cause is logged to the
 * browser's console. Pure.
 */
import * as oauth from "oauth4webapi";
import { clockText } from "../clock/clock_text";

/** The sign-in page returned no code, or the code or the session was rejected. */
export class SignInFailed extends Error {}

/** The session was renewed by another user. */
export class OtherUser extends Error {}

const AGAIN = "Sign in again.";
const BY_CODE: Record<string, string> = {
  access_denied: `The sign-in page refused access. ${AGAIN}`,
  invalid_grant: `This sign-in has expired, or it was used before. ${AGAIN}`,
  invalid_client:
    "The sign-in page does not know this lobby's console. An admin has to deploy the lobby again.",
  unauthorized_client:
    "The sign-in page does not know this lobby's console. An admin has to deploy the lobby again.",
  server_error: "The sign-in page has an internal error. Try again in a moment.",
  temporarily_unavailable: "The sign-in page is overloaded. Try again in a moment.",
};
const UNVERIFIED = `The answer of the sign-in page can't be verified. ${AGAIN}`;

/** `skewMs`: the lobby's time minus this device's. */
export function signInFailure(error: unknown, skewMs: number): SignInFailed {
  return new SignInFailed(textOf(error, skewMs), { cause: error });
}

function textOf(error: unknown, skewMs: number): string {
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError)
    return sentenceIn(error.error_description) ?? BY_CODE[error.error] ?? UNVERIFIED;
  if (isTimeCheck(error)) {
    const clock = skewMs === 0 ? "This device's clock is probably wrong." : clockText(skewMs);
    return `${clock} Set date and time to automatic, then sign in again.`;
  }
  // A lost network is a TypeError; the library reports a gateway's error as a response that does not conform.
  if (error instanceof TypeError || isOutage(error))
    return "The sign-in page did not respond. Check the network, then sign in again.";
  return UNVERIFIED;
}

function isTimeCheck(error: unknown): boolean {
  return error instanceof oauth.OperationProcessingError && error.code === oauth.JWT_TIMESTAMP_CHECK;
}

function isOutage(error: unknown): boolean {
  const status = error instanceof Error && (error.cause as Partial<Response> | undefined)?.status;
  return typeof status === "number" && (status >= 500 || status === 429);
}

/** A description for people, such as "User is disabled."; not "invalid_scope". */
function sentenceIn(description: string | undefined): string | undefined {
  return description && /^\p{Lu}\S* .*\p{Ll}/u.test(description) ? description : undefined;
}
