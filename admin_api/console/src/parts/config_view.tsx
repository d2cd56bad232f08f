/** A device's config; a long one is collapsed. */
import { Button, Code } from "@mantine/core";
import { useState } from "react";
import { formatNumber } from "./numbers";

const LINES = 12;
const CHARACTERS = 600;

export function ConfigView({ config }: { config: unknown }) {
  const text = typeof config === "string" ? config : JSON.stringify(config, null, 2);
  const [all, setAll] = useState(false);
  if (text === "") return "(empty text)";
  const lines = text.split("\n");
  const long = lines.length > LINES || text.length > CHARACTERS;
  const shown = long && !all ? `${lines.slice(0, LINES).join("\n").slice(0, CHARACTERS)}…` : text;
  return (
    <>
      <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere", overflow: "hidden" }} dir="auto">
        {shown}
      </Code>
      {long && (
        <Button variant="subtle" size="xs" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show less" : `Show all (${sizeOf(lines.length, text.length)})`}
        </Button>
      )}
    </>
  );
}

function sizeOf(lines: number, characters: number): string {
  return lines > LINES ? `${formatNumber(lines)} lines` : `${formatNumber(characters)} characters`;
}
