/** Checking a target and its setup command: progress, findings, and actions by role. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import TargetsPage from "../../../src/pages/targets/targets_page";
import { FakeApi, later, Refusal, type Role, show } from "../../fake_api";
import { COMMAND, check, commands, DENIED, FOUND, INCONCLUSIVE, lists, PORTO } from "./target_fixtures";

async function checking(answers: object, role: Role = "operator") {
  const api = new FakeApi({ ...lists(PORTO), ...commands(), ...answers });
  const { user } = show(<TargetsPage />, api, { role });
  await user.click(await screen.findByRole("button", { name: "Check Plant Porto" }));
  return { api, user, dialog: within(await screen.findByRole("dialog")) };
}

test("shows progress, then each permission and the duration", async () => {
  const slow = later();
  const { api, dialog } = await checking({ CheckTarget: slow.answer });
  expect(dialog.getByRole("status").textContent).toContain(
    "Testing every permission in 222222222222/eu-west-1",
  );
  expect(dialog.getByRole("progressbar", { name: "Check in progress" })).toBeDefined();
  expect(api.variablesOf("CheckTarget")).toEqual([{ account: "222222222222", region: "eu-west-1" }]);

  slow.give(check(...FOUND).CheckTarget);
  expect(await dialog.findByText(/^All 3 found \(\d+\.\d s\)$/)).toBeDefined();
  expect(dialog.queryByRole("progressbar")).toBeNull();
  const lines = within(dialog.getByRole("list", { name: "Findings" })).getAllByRole("listitem");
  expect(lines.map((line) => line.textContent)).toEqual([
    expect.stringMatching(/^Foundsts:AssumeRoleassumed arn:/),
    "Foundiot:CreateThing",
    expect.stringContaining("abc-ats.iot.eu-west-1.amazonaws.com"),
  ]);
});

test("lists missing permissions first; an operator is referred to an admin", async () => {
  const { dialog } = await checking(check(...FOUND, DENIED));
  expect(await dialog.findByText(/^1 of 4 missing \(/)).toBeDefined();
  expect(dialog.getByText(/Ask an admin of the lobby/)).toBeDefined();
  const [first] = within(dialog.getByRole("list", { name: "Findings" })).getAllByRole("listitem");
  expect(first?.textContent).toBe(`Missing${DENIED.step}${DENIED.message}`);
});

test("leads an admin to the command and back to the check", async () => {
  const { api, user, dialog } = await checking(check(...FOUND, DENIED), "admin");
  await user.click(await dialog.findByRole("button", { name: "Show command" }));
  expect((await dialog.findByRole("group", { name: "Setup command" })).textContent).toBe(COMMAND);
  api.answer("CheckTarget", check(...FOUND).CheckTarget);
  await user.click(dialog.getByRole("button", { name: "Check" }));
  expect(await dialog.findByText(/^All 3 found/)).toBeDefined();
});

test("does not call an inconclusive step missing, and suggests no command", async () => {
  const { dialog } = await checking(check(...FOUND, INCONCLUSIVE), "admin");
  expect(await dialog.findByText(/^1 step inconclusive/)).toBeDefined();
  expect(dialog.getByText("Unknown")).toBeDefined();
  expect(dialog.queryByRole("button", { name: "Show command" })).toBeNull();
});

test("reports a failed check and tries again", async () => {
  const refused = new Refusal("UNKNOWN_TARGET", "got 222222222222/eu-west-1, want a registered target");
  const { api, user, dialog } = await checking({ CheckTarget: refused });
  expect((await dialog.findByRole("alert")).textContent).toContain("want a registered target");
  api.answer("CheckTarget", check(...FOUND).CheckTarget);
  await user.click(dialog.getByRole("button", { name: "Try again" }));
  expect(await dialog.findByText(/^All 3 found/)).toBeDefined();
});

test("shows the last check in the list", async () => {
  const { user, dialog } = await checking(check(...FOUND, DENIED));
  await dialog.findByText(/^1 of 4 missing/);
  await user.click(dialog.getByRole("button", { name: "Close" }));
  expect((await screen.findByRole("listitem", { name: "Plant Porto" })).textContent).toContain(
    "1 of 4 missing, just now",
  );
});

async function setup(answers: object) {
  const api = new FakeApi({ ...lists(PORTO), ...answers });
  const { user } = show(<TargetsPage />, api, { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "More actions for Plant Porto" }));
  await user.click(await screen.findByRole("menuitem", { name: "Show setup command" }));
  return { user, dialog: within(await screen.findByRole("dialog")) };
}

test("copies the setup command exactly", async () => {
  const { user, dialog } = await setup(commands());
  await user.click(await dialog.findByRole("button", { name: "Copy command" }));
  expect(await navigator.clipboard.readText()).toBe(COMMAND);
});

test("warns that the account's first Region must be set up first", async () => {
  const { dialog } = await setup(commands(`${COMMAND} --without-role`));
  expect(await dialog.findByText("Set up another Region of this account first")).toBeDefined();
});

test("reports a command that cannot be loaded", async () => {
  const { dialog } = await setup({
    SetupCommands: new Refusal("FORBIDDEN", "got targets by a role without permission"),
  });
  expect((await dialog.findByRole("alert")).textContent).toContain(
    "got targets by a role without permission",
  );
});
