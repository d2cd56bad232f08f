/** A claim that is on this phone only, or that was refused: why, and what may be done. It stays until somebody says so. */
import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCloudUp, IconHourglass, IconUser } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { type Failure, titleOf } from "../../api/failures";
import { Ago } from "../../parts/moments";
import { keyOf, type TargetEntry } from "../../parts/target_names";
import { adviceFor, personOf, wordsForOperator } from "./advice";
import type { Entry, Refusal } from "./queue/entry";
import { claimQueue } from "./queue/use_claims";
import { RowCard } from "./row_card";
import { TellOperator } from "./stuck";

interface Props {
  entry: Entry;
  targets: readonly TargetEntry[] | undefined;
  /** In whose name it would be sent now; null: nobody is known. */
  person: string | null;
  sending: boolean;
  /** Why it is not being sent. */
  hindrance: Failure | null;
}

export function UnsentRow(props: Props) {
  const { entry, targets, person, sending } = props;
  const others = entry.by !== person;
  return (
    <RowCard entry={entry} targets={targets} badge={<Standing {...props} others={others} />}>
      {entry.refusal && <Refused entry={entry} refusal={entry.refusal} />}
      {(others || !entry.refusal) && (
        <Text size="sm" role="status">
          {others ? othersWords(entry) : waitingWords(props)}
        </Text>
      )}
      {!sending && <Actions {...props} others={others} />}
    </RowCard>
  );
}

function Standing({ entry, sending, others }: Props & { others: boolean }) {
  const [color, label, Icon] =
    entry.standing === "refused"
      ? (["red", "Refused", IconAlertTriangle] as const)
      : others
        ? (["gray", "On hold", IconUser] as const)
        : sending
          ? (["blue", "Sending", IconCloudUp] as const)
          : (["yellow", "To be sent", IconHourglass] as const);
  return (
    <Badge color={color} variant="light" tt="none" leftSection={<Icon size={14} aria-hidden />}>
      {label}
    </Badge>
  );
}

function waitingWords({ sending, hindrance, person }: Props): string {
  if (sending) return "It is on its way to the lobby.";
  if (person === null)
    return "Waiting for the network; kept on this phone. It can be sent once somebody has signed in.";
  return hindrance
    ? `${titleOf(hindrance.code)}. It is kept on this phone and sent again by itself.`
    : "Waiting for the network; kept on this phone.";
}

function othersWords({ by, refusal }: Entry): string {
  const made = by === null ? "Made here when nobody was signed in." : `Made here by ${by}.`;
  if (refusal) return made;
  const sent = by === null ? "It is not sent" : "It is sent when they sign in,";
  return `${made} ${sent} in your name only if you say so.`;
}

function Refused({ entry, refusal: { failure, holder } }: { entry: Entry; refusal: Refusal }) {
  return (
    <div role="alert">
      <Text size="sm" fw={600}>
        {titleOf(failure.code)}
      </Text>
      {holder?.target ? (
        <Text size="sm">
          By {personOf(holder.by)}
          {holder.at && (
            <>
              , <Ago at={holder.at} />
            </>
          )}
          , for {keyOf(holder.target) === keyOf(entry.target) ? "this same target" : keyOf(holder.target)}.
        </Text>
      ) : (
        <Text size="sm">{failure.message}</Text>
      )}
      <Text size="sm">{adviceFor(failure.code)}</Text>
      <Text size="xs" c="dimmed" ff="monospace">
        {failure.code}
        {failure.correlationId ? ` · ${failure.correlationId}` : ""}
      </Text>
    </div>
  );
}

function Actions({ entry, person, others }: Props & { others: boolean }) {
  const { refusal } = entry;
  return (
    <Stack gap="xs">
      {refusal && (
        <TellOperator words={wordsForOperator({ ...entry, ...refusal.failure }, location.origin)} />
      )}
      <Group gap="xs" grow preventGrowOverflow={false}>
        {(refusal || others) && person !== null && (
          <Button size="md" variant="light" onClick={() => void claimQueue.sendAgain(entry.id, person)}>
            {others ? `Send as ${person}` : "Try again"}
          </Button>
        )}
        {refusal?.holder && (
          <Button size="md" variant="default" component={Link} href={`/devices/${entry.certid}`}>
            Details
          </Button>
        )}
        <Remove
          label={refusal ? "Dismiss" : "Remove"}
          sure={!refusal}
          onRemove={() => void claimQueue.remove(entry.id)}
        />
      </Group>
    </Stack>
  );
}

const SURE_FOR_MS = 4_000;

/** An unsent claim is gone for good: the second tap counts. */
function Remove({ label, sure, onRemove }: { label: string; sure: boolean; onRemove: () => void }) {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => setAsked(false), SURE_FOR_MS);
    return () => clearTimeout(timer);
  }, [asked]);
  return (
    <Button
      size="md"
      variant={asked ? "filled" : "default"}
      color={asked ? "red" : undefined}
      onClick={() => (sure && !asked ? setAsked(true) : onRemove())}
    >
      {asked ? "Remove it unsent?" : label}
    </Button>
  );
}
