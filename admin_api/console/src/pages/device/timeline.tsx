/** The history of a device, newest first, and whether it is verified. */
import { Alert, Button, Center, Group, Text, Timeline } from "@mantine/core";
import { IconAlertOctagon, IconShieldCheck } from "@tabler/icons-react";
import { ForeignText } from "../../parts/foreign_text";
import { formatNumber } from "../../parts/numbers";
import { stateInfo } from "../../parts/state_badge";
import { keyOf, type TargetEntry } from "../../parts/targets";
import { duration, exact } from "../../parts/time";
import type { Entry, HistoryCheck } from "./device_query";
import { ExportButton } from "./export_button";
import { Section } from "./facts";
import { actorText, eventText, isCode, transitionText, waitBefore } from "./history_text";

export const FIRST_LAST = 50;
export const MAX_LAST = 1_000;

interface Props {
  certid: string;
  /** Oldest first. */
  entries: readonly Entry[];
  intact: boolean | null;
  historyCheck: HistoryCheck | null;
  known: readonly TargetEntry[] | undefined;
  /** The number of entries requested. */
  last: number;
  loading: boolean;
  onMore: (last: number) => void;
}

export function History({ certid, entries, intact, historyCheck, known, last, loading, onMore }: Props) {
  const oldest = entries[0]?.seq ?? 1;
  return (
    <Section title="History">
      {intact && historyCheck?.ok !== false && <HistoryVerified historyCheck={historyCheck} />}
      <Timeline bulletSize={26} lineWidth={2} active={-1}>
        {entries
          .map((entry, index) => (
            <Timeline.Item key={entry.seq} bullet={<Bullet entry={entry} />} title={eventText(entry)}>
              <Line entry={entry} wait={waitBefore(entries, index)} known={known} />
            </Timeline.Item>
          ))
          .reverse()}
      </Timeline>
      {oldest > 1 && (
        <Center mt="md">
          {last < MAX_LAST ? (
            <Button variant="default" loading={loading} onClick={() => onMore(Math.min(MAX_LAST, last * 4))}>
              Show older entries ({formatNumber(oldest - 1)})
            </Button>
          ) : (
            <Text size="sm" c="dimmed">
              {olderText(oldest - 1)} The newest {formatNumber(MAX_LAST)} are shown.
            </Text>
          )}
        </Center>
      )}
      <ExportButton certid={certid} />
    </Section>
  );
}

/** "1 older entry is in the ledger." */
export function olderText(count: number): string {
  return count === 1
    ? "1 older entry is in the ledger."
    : `${formatNumber(count)} older entries are in the ledger.`;
}

interface LineProps {
  entry: Entry;
  wait: number | null;
  known: Props["known"];
}

function Line({ entry, wait, known }: LineProps) {
  const transition = transitionText(entry);
  return (
    <>
      {transition && <Text size="sm">{transition}</Text>}
      {entry.target && (
        <Text size="sm">
          {["retire", "deactivate"].includes(entry.event) ? "In" : "For"} {targetName(entry.target, known)}
        </Text>
      )}
      {entry.reason && (
        <Text size="sm" ff={isCode(entry.reason) ? "monospace" : undefined}>
          <ForeignText>{entry.reason}</ForeignText>
        </Text>
      )}
      <Text size="xs" c="dimmed" mt={2}>
        <time dateTime={entry.at}>{exact(entry.at)}</time> · {actorText(entry.actor)}
        {wait !== null && ` · ${duration(wait)} later`}
      </Text>
    </>
  );
}

function Bullet({ entry }: { entry: Entry }) {
  const { icon: Icon } = stateInfo(entry.after ?? entry.before ?? "");
  return <Icon size={15} aria-hidden />;
}

function HistoryVerified({ historyCheck }: { historyCheck: HistoryCheck | null }) {
  const late = historyCheck?.pending ? `, ${formatNumber(historyCheck.pending)} not anchored yet` : "";
  return (
    <Group gap={6} mb="md" wrap="nowrap">
      <IconShieldCheck
        size={16}
        aria-hidden
        color="var(--mantine-color-green-text)"
        style={{ flexShrink: 0 }}
      />
      <Text size="xs" c="dimmed">
        {historyCheck
          ? `History verified (${formatNumber(historyCheck.anchored)} of ${formatNumber(historyCheck.entries)}${late})`
          : "Hash chain valid"}
      </Text>
    </Group>
  );
}

/** A prominent alert at the top of the page: the ledger was changed outside the lobby. */
export function InvalidHistory({ historyCheck }: { historyCheck: HistoryCheck | null }) {
  return (
    <Alert
      role="alert"
      color="red"
      variant="filled"
      icon={<IconAlertOctagon aria-hidden />}
      title="The history of this device is invalid"
    >
      An entry was changed, removed or moved outside the lobby. Don't rely on this page. Check the tables, and
      who can write to them.
      {historyCheck?.message && <Text size="sm" mt="xs">{`Finding: ${historyCheck.message}`}</Text>}
    </Alert>
  );
}

function targetName(key: string, known: Props["known"]): string {
  const name = known?.find((each) => keyOf(each) === key)?.name;
  return name ? `${name} (${key})` : key;
}
