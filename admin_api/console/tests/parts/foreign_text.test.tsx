/** Text that devices and users chose keeps to its own box. */
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { ForeignText, isolated } from "../../src/parts/foreign_text";

test("is isolated from its neighbours, with a direction of its own", () => {
  render(<ForeignText>מפעל חיפה</ForeignText>);
  const text = screen.getByText("מפעל חיפה");
  expect([text.tagName, text.dir]).toEqual(["BDI", "auto"]);
});

test.each([
  ["Plant Porto", "Plant Porto"],
  ["מפעל", "\u2068מפעל\u2069"],
])("%s within a longer text", (text, want) => expect(isolated(text)).toBe(want));
