/** The dialog of undelivered events: its pages, and events that are sent again one by one. */
import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import WebhooksPage from "../../../src/pages/webhooks/webhooks_page";
import { type Answer, FakeApi, Refusal, show } from "../../fake_api";

const URL = "https://example.com/hook";
const HOOK = {
  __typename: "Webhook",
  id: "wh_5f0c9b1a2d3e4f50",
  url: URL,
  events: [],
  state: "active",
  reason: null,
  failingSince: null,
  previousSecretUntil: null,
  createdBy: "user:ada",
  createdAt: "2026-11-29T10:00:00.000Z",
  undeliveredCount: 101,
};
const LOST_EVENT = {
  __typename: "UndeliveredEvent",
  event: "a-1",
  type: "device.claim",
  at: "2026-11-30T10:00:00.000Z",
  result: "TIMEOUT",
  attempts: 8,
};
const undelivered = (...events: object[]) => ({
  webhooks: [{ __typename: "Webhook", id: HOOK.id, undelivered: events }],
});
const REDRIVEN = { redriveWebhook: { __typename: "RedrivenWebhook", id: HOOK.id, redriven: 1 } };

/** Opens the dialog. */
async function open(answers: Record<string, Answer>, part: object = {}) {
  const api = new FakeApi({ WebhookList: { webhooks: [{ ...HOOK, ...part }] }, ...answers });
  const { user } = show(<WebhooksPage />, api, { role: "admin" });
  await user.click(await screen.findByRole("button", { name: `Undelivered to ${URL}` }));
  return { api, user };
}
const button = (name: string) => screen.getByRole("button", { name });

test("lists undelivered events and sends one of them again", async () => {
  const { api, user } = await open({
    UndeliveredEvents: undelivered(LOST_EVENT, { ...LOST_EVENT, event: "b-1" }),
    RedriveWebhook: REDRIVEN,
  });
  const line = within(await screen.findByRole("listitem", { name: "a-1" }));
  expect(line.getByText("claim: No answer within 15 seconds")).toBeDefined();
  expect(line.getByText(/8 attempts$/)).toBeDefined();
  await user.click(button("Send again: a-1"));
  await waitFor(() => expect(screen.queryByRole("listitem", { name: "a-1" })).toBeNull());
  expect(api.variablesOf("RedriveWebhook")).toEqual([{ id: HOOK.id, events: ["a-1"] }]);
  api.answer(
    "RedriveWebhook",
    new Refusal("WEBHOOK_DISABLED", "got it, which is disabled", { redriveWebhook: null }),
  );
  await user.click(button("Send again: b-1"));
  expect((await screen.findByRole("alert")).textContent).toContain("which is disabled");
});

test("a disabled webhook's undelivered events are listed, and not sent", async () => {
  await open({ UndeliveredEvents: undelivered(LOST_EVENT) }, { state: "disabled", reason: "GONE" });
  expect(await screen.findByText("Enable the webhook to send them again.")).toBeDefined();
  expect(screen.queryByRole("button", { name: "Send again: a-1" })).toBeNull();
});

/** The id of the event with this number, in the order in which the API lists them. */
const nth = (number: number) => `e-${String(number).padStart(3, "0")}`;
const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...LOST_EVENT, event: nth(from + index) }));
const lines = () => screen.getAllByRole("listitem").map((each) => each.getAttribute("aria-label"));

test("shows the events after the first hundred, and keeps the list when an event is sent", async () => {
  const { api, user } = await open({
    UndeliveredEvents: ({ after }) => undelivered(...(after ? numbered(100, 1) : numbered(0, 100))),
    RedriveWebhook: REDRIVEN,
  });
  await screen.findByRole("listitem", { name: nth(99) });
  await user.click(button(`Send again: ${nth(99)}`));
  await waitFor(() => expect(lines()).not.toContain(nth(99)));
  await user.click(button("Load more"));
  await screen.findByRole("listitem", { name: nth(100) });
  expect(lines()).toContain(nth(0));
  expect(lines()).not.toContain(nth(99));
  expect(api.variablesOf("UndeliveredEvents").map(({ after }) => after)).toEqual([null, nth(99)]);
  expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
});

test("says that all events are delivered, and why they could not be read", async () => {
  const { api, user } = await open({ UndeliveredEvents: new Refusal("INTERNAL", "got an error") });
  expect((await screen.findByRole("alert")).textContent).toContain("got an error");
  expect(screen.queryByText(/^Every event is delivered/)).toBeNull();
  api.answer("UndeliveredEvents", undelivered());
  await user.click(button("Try again"));
  expect(await screen.findByText("Every event is delivered, or sent again.")).toBeDefined();
});
