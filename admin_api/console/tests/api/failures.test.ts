/** Every failure is told as it is: the API's code and words, or the network's; nothing is made up. */

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

test("the API's own code and words", () => {
  expect(failureOf(refused({ code: "ALREADY_CLAIMED" }))).toEqual({
    code: "ALREADY_CLAIMED",
    message: "got x, want y",
  });
});

test("the correlation id, where there is one", () => {
  const failure = failureOf(refused({ code: "INTERNAL", correlationId: "c-1" }));
  expect(failure).toEqual({ code: "INTERNAL", message: "got x, want y", correlationId: "c-1" });
});

test("the first of several", () => {
  const error = new CombinedError({ graphQLErrors: ["first", "second"] });
  expect(failureOf(error)).toEqual({ code: "ERROR", message: "first" });
});

test("without a network it says that the network is gone", () => {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
  expect(failureOf(lost).code).toBe("OFFLINE");
});

test.each([500, 502, 503, 504, 429])("with a network, an answer of %i is the lobby's", (status) => {
  expect(failureOf(answered(status)).code).toBe("UNREACHABLE");
});

test("what the gateway says that is no outage is told as it is", () => {
  expect(failureOf(answered(404))).toEqual({ code: "HTTP_404", message: "no JSON" });
});

test.each<[string, CombinedError, boolean]>([
  ["no answer", lost, true],
  ["a gateway's 502", answered(502), true],
  ["a refusal by the gateway", answered(403), false],
  ["a refusal by the API", refused({ code: "FORBIDDEN" }), false],
])("after %s the request may never have arrived: %s", (_, error, want) => {
  expect(isLostNetwork(error)).toBe(want);
});

test("a code without words of ours is its own title", () => {
  expect(titleOf("ALREADY_CLAIMED")).toBe("Already claimed");
  expect(titleOf("SOMETHING_NEW")).toBe("SOMETHING_NEW");
});
