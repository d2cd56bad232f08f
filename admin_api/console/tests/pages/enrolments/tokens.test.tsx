/** The tokens of an enrolment: the list, a new one that is shown once, and revoking one. */

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import EnrolmentsPage from "../../../src/pages/enrolments/enrolments_page";
import { day } from "../../../src/parts/day";
import { FakeApi, Refusal, show } from "../../fake_api";
import { TARGETS } from "../fixtures";

const UNTIL = day("2026-12-07T00:00:00.000Z");
const GATEWAYS = {
  __typename: "Enrolment",
  name: "gateways",
  state: "active",
  limit: null,
  starts: null,
  ends: null,
  model: null,
  admitted: 0,
  listLength: null,
  createdBy: "user:admin",
  createdAt: "2026-11-20T10:00:00.000Z",
  match: { ca: null, subject: [], namePattern: "gw-*", listed: false },
  allocation: null,
  refusals: [{ reason: "TOKEN_WRONG", count: 2 }],
  door: "token",
  claimCertificates: [],
};
const TOKEN = {
  __typename: "EnrolmentToken",
  identifier: "gateways.aaaaaaaaaa",
  state: "active",
  expires: "2026-12-07T00:00:00.000Z",
  maxUses: 3,
  uses: 1,
  lastUse: null,
  thingName: null,
  createdBy: "user:admin",
};
const lists = (...tokens: object[]) => ({
  EnrolmentList: { enrolments: [GATEWAYS] },
  EnrolmentTokenList: { enrolmentTokens: tokens },
  Targets: TARGETS,
});

async function open(api: FakeApi) {
  const { user } = show(<EnrolmentsPage />, api, { role: "operator" });
  await user.click(await screen.findByRole("button", { name: "Tokens of gateways" }));
  return { user, dialog: within(await screen.findByRole("dialog", { name: "Tokens of gateways" })) };
}

test("lists tokens without their secrets", async () => {
  const bound = {
    ...TOKEN,
    identifier: "gateways.bbbbbbbbbb",
    state: "revoked",
    thingName: "gw-1",
    maxUses: 1,
  };
  const { dialog } = await open(new FakeApi(lists(TOKEN, bound)));
  expect(await dialog.findByText(`active, 1 of 3 uses, for any name, until ${UNTIL}`)).toBeDefined();
  expect(dialog.getByText(`revoked, 1 of 1 use, for gw-1, until ${UNTIL}`)).toBeDefined();
  expect(dialog.getAllByRole("button", { name: /^Revoke / })).toHaveLength(1);
  expect(screen.getByText("With a token, name gw-*")).toBeDefined();
  expect(screen.getByText("2 requests refused: The secret of the token was wrong")).toBeDefined();
});

test("a new token is shown once, with its header", async () => {
  const api = new FakeApi({
    ...lists(),
    CreateEnrolmentToken: {
      createEnrolmentToken: {
        __typename: "NewEnrolmentToken",
        authorization: "gateways.aaaaaaaaaa SECRET",
        token: TOKEN,
      },
    },
  });
  const { user, dialog } = await open(api);
  await user.type(await dialog.findByLabelText("Device name"), "gw-17");
  await user.click(dialog.getByRole("button", { name: "Create token" }));
  const shown = within(await dialog.findByRole("status"));
  expect(shown.getByText("gateways.aaaaaaaaaa SECRET")).toBeDefined();
  expect(shown.getByText("Copy it now. It is not shown again.")).toBeDefined();
  expect(api.variablesOf("CreateEnrolmentToken")).toEqual([
    { enrolment: "gateways", uses: 1, thingName: "gw-17" },
  ]);
  await user.click(screen.getByRole("button", { name: "Close" }));
  await user.click(await screen.findByRole("button", { name: "Tokens of gateways" }));
  await screen.findByRole("dialog", { name: "Tokens of gateways" });
  expect(screen.queryByText(/SECRET/)).toBeNull();
});

test("a refused token shows the rule", async () => {
  const api = new FakeApi({
    ...lists(),
    CreateEnrolmentToken: new Refusal("INVALID_USES", "got 0 uses, want 1 to 1000000"),
  });
  const { user, dialog } = await open(api);
  await user.click(await dialog.findByRole("button", { name: "Create token" }));
  expect(await dialog.findByText(/got 0 uses/)).toBeDefined();
});

test("revokes a token after a confirmation", async () => {
  const api = new FakeApi({
    ...lists(TOKEN),
    RevokeEnrolmentToken: { revokeEnrolmentToken: { ...TOKEN, state: "revoked" } },
  });
  const { user, dialog } = await open(api);
  await user.click(await dialog.findByRole("button", { name: "Revoke gateways.aaaaaaaaaa" }));
  const confirm = within(await screen.findByRole("dialog", { name: "Revoke gateways.aaaaaaaaaa?" }));
  await user.click(confirm.getByRole("button", { name: "Revoke" }));
  await waitFor(() =>
    expect(api.variablesOf("RevokeEnrolmentToken")).toEqual([{ identifier: "gateways.aaaaaaaaaa" }]),
  );
});
