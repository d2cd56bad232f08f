/** Several labels in one photo: which ones are claimed. */
import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { shortForm } from "../../../src/label/short_form";
import { FoundSheet } from "../../../src/pages/claim/found_sheet";
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
  const { person } = show(
    <FoundSheet
      labels={labels}
      choice={choice}
      obstacle={obstacle}
      onClaim={onClaim}
      onCancel={onCancel}
      goOn="Go on"
    />,
    new FakeApi({}),
  );
  return { person, onClaim, onCancel };
}

test("all are claimed in a row with one tap", async () => {
  const { person, onClaim } = sheet([A, B, C]);
  await person.click(screen.getByRole("button", { name: "Claim 3" }));
  expect(onClaim).toHaveBeenCalledWith([A, B, C]);
});

test("one that is unticked is left out, and may come back", async () => {
  const { person, onClaim } = sheet([A, B, C]);
  const b = screen.getByRole("checkbox", { name: shortForm(B) });
  await person.click(b);
  expect(screen.getByRole("button", { name: "Claim 2" })).toBeTruthy();
  await person.click(b);
  await person.click(screen.getByRole("checkbox", { name: shortForm(A) }));
  await person.click(screen.getByRole("button", { name: "Claim 2" }));
  expect(onClaim).toHaveBeenCalledWith([B, C]);
});

test("one that was claimed already cannot be ticked, and says why", async () => {
  const { person, onClaim } = sheet([A, B], { taken: [A] });
  expect(screen.getByRole("checkbox", { name: /Claimed already/ }).hasAttribute("disabled")).toBe(true);
  await person.click(screen.getByRole("button", { name: "Claim 1" }));
  expect(onClaim).toHaveBeenCalledWith([B]);
});

test("none left to claim: it only leads on", async () => {
  const { person, onCancel } = sheet([A, B], { taken: [A, B] });
  expect(screen.queryByRole("button", { name: /^Claim/ })).toBeNull();
  await person.click(screen.getByRole("button", { name: "Go on" }));
  expect(onCancel).toHaveBeenCalled();
});

test("all unticked: nothing to claim, but a way back", async () => {
  const { person } = sheet([A, B]);
  for (const box of screen.getAllByRole("checkbox")) await person.click(box);
  expect(screen.getByRole("button", { name: "Claim 0" }).hasAttribute("disabled")).toBe(true);
  expect(screen.getByRole("button", { name: "Cancel" })).toBeTruthy();
});

test("one label shows its short form and where it goes, and the focus is on claiming it", () => {
  sheet([A]);
  expect(screen.getByText(shortForm(A))).toBeTruthy();
  expect(screen.getByText("111111111111/eu-west-1")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Claim" })).toBe(document.activeElement);
});
