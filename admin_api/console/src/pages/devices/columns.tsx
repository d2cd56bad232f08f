/** What the list of devices can show of each, and which of it somebody has chosen to see. */
import { Anchor, Text } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { Fragment, type ReactNode } from "react";
import { Link } from "wouter";
import { Fingerprint } from "../../parts/fingerprint";
import { Ago } from "../../parts/moments";
import { reasonWords } from "../../parts/reasons";
import { StateBadge } from "../../parts/state_badge";
import { type TargetEntry, TargetLabel } from "../../parts/targets";
import { deviceAddress } from "../addresses";
import type { DeviceLine } from "./device_line";

export interface Column {
  key: string;
  label: string;
  /** Whether it is shown until somebody chooses. */
  usual: boolean;
  width?: number;
  cell: (line: DeviceLine, known: readonly TargetEntry[] | undefined) => ReactNode;
}

export const COLUMNS: readonly Column[] = [
  {
    key: "state",
    label: "State",
    usual: true,
    width: 150,
    cell: ({ devstate }) => devstate && <StateBadge state={devstate} />,
  },
  { key: "name", label: "Name", usual: true, cell: (line) => <DeviceName line={line} /> },
  {
    key: "fingerprint",
    label: "Fingerprint",
    usual: true,
    width: 190,
    cell: ({ certid }) => <Fingerprint certid={certid} copy />,
  },
  { key: "target", label: "Target", usual: true, width: 240, cell: (line, known) => targetOf(line, known) },
  {
    key: "reason",
    label: "Reason",
    usual: true,
    width: 180,
    cell: ({ reason }) => reason && <Reason reason={reason} />,
  },
  {
    key: "since",
    label: "Since",
    usual: true,
    width: 110,
    cell: ({ enteredAt }) => <Ago at={enteredAt} />,
  },
  { key: "profile", label: "Profile", usual: false, cell: ({ profile }) => profile },
  { key: "claimedBy", label: "Claimed by", usual: false, cell: ({ claimedBy }) => actorName(claimedBy) },
  { key: "claimedAt", label: "Claimed", usual: false, cell: ({ claimedAt }) => moment(claimedAt) },
  { key: "firstSeen", label: "First seen", usual: false, cell: ({ firstSeen }) => moment(firstSeen) },
  { key: "lobbyRegion", label: "Lobby Region", usual: false, cell: ({ lobbyRegion }) => lobbyRegion },
  { key: "generation", label: "Claims", usual: false, cell: ({ generation }) => generation },
];

const USUAL = COLUMNS.filter((column) => column.usual).map((column) => column.key);
const KEPT = "device-lobby.columns";

/** The chosen columns in their order, and a way to choose; what is kept wrongly is as if nothing were. */
export function useColumns(): { shown: readonly Column[]; toggle: (key: string) => void } {
  const [kept, keep] = useLocalStorage<readonly string[]>({
    key: KEPT,
    defaultValue: USUAL,
    getInitialValueInEffect: false,
  });
  const keys = Array.isArray(kept) && kept.length > 0 ? kept : USUAL;
  const toggle = (key: string) =>
    keep(keys.includes(key) ? keys.filter((each) => each !== key) : [...keys, key]);
  return { shown: COLUMNS.filter((column) => keys.includes(column.key)), toggle };
}

/** "user:anna" is "anna". */
export function actorName(actor: string | null): string | null {
  return actor === null ? null : actor.replace(/^(user|service):/, "");
}

export function targetOf(
  { targetaccount: account, targetregion: region }: DeviceLine,
  known: readonly TargetEntry[] | undefined,
): ReactNode {
  return account && region && <TargetLabel target={{ account, region }} known={known} />;
}

function moment(at: string | null): ReactNode {
  return at && <Ago at={at} />;
}

function DeviceName({ line: { certid, devicename } }: { line: DeviceLine }) {
  return (
    <Anchor
      component={Link}
      href={deviceAddress(certid)}
      size="sm"
      fw={500}
      lineClamp={2}
      title={devicename ?? undefined}
    >
      {devicename ?? "Not seen yet"}
    </Anchor>
  );
}

/** A long code goes on in the next line after one of its dashes. */
export function Reason({ reason }: { reason: string }) {
  return (
    <Text size="xs" ff="monospace" title={reasonWords(reason).meaning}>
      {wordsOf(reason).map(({ at, word }) => (
        <Fragment key={at}>
          {at > 0 && <wbr />}
          {word}
        </Fragment>
      ))}
    </Text>
  );
}

/** `A_B` as `A_` and `B`, with the place where each begins. */
function wordsOf(code: string): { at: number; word: string }[] {
  return [...code.matchAll(/[^_]*_|[^_]+$/g)].map(({ index, 0: word }) => ({ at: index, word }));
}
