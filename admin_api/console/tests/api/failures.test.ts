/** Failures are reported with the API's code and message, or as network failures. */

import { CombinedError } from "@urql/core";
import { expect, test, vi } from "vitest";
import { failureOf, isLostNetwork, titleOf } from "../../src/api/failures";

function refused(extensions: Record<string, unknown>): CombinedError {
  return new CombinedError({ graphQLErrors: [{ message: "got x, want y", extensions }] });
}

function answered(status: number): CombinedError {
  return new CombinedError({ networkError: new Error("no JSON"), response: { status } as Response });
}

const lost = new CombinedError({ networkError: new TypeError("fetch failed") });

test("returns the API's code and message", () => {
  expect(failureOf(refused({ code: "ALREADY_CLAIMED" }))).toEqual({
    code: "ALREADY_CLAIMED",
    message: "got x, want y",
  });
});

test("returns the correlation id if there is one", () => {
  const failure = failureOf(refused({ code: "INTERNAL", correlationId: "c-1" }));
  expect(failure).toEqual({ code: "INTERNAL", message: "got x, want y", correlationId: "c-1" });
});

test("returns the first of several errors", () => {
  const error = new CombinedError({ graphQLErrors: ["first", "second"] });
  expect(failureOf(error)).toEqual({ code: "ERROR", message: "first" });
});

test("reports OFFLINE without a network", () => {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
  expect(failureOf(lost).code).toBe("OFFLINE");
});

test.each([500, 502, 503, 504, 429])("reports a gateway's %i as unreachable", (status) => {
  expect(failureOf(answered(status)).code).toBe("UNREACHABLE");
});

test("reports a session that has ended in words", () => {
  const failure = failureOf(answered(401));
  expect(failure).toEqual({
    code: "UNAUTHENTICATED",
    message: "Your session has ended. Sign in to continue.",
  });
  expect(titleOf(failure.code)).toBe("You're not signed in");
});

test("reports the page of a Wi-Fi network as unreachable", () => {
  expect(failureOf(answered(200)).code).toBe("UNREACHABLE");
});

test("reports other gateway errors by status", () => {
  expect(failureOf(answered(403)).code).toBe("HTTP_403");
  expect(titleOf("HTTP_403")).toBe("Request rejected");
  expect(failureOf(answered(403)).message).not.toContain("no JSON");
});

test.each<[string, CombinedError, boolean]>([
  ["no answer", lost, true],
  ["a gateway's 502", answered(502), true],
  ["a refusal by the gateway", answered(403), false],
  ["a refusal by the API", refused({ code: "FORBIDDEN" }), false],
])("after %s, the request may be lost: %s", (_, error, want) => {
  expect(isLostNetwork(error)).toBe(want);
});

test("uses an unknown code as its own title", () => {
  expect(titleOf("ALREADY_CLAIMED")).toBe("Already claimed");
  expect(titleOf("SOMETHING_NEW")).toBe("SOMETHING_NEW");
});
