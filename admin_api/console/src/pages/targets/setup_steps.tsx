/**
 * Explains how to set up a target account with one command. The command contains the target's ExternalId, so
 * it is loaded only on an admin's request.
 */
import { Alert, Button, Code, Group, Paper, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "../../api/failures";
import { FailureNotice } from "../../parts/failure_notice";
import { Copy } from "../../parts/fingerprint";
import { Loading } from "../../parts/loading";
import { keyOf, type TargetName } from "../../parts/targets";
import { waitsForRole } from "./check_summary";
import { SETUP_COMMANDS } from "./operations";
import classes from "./targets.module.css";
import { Templates } from "./templates";

/** Owners who do not use this project deploy a template. */
type Way = "command" | "template";
export type Occasion = "new" | "profiles" | "requested";

const WHY: Record<Occasion, string> = {
  new: "Target added. Devices can be sent there after its account is set up.",
  profiles: "The profiles have changed. Set up the account again to deploy their policies.",
  requested: "Sets up the account, or repairs missing parts. You can run it again at any time.",
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
  if (!data || fetching || stale) return <Loading what="setup command" />;
  const command = data.targets.find((each) => keyOf(each) === keyOf(target))?.setupCommand;
  if (!command)
    return (
      <FailureNotice
        failure={{ code: "UNKNOWN_TARGET", message: `got no setup command for ${keyOf(target)}, want one` }}
        onRetry={retry}
      />
    );
  return <Steps target={target} command={command} occasion={occasion} onCheck={onCheck} />;
}

function Steps({ target, command, occasion, onCheck }: Props & { command: string }) {
  const [way, setWay] = useState<Way>("command");
  return (
    <Stack>
      <Text size="sm">{WHY[occasion]}</Text>
      {waitsForRole(command) && (
        <Alert color="yellow" title="Set up another Region of this account first">
          The account's role belongs to the Region that was registered first. Run that Region's command before
          this one.
        </Alert>
      )}
      <SegmentedControl
        aria-label="Set up with"
        value={way}
        onChange={(value) => setWay(value as Way)}
        data={[
          { value: "command", label: "Command" },
          { value: "template", label: "Template" },
        ]}
      />
      {way === "template" && <Templates target={target} />}
      {way === "command" && <CommandSteps target={target} command={command} />}
      <Text size="sm">
        When it has finished, run a check. A check tests every permission and makes no changes.
      </Text>
      <Group justify="flex-end">
        <Button leftSection={<IconPlugConnected size={18} aria-hidden />} onClick={onCheck}>
          Check
        </Button>
      </Group>
    </Stack>
  );
}

function CommandSteps({ target, command }: { target: TargetName; command: string }) {
  return (
    <ol className={classes.steps}>
      <li>
        <Text size="sm">
          The owner of account <Code>{target.account}</Code> opens a terminal in a copy of Device Lobby, with
          AWS credentials for that account.
        </Text>
      </li>
      <li>
        <Text size="sm">They run this command exactly as shown:</Text>
        <Command text={command} />
        <Text size="xs" c="dimmed">
          It contains the target's ExternalId. Share it only with them.
        </Text>
      </li>
    </ol>
  );
}

/** Breaks between options where there is room; the copied text is one line. */
function Command({ text }: { text: string }) {
  return (
    <Paper withBorder p="xs" my={6}>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Code block className={classes.command} flex={1} aria-label="Setup command" role="group">
          {text.split(/ (?=--)/).map((option, nth) => (
            <span key={option} className={classes.option}>
              {nth > 0 && " "}
              {option}
            </span>
          ))}
        </Code>
        <Copy text={text} what="command" />
      </Group>
    </Paper>
  );
}
