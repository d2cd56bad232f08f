/** One box to find a device by: the beginning of its name or fingerprint, or its whole label, which leads right to it. */
import { CloseButton, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { type KeyboardEvent, useState } from "react";
import { type Kind, type Reading, readingOf } from "./search_text";

const PAUSE_MS = 350;
const WORDS: Record<Kind, string> = { name: "Name", print: "Fingerprint" };

interface Props {
  /** What is searched for now, as the address has it. */
  kind: Kind | null;
  text: string;
  onSearch: (kind: Kind | null, text: string) => void;
  /** A whole label was typed, pasted, or read by a scanner. */
  onDevice: (certid: string) => void;
}

export function SearchBox({ kind, text, onSearch, onDevice }: Props) {
  const [typed, setTyped] = useState(text);
  const [preferred, setPreferred] = useState<Kind | null>(kind);
  const [known, setKnown] = useState(text);
  if (text !== known) {
    // The address has changed: by us, or by the back button.
    setKnown(text);
    if (soughtOf(readingOf(typed), preferred).text !== text) setTyped(text);
    if (kind !== null) setPreferred(kind);
  }
  const search = (reading: Reading, wanted: Kind | null) => {
    const sought = soughtOf(reading, wanted);
    if (reading.is !== "unfit") onSearch(sought.kind, sought.text);
  };
  const later = useDebouncedCallback(search, PAUSE_MS);

  const type = (next: string) => {
    setTyped(next);
    const reading = readingOf(next);
    if (reading.is === "nothing") setPreferred(null);
    if (reading.is === "device") onDevice(reading.certid);
    else later(reading, preferred);
  };
  const choose = (chosen: Kind) => {
    setPreferred(chosen);
    search(readingOf(typed), chosen);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") search(readingOf(typed), preferred);
  };

  const reading = readingOf(typed);
  return (
    <Stack gap={6}>
      <TextInput
        type="search"
        label="Find a device"
        placeholder="Name, fingerprint or label code"
        leftSection={<IconSearch size={18} aria-hidden />}
        rightSection={typed !== "" && <CloseButton aria-label="Clear the search" onClick={() => type("")} />}
        value={typed}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
      {reading.is === "unfit" && (
        <Text size="xs" c="dimmed" role="status">
          {reading.words}
        </Text>
      )}
      {reading.is === "prefix" && reading.kinds.length > 1 && (
        <SegmentedControl
          size="xs"
          aria-label="What it is the beginning of"
          value={soughtOf(reading, preferred).kind ?? "name"}
          onChange={(chosen) => choose(chosen as Kind)}
          data={reading.kinds.map((each) => ({ value: each, label: WORDS[each] }))}
        />
      )}
    </Stack>
  );
}

/** What to search for: the preferred kind where the text can be that, else the likeliest. */
function soughtOf(reading: Reading, preferred: Kind | null): { kind: Kind | null; text: string } {
  if (reading.is !== "prefix") return { kind: null, text: "" };
  const kind = reading.kinds.find((each) => each === preferred) ?? reading.kinds[0] ?? null;
  return { kind, text: kind === "print" ? reading.print : reading.name };
}
