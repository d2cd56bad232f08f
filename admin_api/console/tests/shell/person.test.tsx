/** The person's menu: loaded on the first tap, and open then. */
import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Person } from "../../src/shell/person";
import { FakeApi, show } from "../fake_api";

test("one tap opens the menu, the first time and later", async () => {
  const { person } = show(<Person />, new FakeApi({}));
  await person.click(screen.getByRole("button", { name: "Menu of ada" }));
  expect(await screen.findByRole("menuitem", { name: "Sign out" })).toBeTruthy();
  await person.keyboard("{Escape}");
  expect(screen.queryByRole("menuitem")).toBeNull();
  await person.click(screen.getByRole("button", { name: "Menu of ada" }));
  expect(await screen.findByRole("menuitem", { name: "Dark" })).toBeTruthy();
});

test("without a session there is nobody to sign out", async () => {
  const { person } = show(<Person />, new FakeApi({}), { signedIn: false });
  await person.click(screen.getByRole("button", { name: "Menu" }));
  expect(await screen.findByText("Not signed in")).toBeTruthy();
  expect(screen.queryByRole("menuitem", { name: "Sign out" })).toBeNull();
});
