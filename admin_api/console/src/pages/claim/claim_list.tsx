/**
 * The claims made on this phone: first those on hold for other users, then the current user's, newest first,
 * with live progress.
 */
import { Alert, Button, Group, Stack, Text, Title } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconAlertTriangle, IconQrcode } from "@tabler/icons-react";
import type { TargetEntry } from "../../parts/target_names";
import { useSession } from "../../sign_in/gate";
import style from "./claim.module.css";
import { claimsOfOthers, type Entry } from "./queue/entry";
import { claimQueue, useClaims } from "./queue/use_claims";
import { RowCard } from "./row_card";
import { SentRow } from "./sent_row";
import { UnsentRow } from "./unsent_row";

/** The number of claims shown in full after arrival. */
const EXPANDED = 3;

interface Props {
  user: string | null;
  targets: readonly TargetEntry[] | undefined;
}

export function ClaimList({ user, targets }: Props) {
  const { entries, persistent, loaded } = useClaims();
  const others = claimsOfOthers(entries, user);
  const mine = entries.filter(({ by }) => by === user).reverse();
  if (mine.length + others.length === 0) return <Nothing loaded={loaded} />;
  return (
    <section aria-labelledby="claims">
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Title order={2} size="h5" id="claims">
          Claims in this session
        </Title>
        <Clear sent={mine.filter(({ standing }) => standing === "sent")} />
      </Group>
      {!persistent && <MemoryOnlyNotice />}
      <Summary mine={mine} />
      <Stack component="ul" gap="sm" p={0} m={0}>
        {[...others, ...mine].map((entry) => (
          <Row
            key={entry.id}
            entry={entry}
            user={user}
            targets={targets}
            brief={mine.indexOf(entry) >= EXPANDED}
          />
        ))}
      </Stack>
    </section>
  );
}

function Row({ entry, brief, ...rest }: Props & { entry: Entry; brief: boolean }) {
  const { sending, lastFailure } = useClaims();
  const session = useSession();
  const { online } = useNetwork();
  if (entry.standing !== "sent")
    return (
      <UnsentRow
        entry={entry}
        {...rest}
        sending={sending === entry.id}
        lastFailure={session && online ? lastFailure : null}
      />
    );
  if (session) return <SentRow entry={entry} targets={rest.targets} brief={brief} />;
  return (
    <RowCard entry={entry} targets={rest.targets} badge={null}>
      <Text size="sm">Claimed. Its progress appears when the network is back.</Text>
    </RowCard>
  );
}

function Nothing({ loaded }: { loaded: boolean }) {
  if (!loaded) return null;
  return (
    <Stack className={style.nothing} align="center" gap="xs">
      <IconQrcode size={44} stroke={1.2} aria-hidden />
      <Text size="sm" ta="center" maw={260}>
        Scan the code on a device's label to claim the device for the chosen target. Its progress appears
        here.
      </Text>
    </Stack>
  );
}

/** The number of unsent claims, announced once for screen readers. */
function Summary({ mine }: { mine: readonly Entry[] }) {
  const waiting = mine.filter(({ standing }) => standing === "waiting").length;
  const refused = mine.filter(({ standing }) => standing === "refused").length;
  if (mine.length < 2 || waiting + refused === 0) return null;
  return (
    <Text size="sm" c="dimmed" mb="xs" role="status">
      {[waiting > 0 && `${waiting} queued`, refused > 0 && `${refused} rejected`].filter(Boolean).join(", ")}
    </Text>
  );
}

function MemoryOnlyNotice() {
  return (
    <Alert
      color="yellow"
      icon={<IconAlertTriangle aria-hidden />}
      mb="sm"
      title="This browser blocks storage"
    >
      Unsent claims are lost when the page closes. Leave the private window, or wait for the network.
    </Alert>
  );
}

function Clear({ sent }: { sent: readonly Entry[] }) {
  if (sent.length < 2) return null;
  const clear = async () => {
    for (const { id } of sent) await claimQueue.remove(id);
  };
  return (
    <Button size="md" px="xs" variant="subtle" aria-label="Clear sent claims" onClick={() => void clear()}>
      Clear
    </Button>
  );
}
