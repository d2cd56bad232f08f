/** The user menu is loaded on the first click and opens immediately. */
import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { UserButton } from "../../src/shell/user_button";
import { FakeApi, show } from "../fake_api";

test("opens with one click, the first time and later", async () => {
  const { user } = show(<UserButton />, new FakeApi({}));
  await user.click(screen.getByRole("button", { name: "Account menu: ada" }));
  expect(await screen.findByRole("menuitem", { name: "Sign out" })).toBeTruthy();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("menuitem")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Account menu: ada" }));
  expect(await screen.findByRole("menuitem", { name: "Dark mode" })).toBeTruthy();
});

test("offers no sign-out without a session", async () => {
  const { user } = show(<UserButton />, new FakeApi({}), { signedIn: false });
  await user.click(screen.getByRole("button", { name: "Account menu" }));
  expect(await screen.findByText("Not signed in")).toBeTruthy();
  expect(screen.queryByRole("menuitem", { name: "Sign out" })).toBeNull();
});
