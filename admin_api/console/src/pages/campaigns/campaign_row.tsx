/** One campaign in the list: its operation, progress, failures by reason, and actions. */
import { Anchor, Badge, Button, Group, Paper, Progress, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useClient } from "urql";
import { Link } from "wouter";
import { failureOf } from "../../api/failures";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { pluralize } from "../../parts/numbers";
import { keyOf, useTargets } from "../../parts/target_names";
import { Ago, exact, useNow } from "../../parts/time";
import { useMe } from "../../sign_in/me";
import { ANY, activityAddress } from "../activity/conditions";
import { actorText } from "../device/history_text";
import classes from "./campaigns.module.css";
import {
  APPROVE_CAMPAIGN,
  CANCEL_CAMPAIGN,
  type Campaign,
  PAUSE_CAMPAIGN,
  RESUME_CAMPAIGN,
  UNDO_CAMPAIGN,
} from "./operations";
import { ResultsButton } from "./results_button";
import { endText, failureText, partsOf, progressOf, shareOf, stateOf, waitOf, whatOf } from "./texts";

interface Props {
  campaign: Campaign;
  /** The campaign that undoes it. A list with a campaign has it too, because it is newer. */
  undo: Campaign | undefined;
  onChanged: () => void;
}

export function CampaignRow({ campaign, undo, onChanged }: Props) {
  return (
    <Paper component="li" withBorder p="sm" aria-label={campaign.name}>
      <div className={classes.row}>
        <What campaign={campaign} />
        <Advance campaign={campaign} />
        <Actions campaign={campaign} undo={undo} onChanged={onChanged} />
      </div>
    </Paper>
  );
}

function What({ campaign }: { campaign: Campaign }) {
  const { targets } = useTargets();
  const { may } = useMe();
  const nameOf = (key: string) => targets?.find((each) => keyOf(each) === key)?.name ?? key;
  const { createdBy, createdAt, approvedBy, undoneBy } = campaign;
  const { label, color } = stateOf(campaign);
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <Text fw={600} component="h2" size="md">
          {campaign.name}
        </Text>
        <Badge variant="light" color={color} size="sm" tt="none">
          {label}
        </Badge>
      </Group>
      <Text size="sm">{whatOf(campaign, nameOf)}</Text>
      <Text size="sm" c="dimmed">
        {actorText(createdBy)}, <Ago at={createdAt} />
        {approvedBy && `, approved by ${actorText(approvedBy)}`}
        {undoneBy && `, undone by ${undoneBy}`}
      </Text>
      {may("activity") && (
        <Anchor
          component={Link}
          href={activityAddress({ ...ANY, kind: "campaign", name: campaign.name })}
          size="sm"
          className="reach"
          aria-label={`Its changes: ${campaign.name}`}
        >
          Its changes
        </Anchor>
      )}
    </Stack>
  );
}

function Advance({ campaign }: { campaign: Campaign }) {
  const text = progressOf(campaign);
  const wait = waitOf(campaign);
  return (
    <Stack gap={4}>
      <Progress.Root
        role="progressbar"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={shareOf(campaign)}
        aria-label={`${campaign.name}: ${text}`}
      >
        {partsOf(campaign).map(({ name, color, share }) => (
          <Progress.Section key={name} value={share} color={color} withAria={false} />
        ))}
      </Progress.Root>
      <Text size="sm">{text}</Text>
      {campaign.expectedEnd && <End at={campaign.expectedEnd} />}
      {wait && (
        <Text size="sm" c={campaign.state === "stopped" ? "red" : "dimmed"}>
          {wait}
        </Text>
      )}
      {campaign.failures.map(({ code, count }) => (
        <Text key={code} size="sm" c="red">
          {pluralize(count, "device")}: {failureText(code)}
        </Text>
      ))}
    </Stack>
  );
}

function End({ at }: { at: string }) {
  const now = useNow(1_000);
  return (
    <Text size="sm">
      Expected end:{" "}
      <time dateTime={at} title={exact(at)}>
        {endText(at, now)}
      </time>
    </Text>
  );
}

const ACTIONS = {
  approveCampaign: {
    document: APPROVE_CAMPAIGN,
    title: "Approve",
    consequence: "It starts to change its devices now. Check them first: Results.",
  },
  pauseCampaign: {
    document: PAUSE_CAMPAIGN,
    title: "Pause",
    consequence: "No further device is changed until you resume it. Changes in progress are completed.",
  },
  resumeCampaign: {
    document: RESUME_CAMPAIGN,
    title: "Resume",
    consequence: "It continues with the remaining devices.",
  },
  cancelCampaign: {
    document: CANCEL_CAMPAIGN,
    title: "Cancel",
    consequence:
      "No further device is changed. Devices that it has changed stay as they are until you undo it.",
  },
  undoCampaign: {
    document: UNDO_CAMPAIGN,
    title: "Undo",
    consequence:
      "A new campaign restores the previous target, profile and config of the devices. Devices that were changed since are skipped.",
  },
} as const;
type Action = keyof typeof ACTIONS;

function Actions({ campaign, undo, onChanged }: Props) {
  const me = useMe();
  const client = useClient();
  const [asked, setAsked] = useState<Action | null>(null);
  const offered = (Object.keys(ACTIONS) as Action[]).filter(
    (action) => me.may(action) && isOffered(action, campaign, undo, me.name),
  );
  const { document, title, consequence } = ACTIONS[asked ?? "pauseCampaign"];
  const carryOut = async () => {
    const { error } = await client.mutation(document, { name: campaign.name }).toPromise();
    if (!error) onChanged();
    return error && failureOf(error);
  };
  return (
    <div className={classes.buttons}>
      <ResultsButton name={campaign.name} />
      {offered.map((action) => (
        <Button
          key={action}
          variant="default"
          c={action === "cancelCampaign" ? "red" : undefined}
          aria-label={`${ACTIONS[action].title} ${campaign.name}`}
          onClick={() => setAsked(action)}
        >
          {ACTIONS[action].title}
        </Button>
      ))}
      <ConfirmDialog
        opened={asked !== null}
        title={`${title} ${campaign.name}?`}
        consequence={consequence}
        action={`${title} campaign`}
        dangerous={asked === "cancelCampaign"}
        keep={asked === "cancelCampaign" ? "Back" : "Cancel"}
        onConfirm={carryOut}
        onClose={() => setAsked(null)}
      />
    </div>
  );
}

/** Who has created a campaign does not approve it. One that has changed nothing is not undone. */
function isOffered(action: Action, campaign: Campaign, undo: Campaign | undefined, user: string): boolean {
  if (!campaign.allowedActions.includes(action)) return false;
  if (action === "approveCampaign") return campaign.createdBy !== `user:${user}`;
  return action !== "undoCampaign" || canBeUndone(campaign, undo);
}

/**
 * A campaign is undone once, unless its undo has left devices. An undo, a revocation or a retry cannot be
 * undone.
 */
function canBeUndone({ undoneBy, undoes, operation, counts }: Campaign, undo: Campaign | undefined): boolean {
  const changed = counts.done + counts.awaited + counts.waiting + counts.failed;
  const isFree = !undoneBy || (undo !== undefined && leavesDevices(undo));
  return changed > 0 && isFree && !undoes && !["REVOKE", "RETRY", "RENEW"].includes(operation);
}

function leavesDevices({ state, counts }: Campaign): boolean {
  return state === "cancelled" || (state === "done" && counts.refused > 0);
}
