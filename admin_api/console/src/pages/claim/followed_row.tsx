/** A claim that the lobby has taken: its line, live, and what to do where it does not go through by itself. */
import { Text } from "@mantine/core";
import { failureOf } from "../../api/failures";
import { FailureNotice } from "../../parts/failure_notice";
import { PresenceCode } from "../../parts/presence_code";
import { StateBadge } from "../../parts/state_badge";
import type { TargetEntry } from "../../parts/target_names";
import { LineSteps } from "./line_steps";
import type { Entry } from "./queue/entry";
import { RowCard } from "./row_card";
import { Stuck } from "./stuck";
import { useFollowed } from "./use_followed";
import { standingWords } from "./words";

/** Longer than a commissioning takes when nothing is in its way. */
const LONG_MS = 30_000;
const SLOW = " It takes longer than usual, and goes on by itself; there is no need to wait here.";

interface Props {
  entry: Entry;
  targets: readonly TargetEntry[] | undefined;
  /** Further down the list: what has arrived takes one line. */
  brief: boolean;
}

export function FollowedRow({ entry, targets, brief }: Props) {
  const { device, line, changedAt, error, askNow } = useFollowed(entry.certid, entry.target);
  const short = brief && line?.standing === "arrived";
  return (
    <RowCard
      entry={entry}
      targets={targets}
      badge={device?.devstate ? <StateBadge state={device.devstate} /> : null}
    >
      {line && !short && <LineSteps line={line} changedAt={changedAt} />}
      <Text size="sm" role="status">
        {line ? standingWords(line, device ?? null, entry.target) : "The lobby has it."}
        {line?.standing === "under way" && Date.now() - changedAt > LONG_MS && SLOW}
      </Text>
      {device && line?.standing === "proving" && (
        <PresenceCode
          device={device}
          may={device.allowedActions.includes("confirmPresence")}
          onTold={askNow}
        />
      )}
      {error && <FailureNotice failure={failureOf(error)} onRetry={askNow} />}
      {device && line && <Stuck entry={entry} device={device} standing={line.standing} onRetried={askNow} />}
    </RowCard>
  );
}
