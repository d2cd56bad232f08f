/** The search box: the start of a name or fingerprint, or a complete label, which opens the device. */
import { CloseButton, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { type KeyboardEvent, useState } from "react";
import { type Kind, type ParsedSearch, parseSearch } from "./search_text";

const PAUSE_MS = 350;
const WORDS: Record<Kind, string> = { name: "Name", print: "Fingerprint" };

interface Props {
  /** The current search, from the address. */
  kind: Kind | null;
  text: string;
  onSearch: (kind: Kind | null, text: string) => void;
  /** A complete label was typed, pasted or scanned. */
  onDevice: (certid: string) => void;
}

export function SearchBox({ kind, text, onSearch, onDevice }: Props) {
  const [typed, setTyped] = useState(text);
  const [preferred, setPreferred] = useState<Kind | null>(kind);
  const [known, setKnown] = useState(text);
  if (text !== known) {
    // The address has changed, by the search box or by the back button.
    setKnown(text);
    if (searchOf(parseSearch(typed), preferred).text !== text) setTyped(text);
    if (kind !== null) setPreferred(kind);
  }
  const search = (reading: ParsedSearch, wanted: Kind | null) => {
    const searched = searchOf(reading, wanted);
    if (reading.is !== "unfit") onSearch(searched.kind, searched.text);
  };
  const later = useDebouncedCallback(search, PAUSE_MS);

  const type = (next: string) => {
    setTyped(next);
    const reading = parseSearch(next);
    if (reading.is === "nothing") setPreferred(null);
    if (reading.is === "device") onDevice(reading.certid);
    else later(reading, preferred);
  };
  const choose = (chosen: Kind) => {
    setPreferred(chosen);
    search(parseSearch(typed), chosen);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") search(parseSearch(typed), preferred);
  };

  const reading = parseSearch(typed);
  return (
    <Stack gap={6}>
      <TextInput
        type="search"
        label="Find a device"
        placeholder="Name, fingerprint or label code"
        leftSection={<IconSearch size={18} aria-hidden />}
        rightSection={typed !== "" && <CloseButton aria-label="Clear search" onClick={() => type("")} />}
        value={typed}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
      {reading.is === "unfit" && (
        <Text size="xs" c="dimmed" role="status">
          {reading.message}
        </Text>
      )}
      {reading.is === "prefix" && reading.kinds.length > 1 && (
        <SegmentedControl
          size="xs"
          aria-label="Search by"
          value={searchOf(reading, preferred).kind ?? "name"}
          onChange={(chosen) => choose(chosen as Kind)}
          data={reading.kinds.map((each) => ({ value: each, label: WORDS[each] }))}
        />
      )}
    </Stack>
  );
}

/** What to search for: the preferred kind if the text can be that, otherwise the most likely. */
function searchOf(reading: ParsedSearch, preferred: Kind | null): { kind: Kind | null; text: string } {
  if (reading.is !== "prefix") return { kind: null, text: "" };
  const kind = reading.kinds.find((each) => each === preferred) ?? reading.kinds[0] ?? null;
  return { kind, text: kind === "print" ? reading.print : reading.name };
}
