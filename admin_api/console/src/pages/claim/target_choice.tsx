/**
 * Selects the target; shows it as text if there is only one. Uses the phone's native picker; a long list is
 * searchable instead.
 */
import { Alert, NativeSelect, Paper, Stack, Text } from "@mantine/core";
import { IconMapPinOff } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { failureOf } from "../../api/failures";
import { FailureNotice } from "../../parts/failure_notice";
import { ForeignText, isolated } from "../../parts/foreign_text";
import { keyOf, MANY_TARGETS, type TargetEntry } from "../../parts/target_names";
import style from "./claim.module.css";
import { type Choice, usualProfile } from "./use_choice";

export function TargetChoice({ choice }: { choice: Choice }) {
  const { targets, target, error, again } = choice;
  if (error) return <FailureNotice failure={failureOf(error)} onRetry={again} />;
  if (!targets)
    return (
      <Text size="sm" c="dimmed" role="status">
        Loading your targets…
      </Text>
    );
  if (targets.length === 0) return <NoTarget />;
  return (
    <Stack gap="xs">
      {targets.length === 1 && target ? (
        <OnlyTarget target={target} />
      ) : (
        <Targets choice={choice} targets={targets} />
      )}
      {target && target.profiles.length > 1 && <Profiles choice={choice} target={target} />}
    </Stack>
  );
}

function OnlyTarget({ target }: { target: TargetEntry }) {
  return (
    <Paper withBorder px="sm" py={6}>
      <Text size="xs" c="dimmed">
        Target
      </Text>
      <Text fw={550}>
        <ForeignText>{target.name}</ForeignText>
      </Text>
      <Text size="xs" c="dimmed" ff="monospace">
        {keyOf(target)}
      </Text>
    </Paper>
  );
}

/** Loaded when it is needed, because the claim page must load fast. */
const SearchableTargets = lazy(async () => ({ default: (await import("../../parts/targets")).TargetPicker }));

function Targets({ choice, targets }: { choice: Choice; targets: readonly TargetEntry[] }) {
  const { target, pickTarget } = choice;
  const native = <NativeTargets choice={choice} targets={targets} />;
  if (targets.length <= MANY_TARGETS) return native;
  return (
    <Suspense fallback={native}>
      <SearchableTargets
        targets={targets}
        value={target ? keyOf(target) : null}
        onChange={pickTarget}
        size="md"
      />
    </Suspense>
  );
}

function NativeTargets({ choice, targets }: { choice: Choice; targets: readonly TargetEntry[] }) {
  const { target, pickTarget } = choice;
  return (
    <NativeSelect
      label="Target"
      description={target && <span className={style.key}>{keyOf(target)}</span>}
      inputWrapperOrder={["label", "input", "description"]}
      size="md"
      value={target ? keyOf(target) : ""}
      onChange={(event) => pickTarget(event.currentTarget.value || null)}
      data={[
        ...(target ? [] : [{ value: "", label: "Choose a target" }]),
        ...targets.map((each) => ({ value: keyOf(each), label: `${isolated(each.name)} · ${keyOf(each)}` })),
      ]}
    />
  );
}

function Profiles({ choice, target }: { choice: Choice; target: TargetEntry }) {
  const usual = usualProfile(target);
  return (
    <NativeSelect
      label="Profile"
      size="md"
      value={choice.profile ?? usual}
      onChange={({ currentTarget: { value } }) => choice.pickProfile(value === usual ? null : value)}
      data={target.profiles}
    />
  );
}

function NoTarget() {
  return (
    <Alert color="yellow" icon={<IconMapPinOff aria-hidden />} title="No targets available">
      Ask an admin to register a target, or to give you access to one.
    </Alert>
  );
}
