/** A page that breaks leaves a way on; another page is not held responsible for it. */
import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Broken } from "../../src/parts/broken";

function Page({ fault }: { fault?: string }) {
  if (fault) throw new Error(fault);
  return <p>A page</p>;
}

function at(place: string, fault?: string) {
  return (
    <MantineProvider>
      <Broken place={place}>
        <Page {...(fault ? { fault } : {})} />
      </Broken>
    </MantineProvider>
  );
}

test("what broke is said, with a way to load it again, until another page is opened", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { rerender } = render(at("/devices", "Failed to fetch dynamically imported module"));
  expect(screen.getByRole("alert").textContent).toContain("Failed to fetch dynamically imported module");
  expect(screen.getByRole("button", { name: "Load it again" })).toBeTruthy();
  rerender(at("/devices"));
  expect(screen.getByRole("alert")).toBeTruthy();
  rerender(at("/waiting"));
  expect(screen.getByText("A page")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});
