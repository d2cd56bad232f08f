/** Checking a target, and its set-up command: while it runs, what it finds, what each role may do about it. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import TargetsPage from "../../../src/pages/targets/targets_page";
import { FakeApi, later, Refusal, type Role, show } from "../../fake_api";
import { COMMAND, check, commands, DENIED, FOUND, lists, PORTO, UNTOLD } from "./answers";

async function checking(answers: object, role: Role = "operator") {
  const api = new FakeApi({ ...lists(PORTO), ...commands(), ...answers });
  const { person } = show(<TargetsPage />, api, { role });
  await person.click(await screen.findByRole("button", { name: "Check Plant Porto" }));
  return { api, person, dialog: within(await screen.findByRole("dialog")) };
}

test("while it runs it says so; then each permission, and how long it took", async () => {
  const slow = later();
  const { api, dialog } = await checking({ CheckTarget: slow.answer });
  expect(dialog.getByRole("status").textContent).toContain(
    "Trying every permission in 222222222222/eu-west-1",
  );
  expect(dialog.getByRole("progressbar", { name: "The check runs" })).toBeDefined();
  expect(api.variablesOf("CheckTarget")).toEqual([{ account: "222222222222", region: "eu-west-1" }]);

  slow.give(check(...FOUND).CheckTarget);
  expect(await dialog.findByText(/^All 3 found, in \d+\.\d s$/)).toBeDefined();
  expect(dialog.queryByRole("progressbar")).toBeNull();
  const lines = within(dialog.getByRole("list", { name: "Findings" })).getAllByRole("listitem");
  expect(lines.map((line) => line.textContent)).toEqual([
    expect.stringMatching(/^Foundsts:AssumeRoleassumed arn:/),
    "Foundiot:CreateThing",
    expect.stringContaining("abc-ats.iot.eu-west-1.amazonaws.com"),
  ]);
});

test("what is missing comes first, in AWS's words; an operator asks an admin", async () => {
  const { dialog } = await checking(check(...FOUND, DENIED));
  expect(await dialog.findByText(/^1 of 4 missing, in /)).toBeDefined();
  expect(dialog.getByText(/ask an admin of the lobby/)).toBeDefined();
  const [first] = within(dialog.getByRole("list", { name: "Findings" })).getAllByRole("listitem");
  expect(first?.textContent).toBe(`Missing${DENIED.step}${DENIED.message}`);
});

test("an admin is led to the command, and from there back to the check", async () => {
  const { api, person, dialog } = await checking(check(...FOUND, DENIED), "admin");
  await person.click(await dialog.findByRole("button", { name: "Show the command" }));
  expect((await dialog.findByRole("group", { name: "Set-up command" })).textContent).toBe(COMMAND);
  api.answer("CheckTarget", check(...FOUND).CheckTarget);
  await person.click(dialog.getByRole("button", { name: "Check" }));
  expect(await dialog.findByText(/^All 3 found/)).toBeDefined();
});

test("what AWS did not tell is not called missing, and no command is run for it", async () => {
  const { dialog } = await checking(check(...FOUND, UNTOLD), "admin");
  expect(await dialog.findByText(/^1 step could not be told/)).toBeDefined();
  expect(dialog.getByText("Not told")).toBeDefined();
  expect(dialog.queryByRole("button", { name: "Show the command" })).toBeNull();
});

test("a check that fails says why, and is tried again", async () => {
  const refused = new Refusal("UNKNOWN_TARGET", "got 222222222222/eu-west-1, want a registered target");
  const { api, person, dialog } = await checking({ CheckTarget: refused });
  expect((await dialog.findByRole("alert")).textContent).toContain("want a registered target");
  api.answer("CheckTarget", check(...FOUND).CheckTarget);
  await person.click(dialog.getByRole("button", { name: "Try again" }));
  expect(await dialog.findByText(/^All 3 found/)).toBeDefined();
});

test("the list remembers what the last check found", async () => {
  const { person, dialog } = await checking(check(...FOUND, DENIED));
  await dialog.findByText(/^1 of 4 missing/);
  await person.click(dialog.getByRole("button", { name: "Close" }));
  expect((await screen.findByRole("listitem", { name: "Plant Porto" })).textContent).toContain(
    "1 of 4 missing, just now",
  );
});

async function setup(answers: object) {
  const api = new FakeApi({ ...lists(PORTO), ...answers });
  const { person } = show(<TargetsPage />, api, { role: "admin" });
  await person.click(await screen.findByRole("button", { name: "More for Plant Porto" }));
  await person.click(await screen.findByRole("menuitem", { name: "Show the set-up command" }));
  return { person, dialog: within(await screen.findByRole("dialog")) };
}

test("the set-up command is copied word for word", async () => {
  const { person, dialog } = await setup(commands());
  await person.click(await dialog.findByRole("button", { name: "Copy the command" }));
  expect(await navigator.clipboard.readText()).toBe(COMMAND);
});

test("a second Region of an account says that the first one comes before it", async () => {
  const { dialog } = await setup(commands(`${COMMAND} --without-role`));
  expect(await dialog.findByText("Another Region of this account comes first")).toBeDefined();
});

test("a command that cannot be had says why", async () => {
  const { dialog } = await setup({ SetupCommands: new Refusal("FORBIDDEN", "got targets by a nobody") });
  expect((await dialog.findByRole("alert")).textContent).toContain("got targets by a nobody");
});
