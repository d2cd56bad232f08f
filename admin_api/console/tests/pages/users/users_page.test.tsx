/** The page of blocked users: the list, blocking, unblocking, and what the API refuses. */
import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import UsersPage from "../../../src/pages/users/users_page";
import { type Answer, FakeApi, Refusal, show } from "../../fake_api";

const BOB = {
  __typename: "BlockedUser",
  name: "bob",
  by: "user:ada",
  at: "2026-11-29T10:00:00.000Z",
};
const LEFT = { __typename: "BlockedUser", name: "bob", campaigns: [], created: [] };
const NOTHING_LEFT = { LeftByUsers: { blockedUsers: [LEFT] } };
const CAMPAIGN = {
  __typename: "UnfinishedCampaign",
  name: "to-porto",
  state: "stopped",
  stoppedBecause: "USER_BLOCKED",
};
const TOKEN = {
  __typename: "UserCreation",
  kind: "token",
  name: "pumps.abc",
  detail: "of pumps, 0 of 3 uses",
};

async function open(users: object[], answers: Record<string, Answer> = {}) {
  const api = new FakeApi({ BlockedUsers: { blockedUsers: users }, ...NOTHING_LEFT, ...answers });
  const { user } = show(<UsersPage />, api, { role: "admin" });
  await screen.findByRole("heading", { name: users.length > 0 ? "bob" : "No blocked users" });
  return { api, user };
}
const button = (name: string) => screen.getByRole("button", { name });

test("shows who is blocked, by whom, and their activity", async () => {
  await open([BOB]);
  const row = within(screen.getByRole("listitem", { name: "bob" }));
  expect(row.getByText(/^Blocked by/).textContent).toMatch(/^Blocked by ada, /);
  expect(row.getByRole("link", { name: "Activity of bob" }).getAttribute("href")).toBe("/activity?user=bob");
});

test("shows the campaigns that the block has stopped, and what still works", async () => {
  const campaigns = [CAMPAIGN, { ...CAMPAIGN, name: "waits", state: "approval", stoppedBecause: null }];
  const offer = { ...TOKEN, kind: "offer", name: "0123", detail: "to Bob Ltd, 2 devices" };
  const left = { ...LEFT, campaigns, created: [TOKEN, offer] };
  await open([BOB], { LeftByUsers: { blockedUsers: [left] } });
  await screen.findByRole("list", { name: "Created by bob" });
  const listed = (name: string) =>
    within(screen.getByRole("list", { name }))
      .getAllByRole("listitem")
      .map((each) => each.textContent);
  expect(listed("Campaigns of bob")).toEqual(["to-porto: stopped by the block", "waits: approval"]);
  expect(screen.getByRole("link", { name: "to-porto" }).getAttribute("href")).toBe("/campaigns/to-porto");
  expect(listed("Created by bob")).toEqual([
    "token pumps.abc: of pumps, 0 of 3 uses",
    "offer 0123: to Bob Ltd, 2 devices",
  ]);
  expect(screen.getByRole("link", { name: "token" }).getAttribute("href")).toBe("/enrolments");
});

test("shows blocked users even if what they have created cannot be read", async () => {
  const { api, user } = await open([BOB], {
    LeftByUsers: new Refusal("INTERNAL", "internal error"),
  });
  expect((await screen.findByRole("alert")).textContent).toContain("internal error");
  expect(screen.getByText(/The blocks are in effect/)).toBeDefined();
  expect(button("Unblock bob")).toBeDefined();
  api.answer("LeftByUsers", { blockedUsers: [{ ...LEFT, created: [TOKEN] }] });
  await user.click(button("Try again"));
  expect(await screen.findByRole("list", { name: "Created by bob" })).toBeDefined();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a user who has left nothing has no lists", async () => {
  const { api } = await open([BOB]);
  await waitFor(() => expect(api.variablesOf("LeftByUsers")).toHaveLength(1));
  expect(screen.queryByRole("list", { name: /^Campaigns of|^Created by/ })).toBeNull();
});

test("blocks a user by name and reads the list again", async () => {
  const { api, user } = await open([], { BlockUser: { blockUser: BOB } });
  await user.click(button("Block user"));
  const dialog = within(await screen.findByRole("dialog", { name: "Block user" }));
  expect((dialog.getByRole("button", { name: "Block" }) as HTMLButtonElement).disabled).toBe(true);
  await user.type(dialog.getByLabelText("Name"), " bob ");
  api.answer("BlockedUsers", { blockedUsers: [BOB] });
  await user.click(dialog.getByRole("button", { name: "Block" }));
  expect(await screen.findByRole("listitem", { name: "bob" })).toBeDefined();
  expect(screen.getByText("bob is blocked.")).toBeDefined();
  expect(api.variablesOf("BlockUser")).toEqual([{ name: "bob" }]);
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
});

test.each([
  ["oneself", 'got "ada", which is you, want another user'],
  ["a name of no user", "got a name with a line break, want a user name of 1 to 128 characters"],
])("shows why %s cannot be blocked, and keeps the name", async (_, message) => {
  const { api, user } = await open([], {
    BlockUser: new Refusal("INVALID_USER", message, { blockUser: null }),
  });
  await user.click(button("Block user"));
  await user.type(await screen.findByLabelText("Name"), "ada{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain(message);
  expect((screen.getByLabelText("Name") as HTMLInputElement).value).toBe("ada");
  expect(api.variablesOf("BlockedUsers")).toHaveLength(1);
});

test("asks before it unblocks a user", async () => {
  const { api, user } = await open([BOB], {
    UnblockUser: { unblockUser: { __typename: "UnblockedUser", name: "bob" } },
  });
  await user.click(button("Unblock bob"));
  const dialog = within(await screen.findByRole("dialog", { name: "Unblock bob?" }));
  expect(api.variablesOf("UnblockUser")).toEqual([]);
  api.answer("BlockedUsers", { blockedUsers: [] });
  await user.click(dialog.getByRole("button", { name: "Unblock" }));
  expect(await screen.findByText("bob is no longer blocked.")).toBeDefined();
  expect(await screen.findByText("No blocked users")).toBeDefined();
  expect(api.variablesOf("UnblockUser")).toEqual([{ name: "bob" }]);
});

test("shows in its dialog why a user could not be unblocked", async () => {
  const { user } = await open([BOB], {
    UnblockUser: new Refusal("NOT_HOME", "got a change in another Region", { unblockUser: null }),
  });
  await user.click(button("Unblock bob"));
  const dialog = within(await screen.findByRole("dialog"));
  await user.click(dialog.getByRole("button", { name: "Unblock" }));
  expect((await dialog.findByRole("alert")).textContent).toContain("got a change in another Region");
});

test("shows why the list could not be read, and reads it again", async () => {
  const api = new FakeApi({
    BlockedUsers: new Refusal("FORBIDDEN", "got blockedUsers by an operator"),
    ...NOTHING_LEFT,
  });
  const { user } = show(<UsersPage />, api, { role: "admin" });
  expect((await screen.findByRole("alert")).textContent).toContain("got blockedUsers by an operator");
  expect(screen.queryByText("No blocked users")).toBeNull();
  api.answer("BlockedUsers", { blockedUsers: [BOB] });
  await user.click(button("Try again"));
  expect(await screen.findByRole("listitem", { name: "bob" })).toBeDefined();
});
