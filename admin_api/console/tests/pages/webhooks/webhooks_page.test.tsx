/** The webhooks page: states, the secret that is shown once, actions that ask, and the delivery log. */
import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Webhook } from "../../../src/pages/webhooks/operations";
import { problemsOf } from "../../../src/pages/webhooks/texts";
import WebhooksPage from "../../../src/pages/webhooks/webhooks_page";
import { type Answer, FakeApi, Refusal, show } from "../../fake_api";

const URL = "https://example.com/hook";
const HOOK = {
  __typename: "Webhook",
  id: "wh_5f0c9b1a2d3e4f50",
  url: URL,
  events: ["device.claim", "device.fail"],
  state: "active",
  reason: null,
  failingSince: null,
  previousSecretUntil: null,
  createdBy: "user:ada",
  createdAt: "2026-11-29T10:00:00.000Z",
  undeliveredCount: 0,
};
const SECRET = "whsec_shown-once"; // pragma: allowlist secret
const MADE = {
  __typename: "WebhookWithSecret", // pragma: allowlist secret
  webhook: { __typename: "Webhook", id: HOOK.id, url: URL },
  secret: SECRET,
};
const DELIVERY = {
  __typename: "WebhookDelivery",
  at: "2026-11-30T10:00:00.000Z",
  event: `${"ab".repeat(32)}-3`,
  type: "device.claim",
  attempt: 1,
  result: "DELIVERED",
  status: 204,
  milliseconds: 130,
  nextAt: null,
};
const log = (next: string | null, ...nodes: object[]) => ({
  webhookDeliveries: { __typename: "WebhookDeliveryPage", nodes, next },
});

async function open(hook: object | null, answers: Record<string, Answer> = {}) {
  const api = new FakeApi({ WebhookList: { webhooks: hook ? [hook] : [] }, ...answers });
  const { user } = show(<WebhooksPage />, api, { role: "admin" });
  if (hook) await screen.findByRole("listitem", { name: URL });
  return { api, user };
}
const button = (name: string) => screen.getByRole("button", { name });
const actions = () =>
  within(screen.getByRole("listitem", { name: URL }))
    .getAllByRole("button")
    .map((each) => each.textContent);

const ALWAYS = ["Deliveries", "Rotate secret", "Remove"];

test.each<[string, object, string[], string[]]>([
  ["active", {}, ["Test", "Disable", ...ALWAYS], ["active", "Events: claim, fail"]],
  ["for all events", { events: [] }, ["Test", "Disable", ...ALWAYS], ["All events"]],
  [
    "disabled by a user",
    { state: "disabled", reason: "disabled by user:ada" },
    ["Enable", ...ALWAYS],
    ["disabled", "Disabled: by ada"],
  ],
  [
    "disabled with undelivered events",
    { state: "disabled", reason: "GONE: no request was accepted", undeliveredCount: 3 },
    ["Enable", "Undelivered", ...ALWAYS],
    [
      "Disabled: the receiver says that it is gone (HTTP 410); no request was accepted",
      "3 events undelivered",
    ],
  ],
  [
    "active with an undelivered event",
    { undeliveredCount: 1 },
    ["Test", "Redrive", "Undelivered", "Disable", ...ALWAYS],
    ["1 event undelivered"],
  ],
])("shows a webhook that is %s with its actions", async (_, part, wantActions, wantTexts) => {
  await open({ ...HOOK, ...part });
  const row = within(screen.getByRole("listitem", { name: URL }));
  for (const text of wantTexts) expect(row.getByText(text)).toBeDefined();
  expect(actions().sort()).toEqual([...wantActions].sort());
});

test("says since when a webhook accepts nothing, and that it is signed twice after a rotation", async () => {
  await open({
    ...HOOK,
    failingSince: "2026-11-30T09:00:00.000Z",
    previousSecretUntil: "2026-12-01T09:00:00.000Z", // pragma: allowlist secret
  });
  expect(screen.getByText(/^Has accepted no request since /)).toBeDefined();
  expect(screen.getByText(/^Also signed with the previous secret until /)).toBeDefined();
});

test("explains what a webhook is when there is none", async () => {
  await open(null);
  expect(await screen.findByText("No webhooks")).toBeDefined();
});

test("shows why the list could not be read, and reads it again", async () => {
  const { api, user } = await open(null, {
    WebhookList: new Refusal("FORBIDDEN", "got webhooks by a viewer"),
  });
  expect((await screen.findByRole("alert")).textContent).toContain("got webhooks by a viewer");
  api.answer("WebhookList", { webhooks: [HOOK] });
  await user.click(button("Try again"));
  expect(await screen.findByRole("listitem", { name: URL })).toBeDefined();
});

test("adds a webhook for chosen events and shows its secret once", async () => {
  const { api, user } = await open(null, { AddWebhook: { addWebhook: MADE } });
  await user.click(button("Add webhook"));
  await user.type(await screen.findByLabelText("URL"), ` ${URL} `);
  await user.click(screen.getByRole("combobox", { name: "Events" }));
  await user.click(await screen.findByRole("option", { name: "arrive" }));
  api.answer("WebhookList", { webhooks: [HOOK] });
  await user.click(button("Add"));
  const dialog = within(await screen.findByRole("dialog", { name: "Signing secret" }));
  expect(api.variablesOf("AddWebhook")).toEqual([{ url: URL, events: ["arrive"] }]);
  expect(dialog.getByText(SECRET)).toBeDefined();
  await user.click(dialog.getByRole("button", { name: "Copy secret" }));
  expect(await navigator.clipboard.readText()).toBe(SECRET);
  await user.keyboard("{Escape}");
  expect(screen.getByText(SECRET)).toBeDefined();
  await user.click(dialog.getByRole("button", { name: "Done" }));
  await waitFor(() => expect(screen.queryByText(SECRET)).toBeNull());
  expect(await screen.findByRole("listitem", { name: URL })).toBeDefined();
  await user.click(button("Add webhook"));
  expect(((await screen.findByLabelText("URL")) as HTMLInputElement).value).toBe("");
  expect(screen.queryByText(SECRET)).toBeNull();
});

test("keeps what was entered when the API refuses the address", async () => {
  const { user } = await open(null, {
    AddWebhook: new Refusal("INVALID_URL", "got http, want https", { addWebhook: null }),
  });
  await user.click(button("Add webhook"));
  await user.type(await screen.findByLabelText("URL"), "http://example.com");
  await user.click(button("Add"));
  expect((await screen.findByRole("alert")).textContent).toContain("got http, want https");
  expect((screen.getByLabelText("URL") as HTMLInputElement).value).toBe("http://example.com");
  expect(screen.queryByRole("dialog", { name: "Signing secret" })).toBeNull();
});

test("rotates a secret after asking, and shows the new one", async () => {
  const { api, user } = await open(HOOK, { RotateWebhookSecret: { rotateWebhookSecret: MADE } });
  await user.click(button(`Rotate secret ${URL}`));
  expect(api.variablesOf("RotateWebhookSecret")).toEqual([]);
  await user.click(await screen.findByRole("button", { name: "Rotate secret" }));
  expect(await screen.findByText(SECRET)).toBeDefined();
  expect(api.variablesOf("RotateWebhookSecret")).toEqual([{ id: HOOK.id }]);
});

test.each([
  ["Enable", { state: "disabled", reason: "GONE" }, "enableWebhook", { state: "active" }],
  ["Disable", {}, "disableWebhook", { state: "disabled" }],
  ["Remove", {}, "removeWebhook", {}],
  ["Redrive", { undeliveredCount: 120 }, "redriveWebhook", { redriven: 100 }],
])("%s asks first, and reads the list again", async (title, part, operation, result) => {
  const name = `${title}Webhook`;
  const { api, user } = await open(
    { ...HOOK, ...part },
    { [name]: { [operation]: { __typename: "Webhook", id: HOOK.id, ...result } } },
  );
  await user.click(button(`${title} ${URL}`));
  expect(api.variablesOf(name)).toEqual([]);
  const lists = api.variablesOf("WebhookList").length;
  await user.click(await screen.findByRole("button", { name: title }));
  await waitFor(() => expect(api.variablesOf("WebhookList").length).toBeGreaterThan(lists));
  expect(api.variablesOf(name)).toEqual([{ id: HOOK.id }]);
  if (title === "Redrive") expect(await screen.findByText("100 events sent again")).toBeDefined();
});

test("shows in its dialog why an action failed", async () => {
  const { user } = await open(
    { ...HOOK, undeliveredCount: 1 },
    {
      RedriveWebhook: new Refusal("WEBHOOK_DISABLED", "got it, which is disabled", { redriveWebhook: null }),
    },
  );
  await user.click(button(`Redrive ${URL}`));
  const dialog = within(await screen.findByRole("dialog"));
  await user.click(dialog.getByRole("button", { name: "Redrive" }));
  expect((await dialog.findByRole("alert")).textContent).toContain("which is disabled");
});

test("a test opens the delivery log and waits for the result", async () => {
  const event = "test-0123";
  const { api, user } = await open(HOOK, {
    TestWebhook: { testWebhook: { __typename: "WebhookTest", event } },
    WebhookDeliveries: (_: unknown, nth: number) =>
      nth === 1
        ? log(null, DELIVERY)
        : log(null, { ...DELIVERY, event, type: "test", status: 200 }, DELIVERY),
  });
  await user.click(button(`Test ${URL}`));
  expect(await screen.findByText("A test event was sent. Its result appears here.")).toBeDefined();
  expect(
    await screen.findByText("test: Delivered · HTTP 200 · attempt 1 · 130 ms", {}, { timeout: 4_000 }),
  ).toBeDefined();
  expect(screen.queryByText("A test event was sent. Its result appears here.")).toBeNull();
  expect(api.variablesOf("WebhookDeliveries")).toHaveLength(2);
});

test("says why a test could not be sent", async () => {
  const { user } = await open(HOOK, {
    TestWebhook: new Refusal("INTERNAL", "got a failed queue", { testWebhook: null }),
  });
  await user.click(button(`Test ${URL}`));
  expect((await screen.findByRole("alert")).textContent).toContain("got a failed queue");
});

test("lists deliveries page by page", async () => {
  const failed = {
    ...DELIVERY,
    attempt: 2,
    result: "REJECTED",
    status: 500,
    nextAt: "2026-11-30T10:05:00.000Z",
  };
  const { api, user } = await open(HOOK, {
    WebhookDeliveries: ({ after }: Record<string, unknown>) =>
      after ? log(null, DELIVERY) : log("c1", failed),
  });
  await user.click(button(`Deliveries of ${URL}`));
  const dialog = within(await screen.findByRole("dialog"));
  expect(await dialog.findByText("claim: Rejected · HTTP 500 · attempt 2 · 130 ms")).toBeDefined();
  expect(dialog.getByText(/again at /)).toBeDefined();
  await user.click(dialog.getByRole("button", { name: "Load more" }));
  expect(await dialog.findByText("claim: Delivered · HTTP 204 · attempt 1 · 130 ms")).toBeDefined();
  expect(dialog.queryByRole("button", { name: "Load more" })).toBeNull();
  expect(api.variablesOf("WebhookDeliveries").map(({ after }) => after ?? null)).toEqual([null, "c1"]);
});

test("says that a webhook had no requests", async () => {
  const { user } = await open(HOOK, { WebhookDeliveries: log(null) });
  await user.click(button(`Deliveries of ${URL}`));
  expect(await screen.findByText("No requests in the last 7 days.")).toBeDefined();
});

test("a healthy webhook has no problems", () => {
  expect(problemsOf(HOOK as unknown as Webhook)).toEqual([]);
});
