/**
 * A claim that exists only on this phone or that was rejected: the reason and the possible actions. It stays
 * until the user removes it.
 */
import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCloudUp, IconHourglass, IconUser } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { type Failure, titleOf } from "../../api/failures";
import { keyOf, type TargetEntry } from "../../parts/target_names";
import { Ago } from "../../parts/time";
import { actorName, adviceFor, operatorMessage } from "./advice";
import { CopyForOperator } from "./copy_for_operator";
import type { Entry, Refusal } from "./queue/entry";
import { claimQueue } from "./queue/use_claims";
import { RowCard } from "./row_card";

interface Props {
  entry: Entry;
  targets: readonly TargetEntry[] | undefined;
  /** The user it would be sent as; null: unknown. */
  user: string | null;
  sending: boolean;
  /** Why it is not being sent. */
  lastFailure: Failure | null;
}

export function UnsentRow(props: Props) {
  const { entry, targets, user, sending } = props;
  const others = entry.by !== user;
  return (
    <RowCard entry={entry} targets={targets} badge={<EntryBadge {...props} others={others} />}>
      {entry.refusal && <Refused entry={entry} refusal={entry.refusal} />}
      {(others || !entry.refusal) && (
        <Text size="sm" role="status">
          {others ? othersText(entry) : waitingText(props)}
        </Text>
      )}
      {!sending && <Actions {...props} others={others} />}
    </RowCard>
  );
}

function EntryBadge({ entry, sending, others }: Props & { others: boolean }) {
  const [color, label, Icon] =
    entry.standing === "refused"
      ? (["red", "Rejected", IconAlertTriangle] as const)
      : others
        ? (["gray", "On hold", IconUser] as const)
        : sending
          ? (["blue", "Sending", IconCloudUp] as const)
          : (["yellow", "Queued", IconHourglass] as const);
  return (
    <Badge color={color} variant="light" tt="none" leftSection={<Icon size={14} aria-hidden />}>
      {label}
    </Badge>
  );
}

function waitingText({ sending, lastFailure, user }: Props): string {
  if (sending) return "Sending to the lobby.";
  if (user === null) return "Waiting for the network. Stored on this phone and sent after someone signs in.";
  return lastFailure
    ? `${titleOf(lastFailure.code)}. Stored on this phone and sent again automatically.`
    : "Waiting for the network. Stored on this phone.";
}

function othersText({ by, refusal }: Entry): string {
  const made =
    by === null ? "Made on this phone while nobody was signed in." : `Made on this phone by ${by}.`;
  if (refusal) return made;
  const next =
    by === null
      ? "Send it as yourself, or remove it."
      : "It is sent when they sign in. You can also send it as yourself.";
  return `${made} ${next}`;
}

function Refused({ entry, refusal: { failure, holder } }: { entry: Entry; refusal: Refusal }) {
  return (
    <div role="alert">
      <Text size="sm" fw={600}>
        {titleOf(failure.code)}
      </Text>
      {holder?.target ? (
        <Text size="sm">
          Claimed by {actorName(holder.by)}
          {holder.at && (
            <>
              , <Ago at={holder.at} />
            </>
          )}
          , for {keyOf(holder.target) === keyOf(entry.target) ? "the same target" : keyOf(holder.target)}.
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

function Actions({ entry, user, others }: Props & { others: boolean }) {
  const { refusal } = entry;
  return (
    <Stack gap="xs">
      {refusal && (
        <CopyForOperator text={operatorMessage({ ...entry, ...refusal.failure }, location.origin)} />
      )}
      <Group gap="xs" grow preventGrowOverflow={false}>
        {(refusal || others) && user !== null && (
          <Button size="md" variant="light" onClick={() => void claimQueue.sendAgain(entry.id, user)}>
            {others ? `Send as ${user}` : "Try again"}
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

const CONFIRM_WITHIN_MS = 4_000;

/** Removing an unsent claim is permanent, so it needs a second tap. */
function Remove({ label, sure, onRemove }: { label: string; sure: boolean; onRemove: () => void }) {
  const [confirming, setConfirming] = useState(false);
  useEffect(() => {
    if (!confirming) return;
    const timer = setTimeout(() => setConfirming(false), CONFIRM_WITHIN_MS);
    return () => clearTimeout(timer);
  }, [confirming]);
  return (
    <Button
      size="md"
      variant={confirming ? "filled" : "default"}
      color={confirming ? "red" : undefined}
      onClick={() => (sure && !confirming ? setConfirming(true) : onRemove())}
    >
      {confirming ? "Remove unsent claim?" : label}
    </Button>
  );
}
