/**
 * A fake API for tests: the real GraphQL client over a `fetch` that returns prepared responses by operation
 * name and records requests. `show` renders a page as a signed-in user at an address.
 */
import { MantineProvider } from "@mantine/core";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Client, cacheExchange, fetchExchange } from "@urql/core";
import type { ReactNode } from "react";
import { Provider } from "urql";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { SessionContext } from "../src/sign_in/gate";
import { MeContext, meOf } from "../src/sign_in/me";
import type { Session } from "../src/sign_in/session";
import { theme } from "../src/theme";

type Variables = Record<string, unknown>;
/** A response: `data`, a `Refusal`, or a function of the variables and the request's number. */
export type Answer = object | Refusal | ((variables: Variables, nth: number) => unknown);

/** An expected error as the API returns it, with `data` for partial results. */
export class Refusal {
  constructor(
    readonly code: string,
    readonly message: string,
    readonly data: object | null = null,
  ) {}
}

/** The request or its response is lost. */
export const LOST = () => {
  throw new TypeError("fetch failed");
};

/** A response that the test releases. */
export function later(): { answer: () => Promise<unknown>; give: (data: unknown) => void } {
  let give: (data: unknown) => void = () => {};
  const promise = new Promise((resolve) => {
    give = resolve;
  });
  return { answer: () => promise, give };
}

export interface RecordedRequest {
  name: string;
  variables: Variables;
}

export class FakeApi {
  /** All requests, in order. */
  readonly requests: RecordedRequest[] = [];
  readonly client: Client;
  readonly #answers: Record<string, Answer>;

  constructor(answers: Record<string, Answer>) {
    this.#answers = { ...answers };
    this.client = new Client({
      url: "http://lobby.test/graphql",
      preferGetMethod: false,
      exchanges: [cacheExchange, fetchExchange],
      fetch: (_, init) => this.#fetch(JSON.parse(String(init?.body))),
    });
  }

  /** Sets a response from now on. */
  answer(name: string, answer: Answer): void {
    this.#answers[name] = answer;
  }

  /** The variables of each request for `name`. */
  variablesOf(name: string): Variables[] {
    return this.requests.filter((requests) => requests.name === name).map(({ variables }) => variables);
  }

  async #fetch({ operationName: name, variables = {} }: { operationName: string; variables?: Variables }) {
    this.requests.push({ name, variables });
    const answer = this.#answers[name];
    if (answer === undefined)
      throw new Error(`got the operation ${name}, want one of ${Object.keys(this.#answers)}`);
    const response =
      typeof answer === "function" ? await answer(variables, this.variablesOf(name).length) : answer;
    const body =
      response instanceof Refusal
        ? {
            data: response.data,
            errors: [{ message: response.message, extensions: { code: response.code } }],
          }
        : { data: response };
    return new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
  }
}

const SEE = [
  "me",
  "overview",
  "getDevice",
  "listDevices",
  "listLobbyDevices",
  "device",
  "devices",
  "targets",
  "verifyHistory",
  "anchoredDevices",
  "exportHistory",
];
const CLAIM = [...SEE, "addDevice", "claimDevice", "claimSerialNumbers", "claimDevices", "confirmPresence"];
const CHANGE = [
  "moveDevice",
  "configureDevice",
  "releaseDevice",
  "revokeDevice",
  "retryDevice",
  "renewDevice",
  "dismissSuspicion",
  "quarantineDevice",
  "liftQuarantine",
  "offerDevices",
  "withdrawTransfers",
  "transfers",
];
const BULK_CHANGE = ["previewChange", "changeDevices"];
const TOKENS = ["enrolmentTokens", "createEnrolmentToken", "revokeEnrolmentToken"];
const ENROLMENTS = ["enrolments", "pauseEnrolment", "resumeEnrolment", "revokeEnrolment", ...TOKENS];
const CAMPAIGNS = [
  "previewCampaign",
  "createCampaign",
  "approveCampaign",
  "pauseCampaign",
  "resumeCampaign",
  "cancelCampaign",
  "undoCampaign",
  "campaign",
  "campaigns",
  "campaignResults",
];
const OPERATE = [...CLAIM, ...CHANGE, ...BULK_CHANGE, "checkTarget", "activity", ...ENROLMENTS, ...CAMPAIGNS];
const WEBHOOKS = [
  "webhooks",
  "webhookDeliveries",
  "addWebhook",
  "rotateWebhookSecret",
  "disableWebhook",
  "enableWebhook",
  "removeWebhook",
  "testWebhook",
  "redriveWebhook",
];
const USERS = ["blockedUsers", "blockUser", "unblockUser"];
/** As `admin_api/roles.py` has it. */
export const ROLES = {
  viewer: SEE,
  technician: CLAIM,
  operator: OPERATE,
  admin: [...OPERATE, "registerTarget", "createEnrolment", ...WEBHOOKS, ...USERS],
} as const;
export type Role = keyof typeof ROLES;

interface Scene {
  role?: Role;
  /** Path and search: `/devices?state=failed`. */
  at?: string;
  /** False: the page was opened without a network. */
  signedIn?: boolean;
}

/** Renders `page`; returns the rendering, a user for typing and clicking, and the visited addresses. */
export function show(
  page: ReactNode,
  api: FakeApi,
  { role = "operator", at = "/", signedIn = true }: Scene = {},
) {
  const location = memoryLocation({ path: at, record: true });
  const me = meOf({ name: "ada", role, operations: [...ROLES[role]] });
  const within = signedIn ? <MeContext value={me}>{page}</MeContext> : page;
  const rendering = render(
    <MantineProvider theme={theme} env="test" withCssVariables={false} withGlobalClasses={false}>
      <Provider value={api.client}>
        <Router hook={location.hook} searchHook={location.searchHook}>
          <SessionContext value={signedIn ? ({} as Session) : null}>{within}</SessionContext>
        </Router>
      </Provider>
    </MantineProvider>,
  );
  return { ...rendering, user: userEvent.setup(), visited: location.history };
}
