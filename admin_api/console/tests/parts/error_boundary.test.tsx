/** An error in a page leaves the menu usable and does not affect other pages. */
import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { ErrorBoundary } from "../../src/parts/error_boundary";

function Page({ fault }: { fault?: string }) {
  if (fault) throw new Error(fault);
  return <p>A page</p>;
}

function at(place: string, fault?: string) {
  return (
    <MantineProvider>
      <ErrorBoundary place={place}>
        <Page {...(fault ? { fault } : {})} />
      </ErrorBoundary>
    </MantineProvider>
  );
}

test("shows the error and a reload button until another page is opened", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { rerender } = render(at("/devices", "x is undefined"));
  expect(screen.getByRole("alert").textContent).toContain("x is undefined");
  expect(screen.getByRole("button", { name: "Reload page" })).toBeTruthy();
  rerender(at("/devices"));
  expect(screen.getByRole("alert")).toBeTruthy();
  rerender(at("/waiting"));
  expect(screen.getByText("A page")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});
