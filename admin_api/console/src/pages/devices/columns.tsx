/** The columns of the device list, and the user's selection. */
import { Anchor, Text } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { Fragment, type ReactNode } from "react";
import { Link } from "wouter";
import { Day } from "../../parts/day";
import { Fingerprint } from "../../parts/fingerprint";
import { reasonText } from "../../parts/reasons";
import { StateBadge } from "../../parts/state_badge";
import { type TargetEntry, TargetLabel } from "../../parts/targets";
import { Ago, exact } from "../../parts/time";
import { deviceAddress } from "../addresses";
import { actorText } from "../device/history_text";
import type { DeviceLine } from "./device_line";

export interface Column {
  key: string;
  label: string;
  /** Whether it is shown by default. */
  byDefault: boolean;
  width?: number;
  /** The maximum width; by default that of the list. A longer text is cut off. */
  most?: number;
  /** The value that the column is sorted by; absent if it cannot be sorted. */
  sort?: (line: DeviceLine) => string | number | null;
  cell: (line: DeviceLine, known: readonly TargetEntry[] | undefined) => ReactNode;
}

/** The last hello is in no index, so it is read only if its column is shown. */
export const LAST_HELLO = "lastHello";
/** The renewal is in no index, either. The column is also shown while the list is filtered by renewal. */
export const RENEWAL = "renewal";
/** The column by which the API can sort all pages. */
export const SINCE = "since";

export const COLUMNS: readonly Column[] = [
  {
    key: "state",
    label: "State",
    byDefault: true,
    width: 145,
    sort: ({ devstate }) => devstate,
    cell: ({ devstate, reason }) => devstate && <StateBadge state={devstate} reason={reason} />,
  },
  {
    key: "name",
    label: "Name",
    byDefault: true,
    width: 140,
    sort: ({ devicename, expectedName }) => devicename ?? expectedName,
    cell: (line) => <DeviceName line={line} />,
  },
  {
    key: "fingerprint",
    label: "Fingerprint",
    byDefault: true,
    width: 165,
    sort: ({ certid }) => certid,
    cell: ({ certid }) => (
      <span style={{ whiteSpace: "nowrap" }}>
        <Fingerprint certid={certid} copy />
      </span>
    ),
  },
  {
    key: "target",
    label: "Target",
    byDefault: true,
    width: 210,
    most: 210,
    sort: ({ targetaccount, targetregion }) => targetaccount && `${targetaccount}/${targetregion}`,
    cell: (line, known) => targetOf(line, known),
  },
  {
    key: "reason",
    label: "Reason",
    byDefault: true,
    width: 140,
    sort: ({ reason }) => reason,
    cell: ({ reason }) => reason && <Reason reason={reason} />,
  },
  {
    key: SINCE,
    label: "Since",
    byDefault: true,
    width: 100,
    sort: ({ enteredAt }) => enteredAt,
    cell: ({ enteredAt }) => (
      <span style={{ whiteSpace: "nowrap" }}>
        <Ago at={enteredAt} />
      </span>
    ),
  },
  {
    key: "online",
    label: "Online",
    byDefault: true,
    width: 75,
    sort: ({ online }) => (online === null ? null : online ? "a" : "b"),
    cell: (line) => <Online line={line} />,
  },
  {
    key: LAST_HELLO,
    label: "Last hello",
    byDefault: false,
    width: 105,
    sort: ({ lastSeen }) => lastSeen ?? null,
    cell: ({ lastSeen }) => timestamp(lastSeen ?? null),
  },
  {
    key: RENEWAL,
    label: "Renewal",
    byDefault: false,
    width: 130,
    sort: ({ renewal }) => renewal?.by ?? null,
    cell: ({ renewal }) => renewal && <Renewal renewal={renewal} />,
  },
  {
    key: "profile",
    label: "Profile",
    byDefault: false,
    sort: ({ profile }) => profile,
    cell: ({ profile }) => profile,
  },
  {
    key: "claimedBy",
    label: "Claimed by",
    byDefault: false,
    sort: ({ claimedBy }) => claimedBy,
    cell: ({ claimedBy }) => actorLabel(claimedBy),
  },
  {
    key: "claimedAt",
    label: "Claimed",
    byDefault: false,
    sort: ({ claimedAt }) => claimedAt,
    cell: ({ claimedAt }) => timestamp(claimedAt),
  },
  {
    key: "firstSeen",
    label: "First seen",
    byDefault: false,
    sort: ({ firstSeen }) => firstSeen,
    cell: ({ firstSeen }) => timestamp(firstSeen),
  },
  {
    key: "lobbyRegion",
    label: "Lobby Region",
    byDefault: false,
    sort: ({ lobbyRegion }) => lobbyRegion,
    cell: ({ lobbyRegion }) => lobbyRegion,
  },
  {
    key: "generation",
    label: "Claims",
    byDefault: false,
    sort: ({ generation }) => generation,
    cell: ({ generation }) => generation,
  },
];

const DEFAULT_KEYS = COLUMNS.filter((column) => column.byDefault).map((column) => column.key);
const STORAGE_KEY = "device-lobby.columns";

/** The selected columns in order, and a function to toggle one. An invalid stored value is ignored. */
export function useColumns(byRenewal = false): {
  shown: readonly Column[];
  toggle: (key: string) => void;
} {
  const [stored, store] = useLocalStorage<readonly string[]>({
    key: STORAGE_KEY,
    defaultValue: DEFAULT_KEYS,
    getInitialValueInEffect: false,
  });
  const keys = Array.isArray(stored) && stored.length > 0 ? stored : DEFAULT_KEYS;
  const toggle = (key: string) =>
    store(keys.includes(key) ? keys.filter((each) => each !== key) : [...keys, key]);
  const isShown = (key: string) => keys.includes(key) || (byRenewal && key === RENEWAL);
  return { shown: COLUMNS.filter(({ key }) => isShown(key)), toggle };
}

/** "user:anna" is "anna". */
export function actorLabel(actor: string | null): string | null {
  return actor === null ? null : actorText(actor);
}

export function targetOf(
  { targetaccount: account, targetregion: region }: DeviceLine,
  known: readonly TargetEntry[] | undefined,
): ReactNode {
  return account && region && <TargetLabel target={{ account, region }} known={known} oneLine />;
}

function timestamp(at: string | null): ReactNode {
  return at && <Ago at={at} />;
}

/** The connection to the lobby; empty if it is unknown, as for a device in its target. */
function Online({ line: { online, onlineSince } }: { line: DeviceLine }) {
  if (online === null) return null;
  return (
    <Text
      size="sm"
      c={online ? undefined : "dimmed"}
      title={onlineSince ? `Since ${exact(onlineSince)}` : ""}
    >
      {online ? "Online" : "Offline"}
    </Text>
  );
}

/** Until when the device is to renew its certificate; in red if it is overdue. */
function Renewal({ renewal: { stage, by, overdue } }: { renewal: NonNullable<DeviceLine["renewal"]> }) {
  const what = overdue ? "Overdue" : STAGES[stage];
  return (
    <Text size="sm" c={overdue ? "var(--mantine-color-error)" : undefined}>
      {what}
      {by && (
        <>
          , by <Day at={by} />
        </>
      )}
    </Text>
  );
}

const STAGES: Readonly<Record<NonNullable<DeviceLine["renewal"]>["stage"], string>> = {
  DUE: "Due",
  SIGNED: "Signed",
  COMMISSIONED: "In its target",
  PROVEN: "Proven",
};

/** The name, or before the first connection the expected name. */
function DeviceName({ line: { certid, devicename, expectedName } }: { line: DeviceLine }) {
  return (
    <Anchor
      component={Link}
      href={deviceAddress(certid)}
      size="sm"
      fw={500}
      lineClamp={2}
      miw="8.5rem"
      title={devicename ?? expectedName ?? undefined}
    >
      <NameText devicename={devicename} expectedName={expectedName} />
    </Anchor>
  );
}

/** The name; an expected one is marked. */
export function NameText({ devicename, expectedName }: Pick<DeviceLine, "devicename" | "expectedName">) {
  return (
    <>
      {devicename ?? expectedName ?? "Not seen yet"}
      {devicename === null && expectedName !== null && (
        <Text span size="xs" c="dimmed" fw={400}>
          {" "}
          expected
        </Text>
      )}
    </>
  );
}

/** Breaks a long code after its underscores. */
export function Reason({ reason }: { reason: string }) {
  return (
    <Text size="xs" ff="monospace" title={reasonText(reason).meaning}>
      {codeParts(reason).map(({ at, word }) => (
        <Fragment key={at}>
          {at > 0 && <wbr />}
          {word}
        </Fragment>
      ))}
    </Text>
  );
}

/** Split `A_B` into `A_` and `B`, with the index of each. */
function codeParts(code: string): { at: number; word: string }[] {
  return [...code.matchAll(/[^_]*_|[^_]+$/g)].map(({ index, 0: word }) => ({ at: index, word }));
}
