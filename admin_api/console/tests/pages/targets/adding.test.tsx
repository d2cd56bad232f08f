/** Adding a target and changing one: what is checked as it is typed, what is sent, what comes after. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import TargetsPage from "../../../src/pages/targets/targets_page";
import { FakeApi, Refusal, show } from "../../fake_api";
import { COMMAND, check, commands, FOUND, lists, PORTO } from "./answers";

const REGISTERED = { RegisterTarget: { registerTarget: { ...PORTO, setupCommand: COMMAND } } };

async function open(api: FakeApi, menu: string | null = null) {
  const { person } = show(<TargetsPage />, api, { role: "admin" });
  if (menu === null) await person.click(await screen.findByRole("button", { name: /^Add/ }));
  else {
    await person.click(await screen.findByRole("button", { name: "More for Plant Porto" }));
    await person.click(await screen.findByRole("menuitem", { name: menu }));
  }
  const dialog = within(await screen.findByRole("dialog"));
  const fill = async (label: string, words: string) => {
    const field = dialog.getByLabelText(label, { selector: "input" });
    await person.clear(field);
    await person.paste(words);
    await person.tab();
  };
  return { person, dialog, fill };
}

test("a new target leads on to its set-up command, and that to the check", async () => {
  const api = new FakeApi({ ...lists(), ...REGISTERED, ...commands(), ...check(...FOUND) });
  const { person, dialog, fill } = await open(api);
  await fill("AWS account", "2222-2222-2222");
  await fill("Region", "eu-west-1");
  await fill("Name", " Plant Porto ");
  await person.click(dialog.getByRole("button", { name: "Add" }));

  expect(await dialog.findByText("Set up Plant Porto")).toBeDefined();
  expect((await dialog.findByRole("group", { name: "Set-up command" })).textContent).toBe(COMMAND);
  expect(api.variablesOf("RegisterTarget")).toEqual([
    {
      account: "222222222222",
      region: "eu-west-1",
      name: "Plant Porto",
      profiles: ["default"],
      presence: false,
    },
  ]);

  await person.click(dialog.getByRole("button", { name: "Check" }));
  expect(await dialog.findByText(/^All 3 found, in /)).toBeDefined();
  expect(document.activeElement?.textContent).toBe("Check Plant Porto");
});

test("nothing is sent while a field is wrong, and each says what it wants", async () => {
  const api = new FakeApi(lists());
  const { person, dialog, fill } = await open(api);
  await fill("AWS account", "123");
  expect(dialog.getByText("Got 3 digits, want an AWS account id: 12 digits")).toBeDefined();
  await person.click(dialog.getByRole("button", { name: "Add" }));
  expect(dialog.getByText('Got "", want a Region code such as eu-west-1')).toBeDefined();
  expect(dialog.getByText("Got 0 characters, want 1 to 64 printable ones")).toBeDefined();
  expect(api.variablesOf("RegisterTarget")).toEqual([]);
});

test("what may still become right is not called wrong while it is typed; what cannot is at once", async () => {
  const { person, dialog } = await open(new FakeApi(lists()));
  const account = dialog.getByLabelText("AWS account");
  await person.type(account, "123");
  expect(dialog.queryByText(/^Got/)).toBeNull();
  await person.type(account, "x");
  expect(dialog.getByText('Got "123x", want an AWS account id: 12 digits')).toBeDefined();
});

test("one that is registered is not added over it", async () => {
  const api = new FakeApi(lists(PORTO));
  const { person, dialog, fill } = await open(api);
  await fill("AWS account", PORTO.account);
  await fill("Region", PORTO.region);
  await fill("Name", "Another");
  await person.click(dialog.getByRole("button", { name: "Add" }));
  expect(dialog.getByText('Registered already, as "Plant Porto"')).toBeDefined();
  expect(api.variablesOf("RegisterTarget")).toEqual([]);
});

test("Regions are suggested by code and by place", async () => {
  const { person, dialog } = await open(new FakeApi(lists()));
  await person.type(dialog.getByLabelText("Region"), "irel");
  await person.click(await screen.findByRole("option", { name: /eu-west-1/ }));
  expect((dialog.getByLabelText("Region", { selector: "input" }) as HTMLInputElement).value).toBe(
    "eu-west-1",
  );
});

test.each([
  ["INVALID_REGION", "got xx-none-1, want a Region that has AWS IoT, such as eu-west-1", "Region"],
  [
    "INVALID_TARGET",
    "got 222222222222/eu-west-1, the lobby's own account and Region, want another account or Region",
    "Region",
  ],
  ["INVALID_NAME", "got 'x', want 1 to 64 printable characters", "Name"],
])("the API's %s is shown at its field, in its words", async (code, words, label) => {
  const { person, dialog, fill } = await open(
    new FakeApi({ ...lists(), RegisterTarget: new Refusal(code, words) }),
  );
  await fill("AWS account", PORTO.account);
  await fill("Region", PORTO.region);
  await fill("Name", "x");
  await person.click(dialog.getByRole("button", { name: "Add" }));
  const told = await dialog.findByText(words);
  expect(dialog.getByLabelText(label, { selector: "input" }).getAttribute("aria-describedby")).toContain(
    told.id,
  );
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a refusal that is about no field is shown as it is", async () => {
  const refused = new Refusal(
    "CHANGED_MEANWHILE",
    "got 222222222222/eu-west-1, registered by another just now: look",
  );
  const { person, dialog, fill } = await open(new FakeApi({ ...lists(), RegisterTarget: refused }));
  await fill("AWS account", PORTO.account);
  await fill("Region", PORTO.region);
  await fill("Name", "x");
  await person.click(dialog.getByRole("button", { name: "Add" }));
  expect((await dialog.findByRole("alert")).textContent).toContain("registered by another just now");
});

test("a new name needs nothing more", async () => {
  const renamed = { ...PORTO, name: "Porto North" };
  const api = new FakeApi({
    ...lists(PORTO),
    RegisterTarget: { registerTarget: { ...renamed, setupCommand: COMMAND } },
  });
  const { person, dialog, fill } = await open(api, "Rename, set profiles, ask for codes");
  expect(dialog.queryByLabelText("AWS account")).toBeNull();
  await fill("Name", "Porto North");
  api.answer("TargetList", { targets: [renamed] });
  await person.click(dialog.getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("listitem", { name: "Porto North" })).toBeDefined();
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(api.variablesOf("RegisterTarget")[0]).toMatchObject({
    account: PORTO.account,
    profiles: ["default"],
  });
});

test("new profiles lead to the set-up command: their policies are not there yet", async () => {
  const changed = { ...PORTO, profiles: ["default", "gateway"] };
  const api = new FakeApi({
    ...lists(PORTO),
    ...commands(),
    RegisterTarget: { registerTarget: { ...changed, setupCommand: COMMAND } },
  });
  const { person, dialog } = await open(api, "Rename, set profiles, ask for codes");
  await person.type(dialog.getByLabelText("Profiles", { selector: "input" }), "gateway{Enter}");
  await person.click(dialog.getByRole("button", { name: "Save" }));
  expect(await dialog.findByText(/The profiles have changed/)).toBeDefined();
  expect(api.variablesOf("RegisterTarget")[0]?.profiles).toEqual(["default", "gateway"]);
});

test("a target is told to ask for the device's code, and says so in the list", async () => {
  const asking = { ...PORTO, presence: true };
  const api = new FakeApi({
    ...lists(PORTO),
    RegisterTarget: { registerTarget: { ...asking, setupCommand: COMMAND } },
  });
  const { person, dialog } = await open(api, "Rename, set profiles, ask for codes");
  await person.click(dialog.getByRole("switch", { name: /^Ask for the code/ }));
  api.answer("TargetList", { targets: [asking] });
  await person.click(dialog.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Asks for the code")).toBeDefined();
  expect(api.variablesOf("RegisterTarget")[0]).toMatchObject({ profiles: ["default"], presence: true });
});
