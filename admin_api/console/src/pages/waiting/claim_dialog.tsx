/** Claims one device or many: where they shall go, what will happen, how far it is, and what became of each. */

import { Anchor, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { failureOf } from "../../api/failures";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { whole } from "../../parts/numbers";
import { usePhone } from "../../parts/phone";
import { RouteForm } from "../../parts/route_form";
import { useTargets } from "../../parts/targets";
import { NO_WISH, variablesOf, type Wish } from "../../parts/wish";
import type { Outcome } from "./bulk_claim";
import { ClaimCourse } from "./claim_course";
import { ClaimResults } from "./claim_results";
import { useBulkClaim } from "./use_bulk_claim";
import type { WaitingRow } from "./use_waiting";

interface Props {
  /** Null: closed. */
  devices: readonly WaitingRow[] | null;
  /** Some are claimed for `target`, as `account/region`. */
  onClaimed: (certids: readonly string[], target: string) => void;
  onClose: () => void;
}

export function ClaimDialog({ devices, onClaimed, onClose }: Props) {
  const phone = usePhone();
  const [wish, setWish] = useState<Wish>(NO_WISH);
  const [outcomes, setOutcomes] = useState<readonly Outcome[] | null>(null);
  const bulk = useBulkClaim();
  const names = new Map(devices?.map((row) => [row.certid, row.devicename]));

  const close = () => {
    setOutcomes(null);
    bulk.reset();
    onClose();
  };
  const claim = async (certids: readonly string[]) => {
    const variables = variablesOf(wish);
    if (!variables || !wish.target) return;
    setOutcomes(null);
    const became = await bulk.run(certids, variables);
    const claimed = became.filter((outcome) => outcome.ok).map((outcome) => outcome.certid);
    if (claimed.length > 0) onClaimed(claimed, wish.target);
    if (claimed.length === became.length) close();
    else setOutcomes(became);
  };

  const count = devices?.length ?? 0;
  return (
    <Modal
      opened={devices !== null}
      onClose={close}
      title={count === 1 ? `Claim ${devices?.[0]?.devicename ?? "a device"}` : `Claim ${count} devices`}
      centered
      fullScreen={phone}
      closeOnClickOutside={false}
      closeOnEscape={!bulk.running}
      withCloseButton={!bulk.running}
    >
      {bulk.running && bulk.course ? (
        <ClaimCourse course={bulk.course} onStop={bulk.stop} />
      ) : outcomes ? (
        <ClaimResults outcomes={outcomes} names={names} onAgain={claim} onClose={close} />
      ) : (
        <ClaimForm
          count={count}
          wish={wish}
          onChange={setWish}
          onClaim={() => claim(devices?.map((row) => row.certid) ?? [])}
          onClose={close}
        />
      )}
    </Modal>
  );
}

interface FormProps {
  count: number;
  wish: Wish;
  onChange: (wish: Wish) => void;
  onClaim: () => void;
  onClose: () => void;
}

function ClaimForm({ count, wish, onChange, onClaim, onClose }: FormProps) {
  const { targets, error, again } = useTargets();
  if (error && !targets)
    return (
      <FailureNotice failure={failureOf(error)} onRetry={() => again({ requestPolicy: "network-only" })} />
    );
  if (!targets) return <Loading what="the targets" />;
  if (targets.length === 0) return <NoTargets />;
  const they = count === 1 ? "It is" : `All ${whole(count)} are`;
  return (
    <Stack>
      <RouteForm targets={targets} wish={wish} onChange={onChange} />
      <Text size="sm" c="dimmed">
        {they} set up in the target now and sent there at once; {count === 1 ? "it leaves" : "they leave"} the
        lobby within seconds.
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button onClick={onClaim} disabled={variablesOf(wish) === undefined}>
          {count === 1 ? "Claim" : `Claim ${whole(count)}`}
        </Button>
      </Group>
    </Stack>
  );
}

export function NoTargets() {
  return (
    <Text size="sm">
      There is no target that you may claim for yet. An admin registers them under{" "}
      <Anchor component={Link} href="/targets">
        Targets
      </Anchor>
      .
    </Text>
  );
}
