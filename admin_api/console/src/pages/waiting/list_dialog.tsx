/**
 * Claims the devices of a file: reads it, previews the claims and the refused rows, then claims and shows the
 * results. Nothing is sent before the preview is confirmed.
 */
import { Alert, Button, FileButton, Group, Modal, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconFileSpreadsheet } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { type ClaimList, readClaimList } from "../../list_file/claim_list";
import { ListError } from "../../list_file/list_error";
import { type ClaimRequest, EMPTY_REQUEST, variablesOf } from "../../parts/claim_request";
import { ForeignText } from "../../parts/foreign_text";
import { LoadedTargets } from "../../parts/loaded_targets";
import { formatNumber, pluralize } from "../../parts/numbers";
import { usePhone } from "../../parts/phone";
import { RouteForm } from "../../parts/route_form";
import type { TargetEntry } from "../../parts/targets";
import { BulkProgressView } from "./bulk_progress";
import { ClaimResults } from "./claim_results";
import { groupsOf } from "./list_groups";
import { ListPreview } from "./list_preview";
import { useBulkClaim } from "./use_bulk_claim";

/** 10,000 rows with configs of 400 characters. */
const MAX_BYTES = 5_000_000;

interface Props {
  opened: boolean;
  /** Some devices were claimed. */
  onClaimed: (certids: readonly string[]) => void;
  onClose: () => void;
}

interface ListFile {
  name: string;
  bytes: Uint8Array;
}

export function ListDialog({ opened, onClaimed, onClose }: Props) {
  const phone = usePhone();
  const [file, setFile] = useState<ListFile | null>(null);
  const bulk = useBulkClaim();
  const { progress, running } = bulk;

  const reset = () => {
    bulk.reset();
    setFile(null);
  };
  const claim = async (list: ClaimList, only?: readonly string[]) => {
    const outcomes = await bulk.run(groupsOf(list, only));
    const claimed = outcomes.filter(({ ok }) => ok).map(({ certid }) => certid);
    if (claimed.length > 0) onClaimed(claimed);
    if (claimed.length === outcomes.length) onClose();
  };

  return (
    <Modal
      opened={opened}
      onClose={onClose}
      onExitTransitionEnd={reset}
      title="Claim from file"
      size="lg"
      centered
      fullScreen={phone}
      closeOnClickOutside={false}
      closeOnEscape={!running}
      withCloseButton={!running}
    >
      {file === null ? (
        <Choose onFile={setFile} />
      ) : (
        <LoadedTargets>
          {(targets) => (
            <List
              targets={targets}
              file={file}
              onOther={() => setFile(null)}
              onClaim={claim}
              onClose={onClose}
              hidden={progress !== null}
            >
              {(list) =>
                progress && running ? (
                  <BulkProgressView progress={progress} onStop={bulk.stop} />
                ) : (
                  progress && (
                    <ClaimResults
                      outcomes={progress.done}
                      names={new Map()}
                      onAgain={(certids) => void claim(list, certids)}
                      onClose={onClose}
                    />
                  )
                )
              }
            </List>
          )}
        </LoadedTargets>
      )}
    </Modal>
  );
}

function Choose({ onFile }: { onFile: (file: ListFile) => void }) {
  const [fault, setFault] = useState<string | null>(null);
  const choose = async (chosen: File | null) => {
    if (!chosen) return;
    if (chosen.size > MAX_BYTES) {
      setFault(
        `This file has ${pluralize(chosen.size, "byte")}, more than ${formatNumber(MAX_BYTES)}. Split the list.`,
      );
      return;
    }
    try {
      onFile({ name: chosen.name, bytes: await bytesOf(chosen) });
    } catch {
      setFault("This browser can't read the file. Choose it again.");
    }
  };
  return (
    <Stack>
      <Text size="sm">
        A CSV file as a spreadsheet saves it, a manufacturer's manifest, or a file that was exported here. Its
        first line names the columns: certid, fingerprint or label, and optionally thing_name, target, profile
        and config.
      </Text>
      {fault && <Fault text={fault} />}
      <FileButton
        accept=".csv,.tsv,.txt,text/csv,text/plain"
        onChange={(chosen) => void choose(chosen)}
        inputProps={{ "aria-label": "List of devices" }}
      >
        {(props) => (
          <Button {...props} leftSection={<IconFileSpreadsheet size={18} aria-hidden />}>
            Choose file
          </Button>
        )}
      </FileButton>
    </Stack>
  );
}

/** Rejects if the file is gone or may not be read. */
function bytesOf(file: Blob): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(new Uint8Array(reader.result as ArrayBuffer));
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(file);
  });
}

interface ListProps {
  targets: readonly TargetEntry[];
  file: ListFile;
  onOther: () => void;
  onClaim: (list: ClaimList) => void;
  onClose: () => void;
  /** Whether the claims were sent: then `children` are shown. */
  hidden: boolean;
  children: (list: ClaimList) => React.ReactNode;
}

function List({ targets, file, onOther, onClaim, onClose, hidden, children }: ListProps) {
  const [request, setRequest] = useState<ClaimRequest>(EMPTY_REQUEST);
  const defaults = useMemo(() => variablesOf(request) ?? {}, [request]);
  const list = useMemo(() => listOf(file, targets, defaults), [file, targets, defaults]);
  if (hidden && typeof list !== "string") return children(list);
  return (
    <Stack>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={600}>
          <ForeignText>{file.name}</ForeignText>
        </Text>
        <Button size="xs" variant="default" onClick={onOther}>
          Choose another file
        </Button>
      </Group>
      {typeof list === "string" ? (
        <Fault text={list} />
      ) : (
        <>
          <Text size="sm" c="dimmed">
            For devices whose row names no target, profile or config:
          </Text>
          <RouteForm targets={targets} request={request} onChange={setRequest} />
          <ListPreview list={list} targets={targets} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button disabled={list.rows.length === 0} onClick={() => onClaim(list)}>
              Claim {list.rows.length}
            </Button>
          </Group>
        </>
      )}
    </Stack>
  );
}

/** The list, or the reason why the file is not a list. */
function listOf(
  { bytes }: ListFile,
  ...rest: Parameters<typeof readClaimList> extends [unknown, ...infer Rest] ? Rest : never
): ClaimList | string {
  try {
    return readClaimList(bytes, ...rest);
  } catch (error) {
    if (error instanceof ListError) return `This file is not a list of devices: ${error.message}.`;
    throw error;
  }
}

function Fault({ text }: { text: string }) {
  return (
    <Alert role="alert" color="red" py="xs" icon={<IconAlertTriangle aria-hidden />}>
      {text}
    </Alert>
  );
}
