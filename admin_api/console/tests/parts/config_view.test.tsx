/** A long config is collapsed. */
import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { ConfigView } from "../../src/parts/config_view";

const view = (config: unknown) =>
  render(
    <MantineProvider env="test">
      <ConfigView config={config} />
    </MantineProvider>,
  );

test.each<[string, unknown, string]>([
  ["of many lines", Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`key-${at}`, at])), "52 lines"],
  ["of one long line", "x".repeat(5_000), "5,000 characters"],
])("a config %s is collapsed, and shown in full on request", (_, config, size) => {
  const { container } = view(config);
  expect(container.querySelector("pre")?.textContent?.length).toBeLessThan(700);
  const button = screen.getByRole("button", { name: `Show all (${size})` });
  expect(button.getAttribute("aria-expanded")).toBe("false");
  fireEvent.click(button);
  expect(container.textContent).toContain(
    typeof config === "string" ? config : JSON.stringify(config, null, 2),
  );
});

test.each<[unknown, string]>([
  [{ interval: 60 }, '"interval": 60'],
  ["default", "default"],
  ["", "(empty text)"],
])("%j is shown in full", (config, text) => {
  const { container } = view(config);
  expect(container.textContent).toContain(text);
  expect(screen.queryByRole("button")).toBeNull();
});
