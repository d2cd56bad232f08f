/** A picker whose choices could not be loaded says so, and loads them again on request. */
import { screen, waitFor, within } from "@testing-library/react";
import type { ReactElement } from "react";
import { expect, test } from "vitest";
import { ANY } from "../../src/pages/activity/conditions";
import { ConditionsForm } from "../../src/pages/activity/conditions_form";
import { CampaignDialog } from "../../src/pages/campaigns/campaign_dialog";
import { CreateDialog } from "../../src/pages/enrolments/create_dialog";
import { FakeApi, LOST, Refusal, show } from "../fake_api";
import { ROTTERDAM, TARGETS } from "../pages/fixtures";

const ENROLMENTS = { enrolments: [{ __typename: "Enrolment", name: "pumps" }] };
const nothing = () => {};
const conditions = <ConditionsForm conditions={ANY} onApply={nothing} />;
const campaign = (
  <CampaignDialog subject={{ chosen: null, what: "" }} onClose={nothing} onCreated={nothing} />
);
const enrolment = <CreateDialog opened onClose={nothing} onCreated={nothing} />;

const FORMS: [string, ReactElement, string][] = [
  ["the conditions of the activity log", conditions, "Target"],
  ["a new campaign", campaign, "Devices in target"],
  ["a new enrolment", enrolment, "Claim devices for"],
];

test.each(FORMS)("targets in the form for %s", async (_, form, label) => {
  const api = new FakeApi({
    Targets: new Refusal("INTERNAL", "got an error"),
    EnrolmentNames: ENROLMENTS,
  });
  const { user } = show(form, api);
  const picker = await screen.findByRole("combobox", { name: label });
  const message = await shownAt(picker);
  expect(message.textContent).toContain(
    "The targets could not be loaded. Internal error in the lobby: got an error",
  );
  api.answer("Targets", TARGETS);
  await user.click(within(message).getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(message.isConnected).toBe(false));
  await user.click(picker);
  expect(await screen.findByRole("option", { name: new RegExp(ROTTERDAM.account) })).toBeDefined();
});

test.each([
  ["the activity log", conditions, "Enrolment"],
  ["a new campaign", campaign, "Devices of enrolment"],
] as const)("enrolments in the form for %s", async (_, form, label) => {
  const api = new FakeApi({ Targets: TARGETS, EnrolmentNames: LOST });
  const { user } = show(form, api);
  const picker = await screen.findByRole("combobox", { name: label });
  const message = await shownAt(picker);
  expect(message.textContent).toContain("The enrolments could not be loaded.");
  api.answer("EnrolmentNames", ENROLMENTS);
  await user.click(within(message).getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(message.isConnected).toBe(false));
  await user.click(picker);
  expect(await screen.findByRole("option", { name: "pumps" })).toBeDefined();
});

/** The message that describes a picker. */
async function shownAt(picker: HTMLElement): Promise<HTMLElement> {
  return waitFor(() => {
    const ids = (picker.getAttribute("aria-describedby") ?? "").split(" ");
    const found = ids
      .map((id) => document.getElementById(id))
      .find((each) => each?.querySelector("[role=alert]"));
    if (!found) throw new Error("no message");
    return found;
  });
}
