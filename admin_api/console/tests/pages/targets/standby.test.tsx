/** Setting the standby of a target, evacuating the target and returning its devices, from its menu. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { standbyText } from "../../../src/pages/targets/standby_text";
import TargetsPage from "../../../src/pages/targets/targets_page";
import { FakeApi, Refusal, show } from "../../fake_api";
import { lists, PORTO, SYDNEY } from "./target_fixtures";

const STANDBY = {
  __typename: "Standby",
  target: { __typename: "Target", account: SYDNEY.account, region: SYDNEY.region },
  certificates: "active",
  placed: 4,
  prepared: 3,
  evacuatedAt: null,
  away: 0,
  left: 4,
  askedBy: null,
  campaign: "prepare-222222222222-eu-west-1-t1",
};
const PREPARED = { ...PORTO, standby: STANDBY };
const EVACUATED = {
  ...PORTO,
  standby: { ...STANDBY, evacuatedAt: "2026-11-30T10:00:00.000Z", away: 3, left: 1 },
};
const DRILLED = { ...PORTO, standby: { ...STANDBY, away: 2, campaign: "drill-222222222222-eu-west-1-t2" } };
const WHERE = { account: PORTO.account, region: PORTO.region };
const KNOWN = { Targets: { targets: [PORTO, SYDNEY] } };

async function choose(api: FakeApi, item: string) {
  const { user } = show(<TargetsPage />, api, { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "More actions for Plant Porto" }));
  await user.click(await screen.findByRole("menuitem", { name: item }));
  const dialog = within(await screen.findByRole("dialog", { name: item }));
  return { user, dialog };
}

test("shows how many devices are prepared", async () => {
  show(<TargetsPage />, new FakeApi(lists(PREPARED)), { role: "admin" });
  expect(await screen.findByText(/prepared 3 of 4 devices, certificates active/)).toBeDefined();
  expect(screen.getByRole("link", { name: "Progress" }).getAttribute("href")).toContain(STANDBY.campaign);
});

test("sets the standby with inactive certificates", async () => {
  const api = new FakeApi({ ...lists(PORTO), ...KNOWN, SetStandby: { setStandby: PREPARED } });
  const { user, dialog } = await choose(api, "Set standby");
  await user.click(dialog.getByRole("combobox", { name: "Standby" }));
  await user.click(await screen.findByRole("option", { name: /Lab Sydney/ }));
  await user.click(dialog.getByRole("combobox", { name: "Certificates there" }));
  await user.click(await screen.findByRole("option", { name: "Inactive until an evacuation" }));
  await user.click(dialog.getByRole("button", { name: "Set standby" }));
  const standby = { account: SYDNEY.account, region: SYDNEY.region };
  expect(api.variablesOf("SetStandby")).toEqual([{ ...WHERE, standby, certificates: "INACTIVE" }]);
});

test("evacuates a target after a question that states what is prepared", async () => {
  const api = new FakeApi({ ...lists(PREPARED), EvacuateTarget: { evacuateTarget: EVACUATED } });
  const { user, dialog } = await choose(api, "Evacuate target");
  expect(dialog.getByText(/prepared 3 of 4 devices/)).toBeDefined();
  api.answer("TargetList", { targets: [EVACUATED] });
  await user.click(dialog.getByRole("button", { name: "Evacuate target" }));
  expect(await screen.findByText("Evacuated")).toBeDefined();
  expect(api.variablesOf("EvacuateTarget")).toEqual([WHERE]);
});

test("shows that a second person is needed", async () => {
  const refusal = new Refusal("SECOND_PERSON_REQUIRED", "got the request of user:ann, want another user's");
  const api = new FakeApi({ ...lists(PREPARED), EvacuateTarget: refusal });
  const { user, dialog } = await choose(api, "Evacuate target");
  await user.click(dialog.getByRole("button", { name: "Evacuate target" }));
  expect(await dialog.findByText(/want another user's/)).toBeDefined();
});

test.each([
  ["an evacuated target", EVACUATED],
  ["a target after a drill", DRILLED],
  [
    "a target whose drill has not sent a device yet",
    { ...DRILLED, standby: { ...DRILLED.standby, away: 0 } },
  ],
])("returns the devices of %s", async (_, target) => {
  const api = new FakeApi({ ...lists(target), ReturnTarget: { returnTarget: PREPARED } });
  const { user, dialog } = await choose(api, "Return devices");
  await user.click(dialog.getByRole("button", { name: "Return devices" }));
  expect(api.variablesOf("ReturnTarget")).toEqual([WHERE]);
});

test("a target without a standby cannot be evacuated", async () => {
  const { user } = show(<TargetsPage />, new FakeApi(lists(PORTO)), { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "More actions for Plant Porto" }));
  await screen.findByRole("menuitem", { name: "Set standby" });
  expect(screen.queryByRole("menuitem", { name: "Evacuate target" })).toBeNull();
});

test("a target none of whose devices are away offers no return", async () => {
  const { user } = show(<TargetsPage />, new FakeApi(lists(PREPARED)), { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "More actions for Plant Porto" }));
  await screen.findByRole("menuitem", { name: "Evacuate target" });
  expect(screen.queryByRole("menuitem", { name: "Return devices" })).toBeNull();
});

test("names devices that are away for a drill", () => {
  expect(standbyText(DRILLED.standby)).toContain("certificates active; 2 there for a drill");
});

test("names devices that return, and who asks for an evacuation", () => {
  const waiting = { ...STANDBY, away: 2, askedBy: "user:ann" };
  expect(standbyText(waiting)).toContain("2 return; ann requests an evacuation");
  expect(standbyText(EVACUATED.standby)).toBe("333333333333/ap-southeast-2: 3 devices there, 1 left");
});
