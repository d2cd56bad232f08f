/** The results of a change of many devices: counts, failures by reason, and all results as a file. */
import { Alert, Button, Group, Stack } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconDownload } from "@tabler/icons-react";
import { formatNumber } from "../../parts/numbers";
import { saveFile } from "../../parts/save_file";
import { DeviceGroups } from "../device_groups";
import { cellOf } from "../devices/csv";
import type { Outcome } from "../waiting/bulk_claim";

interface Props {
  outcomes: readonly Outcome[];
  names: ReadonlyMap<string, string | null>;
  onClose: () => void;
}

export function Results({ outcomes, names, onClose }: Props) {
  const failed = outcomes.filter((outcome) => !outcome.ok);
  const changed = outcomes.length - failed.length;
  const save = () => saveFile(resultsCsv(outcomes, names), "results.csv", "text/csv;charset=utf-8");
  return (
    <Stack>
      {changed > 0 && (
        <Alert role="status" color="green" icon={<IconCheck aria-hidden />} py="xs">
          {formatNumber(changed)} changed
        </Alert>
      )}
      {failed.length > 0 && (
        <Alert
          role="alert"
          color="red"
          icon={<IconAlertTriangle aria-hidden />}
          title={`${formatNumber(failed.length)} not changed`}
        >
          <DeviceGroups failed={failed} names={names} />
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" leftSection={<IconDownload size={18} aria-hidden />} onClick={save}>
          Save results
        </Button>
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}

/** The results as CSV (RFC 4180), with the columns that `lobbyctl` reads. */
export function resultsCsv(outcomes: readonly Outcome[], names: ReadonlyMap<string, string | null>): string {
  const rows = outcomes.map(({ certid, ok, code, message }) =>
    [certid, ok ? "yes" : "no", code ?? "", message ?? "", names.get(certid) ?? ""].map(cellOf).join(","),
  );
  return ["certid,ok,code,message,devicename", ...rows, ""].join("\r\n");
}
