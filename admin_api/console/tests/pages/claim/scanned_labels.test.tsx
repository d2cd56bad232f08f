/** Several labels in one photo: which ones are claimed. */
import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { shortForm } from "../../../src/label/short_form";
import { ScannedLabels } from "../../../src/pages/claim/scanned_labels";
import type { Choice } from "../../../src/pages/claim/use_choice";
import { FakeApi, show } from "../../fake_api";

const [A, B, C] = ["aa".repeat(32), "bb".repeat(32), "cc".repeat(32)] as [string, string, string];
const TARGET = { account: "111111111111", region: "eu-west-1", name: "Workshop", profiles: ["default"] };

function sheet(
  labels: string[],
  { target = TARGET as typeof TARGET | undefined, taken = [] as string[] } = {},
) {
  const onClaim = vi.fn();
  const onCancel = vi.fn();
  const choice = { target, profile: null } as Choice;
  const obstacle = (certid: string) => (taken.includes(certid) ? "Claimed already." : null);
  const { user } = show(
    <ScannedLabels
      labels={labels}
      choice={choice}
      obstacle={obstacle}
      onClaim={onClaim}
      onCancel={onCancel}
      goOn="Continue"
    />,
    new FakeApi({}),
  );
  return { user, onClaim, onCancel };
}

test("claims all with one click", async () => {
  const { user, onClaim } = sheet([A, B, C]);
  await user.click(screen.getByRole("button", { name: "Claim 3" }));
  expect(onClaim).toHaveBeenCalledWith([A, B, C]);
});

test("leaves out an unchecked label, which can be checked again", async () => {
  const { user, onClaim } = sheet([A, B, C]);
  const b = screen.getByRole("checkbox", { name: shortForm(B) });
  await user.click(b);
  expect(screen.getByRole("button", { name: "Claim 2" })).toBeTruthy();
  await user.click(b);
  await user.click(screen.getByRole("checkbox", { name: shortForm(A) }));
  await user.click(screen.getByRole("button", { name: "Claim 2" }));
  expect(onClaim).toHaveBeenCalledWith([B, C]);
});

test("disables a label that was claimed already, with the reason", async () => {
  const { user, onClaim } = sheet([A, B], { taken: [A] });
  expect(screen.getByRole("checkbox", { name: /Claimed already/ }).hasAttribute("disabled")).toBe(true);
  await user.click(screen.getByRole("button", { name: "Claim 1" }));
  expect(onClaim).toHaveBeenCalledWith([B]);
});

test("offers only to continue if nothing is left to claim", async () => {
  const { user, onCancel } = sheet([A, B], { taken: [A, B] });
  expect(screen.queryByRole("button", { name: /^Claim/ })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Continue" }));
  expect(onCancel).toHaveBeenCalled();
});

test("disables the claim button if nothing is checked", async () => {
  const { user } = sheet([A, B]);
  for (const box of screen.getAllByRole("checkbox")) await user.click(box);
  expect(screen.getByRole("button", { name: "Claim 0" }).hasAttribute("disabled")).toBe(true);
  expect(screen.getByRole("button", { name: "Cancel" })).toBeTruthy();
});

test("shows the short form and target of one label, and focuses the claim button", () => {
  sheet([A]);
  expect(screen.getByText(shortForm(A))).toBeTruthy();
  expect(screen.getByText("111111111111/eu-west-1")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Claim" })).toBe(document.activeElement);
});
