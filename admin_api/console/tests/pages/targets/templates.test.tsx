/** The template of a target: format, download, and the link for the owner. */
import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import TargetsPage from "../../../src/pages/targets/targets_page";
import { FakeApi, Refusal, show } from "../../fake_api";
import { savedFiles } from "../../saved_files";
import { commands, lists, PORTO } from "./target_fixtures";

const saved = savedFiles();

const LINK =
  "https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/create/review";
const TEMPLATE = {
  TargetTemplate: ({ format }: Record<string, unknown>) => ({
    targetTemplate: {
      __typename: "TargetTemplate",
      fileName: format === "TERRAFORM" ? "target.tf" : "target.yaml",
      content: `# ${String(format)}`,
      quickCreateUrl: format === "TERRAFORM" ? null : LINK,
    },
  }),
};

async function open(api: FakeApi) {
  const { user } = show(<TargetsPage />, api, { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "More actions for Plant Porto" }));
  await user.click(await screen.findByRole("menuitem", { name: "Show setup command" }));
  const dialog = within(await screen.findByRole("dialog"));
  await user.click(await dialog.findByText("Template"));
  return { user, dialog };
}

test("shows the template with a link that creates the stack", async () => {
  const api = new FakeApi({ ...lists(PORTO), ...commands(), ...TEMPLATE });
  const { dialog } = await open(api);
  expect(await dialog.findByText("# CLOUDFORMATION")).toBeDefined();
  const link = dialog.getByRole("link", { name: /Create the stack in the AWS console/ });
  expect(link.getAttribute("href")).toBe(LINK);
});

test("downloads the template in the chosen format", { tags: "full" }, async () => {
  const { user, dialog } = await open(new FakeApi({ ...lists(PORTO), ...commands(), ...TEMPLATE }));
  await user.click(dialog.getByText("Terraform"));
  expect(await dialog.findByText("# TERRAFORM")).toBeDefined();
  expect(dialog.queryByRole("link", { name: /AWS console/ })).toBeNull();
  await user.click(dialog.getByRole("button", { name: "Download" }));
  const file = { name: "target.tf", type: "text/plain;charset=utf-8", text: "# TERRAFORM" };
  await waitFor(() => expect(saved).toEqual([file]));
});

test("requests no template before it is asked for", async () => {
  const api = new FakeApi({ ...lists(PORTO), ...commands(), ...TEMPLATE });
  const { user } = show(<TargetsPage />, api, { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "More actions for Plant Porto" }));
  await user.click(await screen.findByRole("menuitem", { name: "Show setup command" }));
  await within(await screen.findByRole("dialog")).findByText("Template");
  expect(api.variablesOf("TargetTemplate")).toEqual([]);
});

test("reports a template that cannot be made", async () => {
  const refusal = new Refusal(
    "UNKNOWN_PROFILE",
    "got profile 'x', want one of this lobby's profiles: default",
  );
  const { dialog } = await open(new FakeApi({ ...lists(PORTO), ...commands(), TargetTemplate: refusal }));
  expect(await dialog.findByText(/want one of this lobby's profiles/)).toBeDefined();
});
