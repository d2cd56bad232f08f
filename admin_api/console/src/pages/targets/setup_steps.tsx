/**
 * How a target account is set up: the one command, word for word, and what to do with it. The command has the target's
 * ExternalId in it, so it is fetched only when an admin wants to see it.
 */
import { Alert, Button, Code, Group, Paper, Stack, Text } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { useQuery } from "urql";
import { failureOf } from "../../api/failures";
import { FailureNotice } from "../../parts/failure_notice";
import { Copy } from "../../parts/fingerprint";
import { Loading } from "../../parts/loading";
import { keyOf, type TargetName } from "../../parts/targets";
import { SETUP_COMMANDS } from "./operations";
import classes from "./targets.module.css";
import { waitsForRole } from "./verdict";

export type Occasion = "new" | "profiles" | "asked";

const WHY: Record<Occasion, string> = {
  new: "The target is added. Devices can go there once its account is set up.",
  profiles: "The profiles have changed. Their policies are there once its account is set up again.",
  asked: "Sets the account up, or mends what is missing there. It may be run again at any time.",
};

interface Props {
  target: TargetName;
  occasion: Occasion;
  onCheck: () => void;
}

export function SetupSteps({ target, occasion, onCheck }: Props) {
  const [{ data, error, stale, fetching }, again] = useQuery({
    query: SETUP_COMMANDS,
    requestPolicy: "network-only",
  });
  const retry = () => again({ requestPolicy: "network-only" });
  if (error) return <FailureNotice failure={failureOf(error)} onRetry={retry} />;
  if (!data || fetching || stale) return <Loading what="the set-up command" />;
  const command = data.targets.find((each) => keyOf(each) === keyOf(target))?.setupCommand;
  if (!command)
    return (
      <FailureNotice
        failure={{ code: "UNKNOWN_TARGET", message: `got no set-up command for ${keyOf(target)}, want one` }}
        onRetry={retry}
      />
    );
  return <Steps target={target} command={command} occasion={occasion} onCheck={onCheck} />;
}

function Steps({ target, command, occasion, onCheck }: Props & { command: string }) {
  return (
    <Stack>
      <Text size="sm">{WHY[occasion]}</Text>
      {waitsForRole(command) && (
        <Alert color="yellow" title="Another Region of this account comes first">
          The account's role belongs to the Region that was registered first: its command has to be run before
          this one.
        </Alert>
      )}
      <ol className={classes.steps}>
        <li>
          <Text size="sm">
            The owner of account <Code>{target.account}</Code> opens a terminal in a copy of Device Lobby,
            with AWS credentials of that account.
          </Text>
        </li>
        <li>
          <Text size="sm">They run this command, word for word:</Text>
          <Command text={command} />
          <Text size="xs" c="dimmed">
            The ExternalId in it is for them alone.
          </Text>
        </li>
        <li>
          <Text size="sm">When it has ended, check: every permission is tried, nothing is changed.</Text>
        </li>
      </ol>
      <Group justify="flex-end">
        <Button leftSection={<IconPlugConnected size={18} aria-hidden />} onClick={onCheck}>
          Check
        </Button>
      </Group>
    </Stack>
  );
}

/** Broken between its options, where there is room for that; what is copied is one line. */
function Command({ text }: { text: string }) {
  return (
    <Paper withBorder p="xs" my={6}>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Code block className={classes.command} flex={1} aria-label="Set-up command" role="group">
          {text.split(/ (?=--)/).map((word, nth) => (
            <span key={word} className={classes.word}>
              {nth > 0 && " "}
              {word}
            </span>
          ))}
        </Code>
        <Copy text={text} what="command" />
      </Group>
    </Paper>
  );
}
