/** A claim's line: what is done, with its seconds; what is being done, counting; what is to come. */
import { IconCheck, IconX } from "@tabler/icons-react";
import { duration, exact, useNow } from "../../parts/moments";
import style from "./claim.module.css";
import type { ClaimLine, Step } from "./claim_line";

type Is = "done" | "now" | "failed" | "to come";

const SPOKEN: Record<Is, string> = { done: "done", now: "now", failed: "failed", "to come": "not yet" };

export function LineSteps({ line, changedAt }: { line: ClaimLine; changedAt: number }) {
  const { steps, standing } = line;
  const current = steps.findIndex(({ at }) => at === null);
  const isOf = (index: number): Is => {
    if (index !== current) return steps[index]?.at ? "done" : "to come";
    if (standing === "failed" || standing === "not let in") return "failed";
    return ["under way", "unseen", "proving"].includes(standing) ? "now" : "to come";
  };
  return (
    <ol
      className={style.line}
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
          <span className={style.unseen}>: {SPOKEN[isOf(index)]}</span>
          <span className={style.seconds}>
            {isOf(index) === "now" && standing === "under way" ? (
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

/** By this phone's clock, from when it saw the step before: the lobby's may differ. Not read out: it never stops. */
function Counting({ since }: { since: number }) {
  const now = useNow(250);
  return <span aria-hidden>{duration(now.getTime() - since)}</span>;
}
