/** The findings of a check, step by step, problems first. */
import { Code, Group, Text } from "@mantine/core";
import { IconCheck, IconQuestionMark, IconX } from "@tabler/icons-react";
import { type Finding, isInconclusive, worstFirst } from "./check_summary";
import classes from "./targets.module.css";

export function Findings({ findings }: { findings: readonly Finding[] }) {
  return (
    <ul className={classes.findings} aria-label="Findings">
      {worstFirst(findings).map((finding) => (
        <li key={finding.step} className={classes.finding}>
          <Result finding={finding} />
          <div>
            <Code style={{ overflowWrap: "anywhere" }}>{finding.step}</Code>
            {!isPlain(finding) && (
              <Text size="sm" c={finding.ok ? "dimmed" : undefined}>
                {finding.message}
              </Text>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** "found" is not repeated. */
function isPlain({ ok, message }: Finding): boolean {
  return ok && message === "found";
}

function Result({ finding }: { finding: Finding }) {
  const inconclusive = isInconclusive(finding);
  const [color, text, Icon] = finding.ok
    ? (["green", "Found", IconCheck] as const)
    : inconclusive
      ? (["yellow", "Unknown", IconQuestionMark] as const)
      : (["red", "Missing", IconX] as const);
  return (
    <Group gap={4} wrap="nowrap" align="flex-start">
      <Icon size={18} color={`var(--mantine-color-${color}-filled)`} style={{ flexShrink: 0 }} aria-hidden />
      <Text size="sm" fw={finding.ok ? undefined : 600}>
        {text}
      </Text>
    </Group>
  );
}
