/** One enrolment in the list: conditions, progress against the limit, refusals by reason, and actions. */
import { Badge, Button, Group, Paper, Progress, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useClient } from "urql";
import { failureOf } from "../../api/failures";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { formatNumber, pluralize } from "../../parts/numbers";
import { keyOf, useTargets } from "../../parts/target_names";
import { useNow } from "../../parts/time";
import { useMe } from "../../sign_in/me";
import classes from "./enrolments.module.css";
import { type Enrolment, PAUSE_ENROLMENT, RESUME_ENROLMENT, REVOKE_ENROLMENT } from "./operations";
import {
  claimCertificateText,
  claimsOf,
  conditionsText,
  isExpiring,
  periodText,
  refusalText,
  signerText,
} from "./texts";
import { TokensButton } from "./tokens";

const COLORS: Readonly<Record<string, string>> = { active: "green", paused: "yellow", revoked: "red" };

interface Props {
  enrolment: Enrolment;
  onChanged: () => void;
}

export function EnrolmentRow({ enrolment, onChanged }: Props) {
  return (
    <Paper component="li" withBorder p="sm" aria-label={enrolment.name}>
      <div className={classes.row}>
        <What enrolment={enrolment} />
        <Admitted enrolment={enrolment} />
        <Actions enrolment={enrolment} onChanged={onChanged} />
      </div>
    </Paper>
  );
}

function What({ enrolment }: { enrolment: Enrolment }) {
  const { targets } = useTargets();
  const nameOf = (key: string) => targets?.find((each) => keyOf(each) === key)?.name ?? key;
  const period = periodText(enrolment);
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <Text fw={600} component="h2" size="md">
          {enrolment.name}
        </Text>
        <Badge variant="light" color={COLORS[enrolment.state] ?? "gray"} size="sm" tt="none">
          {enrolment.state}
        </Badge>
      </Group>
      <Text size="sm">{conditionsText(enrolment)}</Text>
      <Text size="sm" c="dimmed">
        {claimsOf(enrolment, nameOf)}
      </Text>
      {period && (
        <Text size="sm" c="dimmed">
          {period}
        </Text>
      )}
      {enrolment.signer && (
        <Text size="sm" c="dimmed">
          {signerText(enrolment.signer)}
        </Text>
      )}
      <ClaimCertificates enrolment={enrolment} />
    </Stack>
  );
}

function ClaimCertificates({ enrolment }: { enrolment: Enrolment }) {
  const certificates = enrolment.claimCertificates;
  const now = useNow(60_000).getTime();
  if (enrolment.door !== "claim") return null;
  if (!certificates.length)
    return (
      <Text size="sm" c="dimmed">
        No claim certificate: lobbyctl enrolments certificates add {enrolment.name}
      </Text>
    );
  return certificates.map((certificate) => (
    <Text key={certificate.certificateId} size="sm" c={isExpiring(certificate, now) ? "red" : "dimmed"}>
      Claim certificate {certificate.certificateId.slice(0, 12)}…: {claimCertificateText(certificate)}
    </Text>
  ));
}

function Admitted({ enrolment }: { enrolment: Enrolment }) {
  const { admitted, limit, refusals } = enrolment;
  const text =
    limit === null
      ? `${pluralize(admitted, "device")} admitted`
      : `${formatNumber(admitted)} of ${pluralize(limit, "device")} admitted`;
  return (
    <Stack gap={4}>
      <Text size="sm">{text}</Text>
      {limit !== null && (
        <Progress value={Math.min(100, (100 * admitted) / limit)} aria-label={`${enrolment.name}: ${text}`} />
      )}
      {refusals.map((refusal) => (
        <Text key={refusal.reason} size="sm" c="red">
          {refusalText(refusal)}
        </Text>
      ))}
    </Stack>
  );
}

const ACTIONS = {
  pause: {
    document: PAUSE_ENROLMENT,
    operation: "pauseEnrolment",
    title: "Pause",
    consequence: "Its devices are refused until you resume it. Admitted devices stay.",
  },
  resume: {
    document: RESUME_ENROLMENT,
    operation: "resumeEnrolment",
    title: "Resume",
    consequence: "It admits devices again. Retry the devices that it has refused.",
  },
  revoke: {
    document: REVOKE_ENROLMENT,
    operation: "revokeEnrolment",
    title: "Revoke",
    consequence: "It refuses its devices from now on. Admitted devices stay. This cannot be undone.",
  },
} as const;
type Action = keyof typeof ACTIONS;

function Actions({ enrolment, onChanged }: Props) {
  const me = useMe();
  const client = useClient();
  const [asked, setAsked] = useState<Action | null>(null);
  const changes = [enrolment.state === "paused" ? "resume" : "pause", "revoke"] as const;
  const offered: readonly Action[] = enrolment.state === "revoked" ? [] : changes;
  const { document, title, consequence } = ACTIONS[asked ?? "pause"];
  const carryOut = async () => {
    const { error } = await client.mutation(document, { name: enrolment.name }).toPromise();
    if (!error) onChanged();
    return error && failureOf(error);
  };
  return (
    <div className={classes.buttons}>
      {enrolment.door === "token" && <TokensButton enrolment={enrolment} />}
      {offered
        .filter((action) => me.may(ACTIONS[action].operation))
        .map((action) => (
          <Button
            key={action}
            variant="default"
            c={action === "revoke" ? "red" : undefined}
            aria-label={`${ACTIONS[action].title} ${enrolment.name}`}
            onClick={() => setAsked(action)}
          >
            {ACTIONS[action].title}
          </Button>
        ))}
      <ConfirmDialog
        opened={asked !== null}
        title={`${title} ${enrolment.name}?`}
        consequence={consequence}
        action={title}
        dangerous={asked === "revoke"}
        onConfirm={carryOut}
        onClose={() => setAsked(null)}
      />
    </div>
  );
}
