/** Everything that befell a device, newest first, and whether the record of it is whole. */
import { Alert, Button, Center, Group, Text, Timeline } from "@mantine/core";
import { IconAlertOctagon, IconShieldCheck } from "@tabler/icons-react";
import { duration, exact } from "../../parts/moments";
import { wordsOf } from "../../parts/state_badge";
import { keyOf, type TargetEntry } from "../../parts/targets";
import type { Entry, Verdict } from "./device_query";
import { Section } from "./facts";
import { actorWords, eventWords, isCode, passageWords, waitBefore } from "./history_words";

export const FIRST_LAST = 50;
export const MAX_LAST = 1_000;

interface Props {
  /** Oldest first. */
  entries: readonly Entry[];
  intact: boolean | null;
  verdict: Verdict | null;
  known: readonly TargetEntry[] | undefined;
  /** How many were asked for. */
  last: number;
  loading: boolean;
  onMore: (last: number) => void;
}

export function History({ entries, intact, verdict, known, last, loading, onMore }: Props) {
  const oldest = entries[0]?.seq ?? 1;
  return (
    <Section title="History">
      {intact && verdict?.ok !== false && <Whole verdict={verdict} />}
      <Timeline bulletSize={26} lineWidth={2} active={-1}>
        {entries
          .map((entry, index) => (
            <Timeline.Item key={entry.seq} bullet={<Bullet entry={entry} />} title={eventWords(entry)}>
              <Line entry={entry} wait={waitBefore(entries, index)} known={known} />
            </Timeline.Item>
          ))
          .reverse()}
      </Timeline>
      {oldest > 1 && (
        <Center mt="md">
          {last < MAX_LAST ? (
            <Button variant="default" loading={loading} onClick={() => onMore(Math.min(MAX_LAST, last * 4))}>
              Show older ones ({oldest - 1})
            </Button>
          ) : (
            <Text size="sm" c="dimmed">
              {oldest - 1} older ones are in the ledger; the newest {MAX_LAST} are shown.
            </Text>
          )}
        </Center>
      )}
    </Section>
  );
}

interface LineProps {
  entry: Entry;
  wait: number | null;
  known: Props["known"];
}

function Line({ entry, wait, known }: LineProps) {
  const passage = passageWords(entry);
  return (
    <>
      {passage && <Text size="sm">{passage}</Text>}
      {entry.target && (
        <Text size="sm">
          {["retire", "deactivate"].includes(entry.event) ? "In" : "For"} {targetName(entry.target, known)}
        </Text>
      )}
      {entry.reason && (
        <Text size="sm" ff={isCode(entry.reason) ? "monospace" : undefined}>
          {entry.reason}
        </Text>
      )}
      <Text size="xs" c="dimmed" mt={2}>
        <time dateTime={entry.at}>{exact(entry.at)}</time> · {actorWords(entry.actor)}
        {wait !== null && ` · ${duration(wait)} later`}
      </Text>
    </>
  );
}

function Bullet({ entry }: { entry: Entry }) {
  const { icon: Icon } = wordsOf(entry.after ?? entry.before ?? "");
  return <Icon size={15} aria-hidden />;
}

function Whole({ verdict }: { verdict: Verdict | null }) {
  const late = verdict?.pending ? `, ${verdict.pending} new ones not yet` : "";
  return (
    <Group gap={6} mb="md" wrap="nowrap">
      <IconShieldCheck size={16} aria-hidden color="var(--mantine-color-green-text)" />
      <Text size="xs" c="dimmed">
        The chain of entries is whole: none was altered or removed.
        {verdict &&
          ` When this page was opened, ${verdict.anchored} of ${verdict.entries} were as anchored outside of the ledger${late}.`}
      </Text>
    </Group>
  );
}

/** As loud as can be, and at the top of the page: somebody has been at the ledger. */
export function BrokenHistory({ verdict }: { verdict: Verdict | null }) {
  return (
    <Alert
      role="alert"
      color="red"
      variant="filled"
      icon={<IconAlertOctagon aria-hidden />}
      title="The history of this device is not whole"
    >
      An entry was altered, removed or put elsewhere, past the lobby's own code. Do not rely on what this page
      shows; have somebody look at the tables, and at who may write to them.
      {verdict?.message && <Text size="sm" mt="xs">{`Found: ${verdict.message}`}</Text>}
    </Alert>
  );
}

function targetName(key: string, known: Props["known"]): string {
  const name = known?.find((each) => keyOf(each) === key)?.name;
  return name ? `${name} (${key})` : key;
}
