/** Claims one or more devices: target, effect, progress and results. */

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { type ClaimRequest, EMPTY_REQUEST, variablesOf, withOnlyTarget } from "../../parts/claim_request";
import { LoadedTargets } from "../../parts/loaded_targets";
import { formatNumber } from "../../parts/numbers";
import { usePhone } from "../../parts/phone";
import { RouteForm } from "../../parts/route_form";
import type { TargetEntry } from "../../parts/targets";
import { BulkProgressView } from "./bulk_progress";
import { ClaimResults } from "./claim_results";
import { useBulkClaim } from "./use_bulk_claim";
import type { WaitingRow } from "./use_waiting";

interface Props {
  /** Null: closed. */
  devices: readonly WaitingRow[] | null;
  /** Some devices were claimed for `target` (`account/region`). */
  onClaimed: (certids: readonly string[], target: string) => void;
  onClose: () => void;
}

export function ClaimDialog({ devices, onClaimed, onClose }: Props) {
  const phone = usePhone();
  const [request, setRequest] = useState<ClaimRequest>(EMPTY_REQUEST);
  const bulk = useBulkClaim();
  // Keeps the content while the dialog closes.
  const [last, setLast] = useState<readonly WaitingRow[]>([]);
  if (devices !== null && devices !== last) setLast(devices);
  const count = last.length;

  const close = () => {
    bulk.reset();
    onClose();
  };
  const claim = async (certids: readonly string[], sent: ClaimRequest) => {
    const variables = variablesOf(sent);
    if (!variables || !sent.target) return;
    setRequest(sent);
    const became = await bulk.run([{ certids, request: variables }]);
    const claimed = became.filter((outcome) => outcome.ok).map((outcome) => outcome.certid);
    if (claimed.length > 0) onClaimed(claimed, sent.target);
    if (claimed.length === became.length) onClose();
  };

  const { progress, running } = bulk;
  const isOver = progress !== null && !running && progress.done.some((outcome) => !outcome.ok);
  return (
    <Modal
      opened={devices !== null}
      onClose={close}
      onExitTransitionEnd={bulk.reset}
      title={count === 1 ? "Claim device" : `Claim ${formatNumber(count)} devices`}
      centered
      fullScreen={phone}
      closeOnClickOutside={false}
      closeOnEscape={!running}
      withCloseButton={!running}
    >
      {isOver ? (
        <ClaimResults
          outcomes={progress.done}
          names={new Map(last.map((row) => [row.certid, row.devicename]))}
          onAgain={(certids) => claim(certids, request)}
          onClose={close}
        />
      ) : progress ? (
        <BulkProgressView progress={progress} onStop={bulk.stop} />
      ) : (
        <LoadedTargets>
          {(targets) => (
            <ClaimForm
              targets={targets}
              devices={last}
              draft={request}
              onChange={setRequest}
              onClaim={(sent) =>
                claim(
                  last.map((row) => row.certid),
                  sent,
                )
              }
              onClose={close}
            />
          )}
        </LoadedTargets>
      )}
    </Modal>
  );
}

interface FormProps {
  targets: readonly TargetEntry[];
  devices: readonly WaitingRow[];
  draft: ClaimRequest;
  onChange: (request: ClaimRequest) => void;
  onClaim: (request: ClaimRequest) => void;
  onClose: () => void;
}

function ClaimForm({ targets, devices, draft, onChange, onClaim, onClose }: FormProps) {
  const request = withOnlyTarget(draft, targets);
  const count = devices.length;
  const effect =
    count === 1
      ? `${nameOf(devices[0])} is set up in the target and sent there immediately. It leaves the lobby within seconds.`
      : `All ${formatNumber(count)} devices are set up in the target and sent there immediately. They leave the lobby within seconds.`;
  return (
    <Stack>
      <RouteForm targets={targets} request={request} onChange={onChange} />
      <Text size="sm" c="dimmed">
        {effect}
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button onClick={() => onClaim(request)} disabled={variablesOf(request) === undefined}>
          {count === 1 ? "Claim" : `Claim ${formatNumber(count)}`}
        </Button>
      </Group>
    </Stack>
  );
}

function nameOf(device: WaitingRow | undefined): string {
  return device?.devicename ?? "The device";
}
