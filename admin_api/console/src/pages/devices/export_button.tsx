/** Saves all devices that are asked for, not only this page, as a CSV file; tells how far it is, and stops on a click. */
import { Button, Text } from "@mantine/core";
import { IconDownload, IconPlayerStop } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { titleOf } from "../../api/failures";
import { counted, whole } from "../../parts/numbers";
import { askerOf, Unanswered } from "./asking";
import { collect } from "./collect";
import { csvOf } from "./csv";
import type { Question } from "./question";

export function ExportButton({ question }: { question: Question }) {
  const client = useClient();
  /** Null: not at work. */
  const [count, setCount] = useState<number | null>(null);
  const [said, setSaid] = useState("");
  const stopped = useRef(false);
  useEffect(
    () => () => {
      stopped.current = true;
    },
    [],
  );

  const run = async () => {
    stopped.current = false;
    setSaid("");
    setCount(0);
    try {
      const { rows, cut } = await collect(askerOf(client, question), (far) => {
        setCount(far);
        return !stopped.current;
      });
      if (!stopped.current) {
        save(csvOf(rows), `devices-${new Date().toISOString().slice(0, 10)}.csv`);
        setSaid(`${counted(rows.length, "device")} saved${cut ? "; there may be more" : ""}`);
      }
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      setSaid(`Not saved: ${titleOf(error.failure.code)}`);
    } finally {
      setCount(null);
    }
  };

  const working = count !== null;
  return (
    <>
      <Text size="sm" c="dimmed" role="status">
        {said}
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
        {working ? `Stop (${whole(count)})` : "Save as CSV"}
      </Button>
    </>
  );
}

function save(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser takes the file in its own time.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
