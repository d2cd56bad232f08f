/**
 * Saves all devices of the query, not only this page, as a CSV file. Shows its progress and can be stopped.
 */
import { Button, Text } from "@mantine/core";
import { IconDownload, IconPlayerStop } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { titleOf } from "../../api/failures";
import { formatNumber, pluralize } from "../../parts/numbers";
import { saveFile } from "../../parts/save_file";
import { collect } from "./collect";
import { csvOf } from "./csv";
import { deviceFetcher, FetchFailed } from "./fetch_devices";
import type { ListQuery } from "./list_query";

export function ExportButton({ query }: { query: ListQuery }) {
  const client = useClient();
  /** Null: not running. */
  const [count, setCount] = useState<number | null>(null);
  const [status, setStatus] = useState("");
  const stopped = useRef(false);
  useEffect(
    () => () => {
      stopped.current = true;
    },
    [],
  );

  const run = async () => {
    stopped.current = false;
    setStatus("");
    setCount(0);
    try {
      const { rows, cut } = await collect(deviceFetcher(client, query, false, { renewals: true }), (far) => {
        setCount(far);
        return !stopped.current;
      });
      if (!stopped.current) {
        saveFile(
          csvOf(rows),
          `devices-${new Date().toISOString().slice(0, 10)}.csv`,
          "text/csv;charset=utf-8",
        );
        setStatus(`${pluralize(rows.length, "device")} saved${cut ? "; there may be more" : ""}`);
      }
    } catch (error) {
      if (!(error instanceof FetchFailed)) throw error;
      setStatus(`Not saved: ${titleOf(error.failure.code)}`);
    } finally {
      setCount(null);
    }
  };

  const working = count !== null;
  return (
    <>
      <Text size="sm" c="dimmed" role="status">
        {status}
      </Text>
      <Button
        variant="default"
        leftSection={
          working ? <IconPlayerStop size={18} aria-hidden /> : <IconDownload size={18} aria-hidden />
        }
        onClick={() => {
          if (working) stopped.current = true;
          else void run();
        }}
      >
        {working ? `Stop (${formatNumber(count)})` : "Export CSV"}
      </Button>
    </>
  );
}
