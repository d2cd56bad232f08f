/** The overview: devices by state and target, stuck devices, and failure reasons. Updated while visible. */
import { useMemo } from "react";
import { failureOf } from "../../api/failures";
import { useLiveQuery } from "../../api/live";
import { serverClock } from "../../clock/server_clock";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { PageHead } from "../../parts/page_head";
import { StaleNotice } from "../../parts/stale_notice";
import { FailuresSection } from "./failures_section";
import { FirstSteps } from "./first_steps";
import { type Counts, OVERVIEW } from "./operations";
import classes from "./overview.module.css";
import { RenewalsSection } from "./renewals_section";
import { StatesSection } from "./states_section";
import { HINTS } from "./stuck";
import { StuckSection } from "./stuck_section";
import { TargetsSection } from "./targets_section";

const EVERY_MS = 10_000;

export default function OverviewPage() {
  const [{ data, error }, again] = useLiveQuery({ query: OVERVIEW }, EVERY_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each response has its own time.
  const at = useMemo(() => new Date(serverClock.now()), [data]);
  const failure = error && failureOf(error);
  const retry = () => again({ requestPolicy: "network-only" });
  return (
    <>
      <PageHead title="Overview" />
      {!data && failure && <FailureNotice failure={failure} onRetry={retry} />}
      {!data && !failure && <Loading what="counts" />}
      {data && <StaleNotice at={at} failure={failure} onRetry={retry} />}
      {data && (data.overview.total === 0 ? <FirstSteps /> : <Sections counts={data.overview} at={at} />)}
    </>
  );
}

function Sections({ counts, at }: { counts: Counts; at: Date }) {
  const transient = counts.states.some(({ state, count }) => state in HINTS && count > 0);
  return (
    <div className={classes.columns}>
      <div className={classes.column}>
        <StatesSection counts={counts} />
        <StuckSection at={at} some={transient} everyMs={EVERY_MS} />
      </div>
      <div className={classes.column}>
        <FailuresSection reasons={counts.reasons} />
        <RenewalsSection renewals={counts.renewals} />
        <TargetsSection targets={counts.targets} />
      </div>
    </div>
  );
}
