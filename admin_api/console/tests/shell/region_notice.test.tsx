/** The notice that a Region of the lobby accepts no changes, from the API's answer about the user. */
import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { RegionNotice } from "../../src/shell/region_notice";
import { MeProvider } from "../../src/sign_in/me";
import { FakeApi, show } from "../fake_api";

const USER = { name: "ada", role: "admin", operations: [] };
const LOBBY = { region: "eu-central-1", home: "eu-west-1", acceptsChanges: false, code: "NOT_HOME" };

function notice(lobby: object) {
  const api = new FakeApi({ Me: { me: USER, lobby: { ...LOBBY, ...lobby } } });
  show(
    <MeProvider>
      <RegionNotice />
      <p>loaded</p>
    </MeProvider>,
    api,
  );
}

test("is absent in a Region that accepts changes", async () => {
  notice({ acceptsChanges: true, code: null });
  expect(await screen.findByText("loaded")).toBeTruthy();
  expect(screen.queryByText("Region", { exact: false })).toBeNull();
});

test.each([
  ["NOT_HOME", "Changes are made in eu-west-1, the home Region."],
  [
    "LEASE_EXPIRED",
    "No Region accepts changes now, because eu-west-1, the home Region, is down or can't be reached.",
  ],
])("states for %s what is possible", async (code, text) => {
  notice({ code });
  expect(await screen.findByText(text, { exact: false })).toBeTruthy();
});

test("states that there is no home yet", async () => {
  notice({ code: "NO_HOME", home: null });
  expect(await screen.findByText("No Region of this lobby is home", { exact: false })).toBeTruthy();
});
