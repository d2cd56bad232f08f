/** Adding and changing a target: validation, request, and next step. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import TargetsPage from "../../../src/pages/targets/targets_page";
import { FakeApi, Refusal, show } from "../../fake_api";
import { COMMAND, check, commands, FOUND, lists, PORTO } from "./target_fixtures";

const REGISTERED = { RegisterTarget: { registerTarget: { ...PORTO, setupCommand: COMMAND } } };

async function open(api: FakeApi, menu: string | null = null) {
  const { user } = show(<TargetsPage />, api, { role: "admin" });
  if (menu === null) await user.click(await screen.findByRole("button", { name: /^Add/ }));
  else {
    await user.click(await screen.findByRole("button", { name: "More actions for Plant Porto" }));
    await user.click(await screen.findByRole("menuitem", { name: menu }));
  }
  const dialog = within(await screen.findByRole("dialog"));
  const fill = async (label: string, text: string) => {
    const field = dialog.getByLabelText(label, { selector: "input" });
    await user.clear(field);
    await user.paste(text);
    await user.tab();
  };
  return { user, dialog, fill };
}

test("leads from a new target to its setup command, and from there to the check", async () => {
  const api = new FakeApi({ ...lists(), ...REGISTERED, ...commands(), ...check(...FOUND) });
  const { user, dialog, fill } = await open(api);
  await fill("AWS account", "2222-2222-2222");
  await fill("Region", "eu-west-1");
  await fill("Name", " Plant Porto ");
  await user.click(dialog.getByRole("button", { name: "Add" }));

  expect(await dialog.findByText("Set up target")).toBeDefined();
  expect((await dialog.findByRole("group", { name: "Setup command" })).textContent).toBe(COMMAND);
  expect(api.variablesOf("RegisterTarget")).toEqual([
    {
      account: "222222222222",
      region: "eu-west-1",
      name: "Plant Porto",
      profiles: ["default"],
      presence: false,
      clones: "LOBBY",
    },
  ]);

  await user.click(dialog.getByRole("button", { name: "Check" }));
  expect(await dialog.findByText(/^All 3 found \(/)).toBeDefined();
  expect(document.activeElement?.textContent).toBe("Check target");
});

test("sends nothing while a field is invalid, and explains each error", async () => {
  const api = new FakeApi(lists());
  const { user, dialog, fill } = await open(api);
  await fill("AWS account", "123");
  expect(dialog.getByText("An AWS account ID has 12 digits, not 3 digits.")).toBeDefined();
  await user.click(dialog.getByRole("button", { name: "Add" }));
  expect(dialog.getByText("Enter a Region code, such as eu-west-1.")).toBeDefined();
  expect(dialog.getByText("Enter 1 to 64 printable characters, not 0 characters.")).toBeDefined();
  expect(api.variablesOf("RegisterTarget")).toEqual([]);
});

test("shows an error while typing only if more typing cannot fix it", async () => {
  const { user, dialog } = await open(new FakeApi(lists()));
  const account = dialog.getByLabelText("AWS account");
  await user.type(account, "123");
  expect(dialog.queryByText(/12 digits, not/)).toBeNull();
  await user.type(account, "x");
  expect(dialog.getByText('An AWS account ID has 12 digits, not "123x".')).toBeDefined();
});

test("does not add a registered target again", async () => {
  const api = new FakeApi(lists(PORTO));
  const { user, dialog, fill } = await open(api);
  await fill("AWS account", PORTO.account);
  await fill("Region", PORTO.region);
  await fill("Name", "Another");
  await user.click(dialog.getByRole("button", { name: "Add" }));
  expect(dialog.getByText('Already registered as "Plant Porto".')).toBeDefined();
  expect(api.variablesOf("RegisterTarget")).toEqual([]);
});

test("suggests Regions by code and by location", async () => {
  const { user, dialog } = await open(new FakeApi(lists()));
  await user.type(dialog.getByLabelText("Region"), "irel");
  await user.click(await screen.findByRole("option", { name: /eu-west-1/ }));
  expect((dialog.getByLabelText("Region", { selector: "input" }) as HTMLInputElement).value).toBe(
    "eu-west-1",
  );
});

test.each([
  [
    "INVALID_REGION",
    "got xx-none-1, want a Region of the partition aws that has AWS IoT, such as eu-west-1",
    "Region",
  ],
  [
    "INVALID_TARGET",
    "got 222222222222/eu-west-1, the lobby's own account and Region, want another account or Region",
    "Region",
  ],
  ["INVALID_NAME", "got 'x', want 1 to 64 printable characters", "Name"],
])("shows the API's %s at its field", async (code, text, label) => {
  const { user, dialog, fill } = await open(
    new FakeApi({ ...lists(), RegisterTarget: new Refusal(code, text) }),
  );
  await fill("AWS account", PORTO.account);
  await fill("Region", PORTO.region);
  await fill("Name", "x");
  await user.click(dialog.getByRole("button", { name: "Add" }));
  const reported = await dialog.findByText(text);
  expect(dialog.getByLabelText(label, { selector: "input" }).getAttribute("aria-describedby")).toContain(
    reported.id,
  );
  expect(screen.queryByRole("alert")).toBeNull();
});

test("shows an error that concerns no field as a notice", async () => {
  const refused = new Refusal(
    "CHANGED_MEANWHILE",
    "got 222222222222/eu-west-1, registered by another just now: look",
  );
  const { user, dialog, fill } = await open(new FakeApi({ ...lists(), RegisterTarget: refused }));
  await fill("AWS account", PORTO.account);
  await fill("Region", PORTO.region);
  await fill("Name", "x");
  await user.click(dialog.getByRole("button", { name: "Add" }));
  expect((await dialog.findByRole("alert")).textContent).toContain("registered by another just now");
});

test("closes after a new name", async () => {
  const renamed = { ...PORTO, name: "Porto North" };
  const api = new FakeApi({
    ...lists(PORTO),
    RegisterTarget: { registerTarget: { ...renamed, setupCommand: COMMAND } },
  });
  const { user, dialog, fill } = await open(api, "Edit target");
  expect(dialog.queryByLabelText("AWS account")).toBeNull();
  await fill("Name", "Porto North");
  api.answer("TargetList", { targets: [renamed] });
  await user.click(dialog.getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("listitem", { name: "Porto North" })).toBeDefined();
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(api.variablesOf("RegisterTarget")[0]).toMatchObject({
    account: PORTO.account,
    profiles: ["default"],
  });
});

test("leads to the setup command after new profiles", { tags: "full" }, async () => {
  const changed = { ...PORTO, profiles: ["default", "gateway"] };
  const api = new FakeApi({
    ...lists(PORTO),
    ...commands(),
    RegisterTarget: { registerTarget: { ...changed, setupCommand: COMMAND } },
  });
  const { user, dialog } = await open(api, "Edit target");
  await user.type(dialog.getByLabelText("Profiles", { selector: "input" }), "gateway{Enter}");
  await user.click(dialog.getByRole("button", { name: "Save" }));
  expect(await dialog.findByText(/The profiles have changed/)).toBeDefined();
  expect(api.variablesOf("RegisterTarget")[0]?.profiles).toEqual(["default", "gateway"]);
});

test("switches on the presence code, and shows it in the list", async () => {
  const changeQuery = { ...PORTO, presence: true };
  const api = new FakeApi({
    ...lists(PORTO),
    RegisterTarget: { registerTarget: { ...changeQuery, setupCommand: COMMAND } },
  });
  const { user, dialog } = await open(api, "Edit target");
  await user.click(dialog.getByRole("switch", { name: /^Require a presence code/ }));
  api.answer("TargetList", { targets: [changeQuery] });
  await user.click(dialog.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Requires presence code")).toBeDefined();
  expect(api.variablesOf("RegisterTarget")[0]).toMatchObject({ profiles: ["default"], presence: true });
});
