/** The claims made on this phone: those on hold for somebody else, then this person's, newest first, each one live. */
import { Alert, Button, Group, Stack, Text, Title } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconAlertTriangle, IconQrcode } from "@tabler/icons-react";
import type { TargetEntry } from "../../parts/target_names";
import { useSession } from "../../sign_in/gate";
import style from "./claim.module.css";
import { FollowedRow } from "./followed_row";
import { type Entry, heldFor } from "./queue/entry";
import { claimQueue, useClaims } from "./queue/use_claims";
import { RowCard } from "./row_card";
import { UnsentRow } from "./unsent_row";

/** Those above keep their whole line when they have arrived. */
const IN_FULL = 3;

interface Props {
  person: string | null;
  targets: readonly TargetEntry[] | undefined;
}

export function ClaimList({ person, targets }: Props) {
  const { entries, lasting, known } = useClaims();
  const held = heldFor(entries, person);
  const mine = entries.filter(({ by }) => by === person).reverse();
  if (mine.length + held.length === 0) return <Nothing known={known} />;
  return (
    <section aria-labelledby="claims">
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Title order={2} size="h5" id="claims">
          Claims of this session
        </Title>
        <Clear sent={mine.filter(({ standing }) => standing === "sent")} />
      </Group>
      {!lasting && <Passing />}
      <Summary mine={mine} />
      <Stack component="ul" gap="sm" p={0} m={0}>
        {[...held, ...mine].map((entry) => (
          <Row
            key={entry.id}
            entry={entry}
            person={person}
            targets={targets}
            brief={mine.indexOf(entry) >= IN_FULL}
          />
        ))}
      </Stack>
    </section>
  );
}

function Row({ entry, brief, ...rest }: Props & { entry: Entry; brief: boolean }) {
  const { sending, hindrance } = useClaims();
  const session = useSession();
  const { online } = useNetwork();
  if (entry.standing !== "sent")
    return (
      <UnsentRow
        entry={entry}
        {...rest}
        sending={sending === entry.id}
        hindrance={session && online ? hindrance : null}
      />
    );
  if (session) return <FollowedRow entry={entry} targets={rest.targets} brief={brief} />;
  return (
    <RowCard entry={entry} targets={rest.targets} badge={null}>
      <Text size="sm">Claimed. What became of it shows when there is a network.</Text>
    </RowCard>
  );
}

function Nothing({ known }: { known: boolean }) {
  if (!known) return null;
  return (
    <Stack className={style.nothing} align="center" gap="xs">
      <IconQrcode size={44} stroke={1.2} aria-hidden />
      <Text size="sm" ta="center" maw={260}>
        Scan the code on a device's label. It is claimed for the target that is picked, and you see it arrive
        here.
      </Text>
    </Stack>
  );
}

/** How many wait, said once for those who do not see the list. */
function Summary({ mine }: { mine: readonly Entry[] }) {
  const waiting = mine.filter(({ standing }) => standing === "waiting").length;
  const refused = mine.filter(({ standing }) => standing === "refused").length;
  if (mine.length < 2 || waiting + refused === 0) return null;
  return (
    <Text size="sm" c="dimmed" mb="xs" role="status">
      {[waiting > 0 && `${waiting} to be sent`, refused > 0 && `${refused} refused`]
        .filter(Boolean)
        .join(", ")}
    </Text>
  );
}

function Passing() {
  return (
    <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />} mb="sm" title="This browser keeps nothing">
      Claims that are still to be sent are lost when the page is closed. Leave the private window, or wait for
      the network.
    </Alert>
  );
}

function Clear({ sent }: { sent: readonly Entry[] }) {
  if (sent.length < 2) return null;
  const clear = async () => {
    for (const { id } of sent) await claimQueue.remove(id);
  };
  return (
    <Button
      size="md"
      px="xs"
      variant="subtle"
      aria-label="Clear those that were sent"
      onClick={() => void clear()}
    >
      Clear
    </Button>
  );
}
