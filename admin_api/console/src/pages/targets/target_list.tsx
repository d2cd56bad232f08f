/** The targets that match a search, by name, and the empty states. */
import { Button, Text } from "@mantine/core";
import { IconMapPin, IconMapPinPlus, IconMapSearch } from "@tabler/icons-react";
import { EmptyState } from "../../parts/empty_state";
import entries from "../../parts/entry_list.module.css";
import { pluralize } from "../../parts/numbers";
import { keyOf } from "../../parts/targets";
import { useMe } from "../../sign_in/me";
import type { Counted, Listed } from "./operations";
import type { Dialog } from "./target_dialog";
import { TargetRow } from "./target_row";
import type { Outcome } from "./use_check";

interface Props {
  targets: readonly Listed[];
  search: string;
  counts: ReadonlyMap<string, Counted> | undefined;
  checked: ReadonlyMap<string, Outcome>;
  onOpen: (dialog: Dialog) => void;
}

/** Return the targets whose name, account, Region or profile contains `search`, by name. */
export function fitting(targets: readonly Listed[], search: string): Listed[] {
  const wanted = search.trim().toLowerCase();
  const fits = (target: Listed) =>
    [target.name, keyOf(target), ...target.profiles].some((text) => text.toLowerCase().includes(wanted));
  return targets
    .filter(fits)
    .sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
}

export function TargetList({ targets, search, counts, checked, onOpen }: Props) {
  if (targets.length === 0) return <NoTargets onAdd={() => onOpen({ to: "add" })} />;
  const shown = fitting(targets, search);
  return (
    <>
      <Text size="xs" c="dimmed" mb="xs" role="status">
        {search.trim()
          ? `${shown.length} of ${pluralize(targets.length, "target")}`
          : pluralize(targets.length, "target")}
      </Text>
      {shown.length === 0 && (
        <EmptyState icon={<IconMapSearch />} title="No matches">
          No target has “{search.trim()}” in its name, account, Region or profiles.
        </EmptyState>
      )}
      <ul className={entries.list}>
        {shown.map((target) => (
          <TargetRow
            key={keyOf(target)}
            target={target}
            counts={counts && (counts.get(keyOf(target)) ?? { ...target, count: 0, states: [] })}
            checked={checked.get(keyOf(target))}
            onOpen={onOpen}
          />
        ))}
      </ul>
    </>
  );
}

function NoTargets({ onAdd }: { onAdd: () => void }) {
  const me = useMe();
  if (me.role === "technician")
    return (
      <EmptyState icon={<IconMapPin />} title="No targets available">
        An admin of the user pool adds you to a group for each target that you may claim for, such as
        target:222222222222/eu-west-1.
      </EmptyState>
    );
  return (
    <EmptyState icon={<IconMapPin />} title="No targets yet">
      <Text size="sm">
        A target is an AWS account and Region that devices can be sent to. After you add one, you get the
        command that sets up its account.
      </Text>
      {me.may("registerTarget") ? (
        <Button mt="md" leftSection={<IconMapPinPlus size={18} aria-hidden />} onClick={onAdd}>
          Add target
        </Button>
      ) : (
        <Text size="sm" mt="xs">
          An admin of the lobby can add one.
        </Text>
      )}
    </EmptyState>
  );
}
