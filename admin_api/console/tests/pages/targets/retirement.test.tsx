/** Archiving, restoring and removing a target from its menu. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import TargetsPage from "../../../src/pages/targets/targets_page";
import { FakeApi, Refusal, show } from "../../fake_api";
import { lists, PORTO } from "./target_fixtures";

const ARCHIVED = { ...PORTO, archivedAt: "2026-11-21T10:00:00.000Z" };
const WHERE = { account: PORTO.account, region: PORTO.region };

async function choose(api: FakeApi, item: string) {
  const { user } = show(<TargetsPage />, api, { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "More actions for Plant Porto" }));
  await user.click(await screen.findByRole("menuitem", { name: item }));
  const dialog = within(await screen.findByRole("dialog", { name: item }));
  return { user, dialog };
}

test("archives a target after a question that states the effect", async () => {
  const api = new FakeApi({ ...lists(PORTO), ArchiveTarget: { archiveTarget: ARCHIVED } });
  const { user, dialog } = await choose(api, "Archive target");
  expect(dialog.getByText(/No device can be claimed for it\./)).toBeDefined();
  api.answer("TargetList", { targets: [ARCHIVED] });
  await user.click(dialog.getByRole("button", { name: "Archive target" }));
  expect(await screen.findByText("Archived")).toBeDefined();
  expect(api.variablesOf("ArchiveTarget")).toEqual([WHERE]);
});

test("changes nothing without a confirmation", async () => {
  const api = new FakeApi(lists(PORTO));
  const { user, dialog } = await choose(api, "Archive target");
  await user.click(dialog.getByRole("button", { name: "Cancel" }));
  expect(api.variablesOf("ArchiveTarget")).toEqual([]);
});

test("restores an archived target", async () => {
  const api = new FakeApi({ ...lists(ARCHIVED), RestoreTarget: { restoreTarget: PORTO } });
  const { user, dialog } = await choose(api, "Restore target");
  await user.click(dialog.getByRole("button", { name: "Restore target" }));
  expect(api.variablesOf("RestoreTarget")).toEqual([WHERE]);
});

test("shows why a target with devices is not removed", async () => {
  const refusal = new Refusal(
    "TARGET_IN_USE",
    "got 222222222222/eu-west-1: 2 devices are assigned (2 arrived)",
  );
  const api = new FakeApi({ ...lists(ARCHIVED), RemoveTarget: refusal });
  const { user, dialog } = await choose(api, "Remove target");
  await user.click(dialog.getByRole("button", { name: "Remove target" }));
  expect(await dialog.findByText(/2 devices are assigned/)).toBeDefined();
});

test("only an archived target can be removed", async () => {
  const { user } = show(<TargetsPage />, new FakeApi(lists(PORTO)), { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "More actions for Plant Porto" }));
  await screen.findByRole("menuitem", { name: "Archive target" });
  expect(screen.queryByRole("menuitem", { name: "Remove target" })).toBeNull();
});
