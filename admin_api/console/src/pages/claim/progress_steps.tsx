/**
 * The steps of a claim: completed steps with durations, the current step with a timer, and the remaining
 * steps.
 */
import { IconCheck, IconX } from "@tabler/icons-react";
import { duration, exact, useOwnNow } from "../../parts/time";
import type { ClaimProgress, Step } from "./claim_progress";
import style from "./progress.module.css";

type Is = "done" | "now" | "failed" | "to come";

const ANNOUNCED: Record<Is, string> = { done: "done", now: "now", failed: "failed", "to come": "not yet" };

export function ProgressSteps({ progress, changedAt }: { progress: ClaimProgress; changedAt: number }) {
  const { steps, status } = progress;
  const current = steps.findIndex(({ at }) => at === null);
  const isOf = (index: number): Is => {
    if (index !== current) return steps[index]?.at ? "done" : "to come";
    if (status === "failed" || status === "refused" || status === "no code") return "failed";
    return ["in progress", "unseen", "proving"].includes(status) ? "now" : "to come";
  };
  return (
    <ol
      className={style.progress}
      data-steps={steps.length}
      data-confirmed={steps.some(({ name }) => name === "Confirmed") || undefined}
      aria-label="Progress"
    >
      {steps.map((step, index) => (
        <li key={step.name} className={style.step} data-is={isOf(index)}>
          <span className={style.dot} aria-hidden>
            {isOf(index) === "done" && <IconCheck size={14} stroke={3} />}
            {isOf(index) === "failed" && <IconX size={14} stroke={3} />}
          </span>
          {step.name}
          <span className={style.unseen}>: {ANNOUNCED[isOf(index)]}</span>
          <span className={style.seconds}>
            {isOf(index) === "now" && status === "in progress" ? (
              <Counting since={changedAt} />
            ) : (
              <Took step={step} />
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Took({ step: { at, tookMs } }: { step: Step }) {
  if (at === null) return null;
  if (tookMs !== null) return duration(tookMs);
  return (
    <time dateTime={at} title={exact(at)}>
      {new Date(at).toLocaleTimeString(undefined, { timeStyle: "short" })}
    </time>
  );
}

/**
 * Measured with this phone's clock from when it saw the previous step, because the lobby's clock may differ.
 * Hidden from screen readers, because it changes constantly.
 */
function Counting({ since }: { since: number }) {
  const now = useOwnNow(250);
  return <span aria-hidden>{duration(now.getTime() - since)}</span>;
}
