/** A claim that the lobby has accepted: its live progress, and what to do if it is stuck. */
import { Text } from "@mantine/core";
import { lazy, Suspense } from "react";
import { failureOf } from "../../api/failures";
import { FailureNotice } from "../../parts/failure_notice";
import { PresenceCode } from "../../parts/presence_code";
import { StateBadge } from "../../parts/state_badge";
import type { TargetEntry } from "../../parts/target_names";
import { isStuck } from "./claim_progress";
import { ProgressSteps } from "./progress_steps";
import type { Entry } from "./queue/entry";
import { RowCard } from "./row_card";
import { statusText } from "./status_text";
import { useFollowed } from "./use_followed";

/** Longer than commissioning usually takes. */
const LONG_MS = 30_000;
const SLOW = " This takes longer than usual. It continues in the background; you don't have to wait.";

/** With the texts of all reasons. Loaded after the page, which must load fast. */
const Stuck = lazy(async () => ({ default: (await import("./stuck")).Stuck }));

interface Props {
  entry: Entry;
  targets: readonly TargetEntry[] | undefined;
  /** Further down the list: a device that has arrived takes one line. */
  brief: boolean;
}

export function SentRow({ entry, targets, brief }: Props) {
  const { device, progress, changedAt, error, askNow } = useFollowed(entry.certid, entry.target);
  const short = brief && progress?.status === "arrived";
  return (
    <RowCard
      entry={entry}
      targets={targets}
      badge={device?.devstate ? <StateBadge state={device.devstate} reason={device.reason} /> : null}
    >
      {progress && !short && <ProgressSteps progress={progress} changedAt={changedAt} />}
      <Text size="sm" role="status">
        {progress ? statusText(progress, device ?? null, entry.target) : "Claimed."}
        {progress?.status === "in progress" && Date.now() - changedAt > LONG_MS && SLOW}
      </Text>
      {device && progress?.status === "proving" && (
        <PresenceCode
          device={device}
          may={device.allowedActions.includes("confirmPresence")}
          onAnswered={askNow}
        />
      )}
      {error && <FailureNotice failure={failureOf(error)} onRetry={askNow} />}
      {device && progress && isStuck(progress.status) && (
        <Suspense fallback={null}>
          <Stuck entry={entry} device={device} status={progress.status} onChanged={askNow} />
        </Suspense>
      )}
    </RowCard>
  );
}
