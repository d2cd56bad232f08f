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
import { NO_WISH, presumed, variablesOf, type Wish } from "../../parts/wish";
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
  const bulk = useBulkClaim();
  // While the dialog fades away it still says what it was about.
  const [last, setLast] = useState<readonly WaitingRow[]>([]);
  if (devices !== null && devices !== last) setLast(devices);
  const [first] = last;
  const count = last.length;

  const close = () => {
    bulk.reset();
    onClose();
  };
  const claim = async (certids: readonly string[], sent: Wish) => {
    const variables = variablesOf(sent);
    if (!variables || !sent.target) return;
    setWish(sent);
    const became = await bulk.run(certids, variables);
    const claimed = became.filter((outcome) => outcome.ok).map((outcome) => outcome.certid);
    if (claimed.length > 0) onClaimed(claimed, sent.target);
    if (claimed.length === became.length) onClose();
  };

  const { course, running } = bulk;
  const isOver = course !== null && !running && course.done.some((outcome) => !outcome.ok);
  return (
    <Modal
      opened={devices !== null}
      onClose={close}
      onExitTransitionEnd={bulk.reset}
      title={count === 1 ? `Claim ${first?.devicename ?? "a device"}` : `Claim ${whole(count)} devices`}
      centered
      fullScreen={phone}
      closeOnClickOutside={false}
      closeOnEscape={!running}
      withCloseButton={!running}
    >
      {isOver ? (
        <ClaimResults
          outcomes={course.done}
          names={new Map(last.map((row) => [row.certid, row.devicename]))}
          onAgain={(certids) => claim(certids, wish)}
          onClose={close}
        />
      ) : course ? (
        <ClaimCourse course={course} onStop={bulk.stop} />
      ) : (
        <ClaimForm
          count={count}
          typed={wish}
          onChange={setWish}
          onClaim={(sent) =>
            claim(
              last.map((row) => row.certid),
              sent,
            )
          }
          onClose={close}
        />
      )}
    </Modal>
  );
}

interface FormProps {
  count: number;
  typed: Wish;
  onChange: (wish: Wish) => void;
  onClaim: (wish: Wish) => void;
  onClose: () => void;
}

function ClaimForm({ count, typed, onChange, onClaim, onClose }: FormProps) {
  const { targets, error, again } = useTargets();
  if (error && !targets)
    return (
      <FailureNotice failure={failureOf(error)} onRetry={() => again({ requestPolicy: "network-only" })} />
    );
  if (!targets) return <Loading what="the targets" />;
  if (targets.length === 0) return <NoTargets />;
  const wish = presumed(typed, targets);
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
        <Button onClick={() => onClaim(wish)} disabled={variablesOf(wish) === undefined}>
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
      <Anchor component={Link} underline="always" href="/targets">
        Targets
      </Anchor>
      .
    </Text>
  );
}
