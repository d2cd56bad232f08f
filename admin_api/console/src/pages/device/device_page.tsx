/** One device: where it is and why, what can be done about it, and all that befell it. */
import { Alert, Anchor } from "@mantine/core";
import { IconCheck, IconChevronLeft } from "@tabler/icons-react";
import { useEffect, useMemo, useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import type { Failure } from "../../api/failures";
import { decodeLabel, LabelError } from "../../label/label";
import { shortForm } from "../../label/short_form";
import { AsOf } from "../../parts/as_of";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { PageHead } from "../../parts/page_head";
import { useTargets } from "../../parts/targets";
import { deviceAddress } from "../addresses";
import { lastList } from "../devices/trail";
import type { Action } from "./consequences";
import { DeviceDialogs } from "./device_dialogs";
import { Stranger } from "./stranger";
import { strangerOf, subjectOf } from "./subject";
import { BrokenHistory, FIRST_LAST, History } from "./timeline";
import { useDevice } from "./use_device";
import { useVerdict } from "./use_verdict";
import { Whole } from "./whole";

/** The address may also carry what a label says; it becomes the fingerprint's. */
export default function DevicePage() {
  const { certid: text = "" } = useParams<{ certid: string }>();
  const [, navigate] = useLocation();
  const read = useMemo(() => readOf(text), [text]);
  const certid = typeof read === "string" ? read : null;
  useEffect(() => {
    if (certid !== null && certid !== text) navigate(deviceAddress(certid), { replace: true });
  }, [certid, text, navigate]);
  return (
    <>
      <Back />
      {typeof read === "string" ? (
        <Known key={read} certid={read} />
      ) : (
        <>
          <PageHead title="Device" />
          <FailureNotice failure={read} />
        </>
      )}
    </>
  );
}

function readOf(text: string): string | Failure {
  try {
    return decodeLabel(text);
  } catch (error) {
    if (error instanceof LabelError) return { code: error.code, message: error.message };
    throw error;
  }
}

function Known({ certid }: { certid: string }) {
  const [last, setLast] = useState(FIRST_LAST);
  const { device, at, failure, look } = useDevice(certid, last);
  const verdict = useVerdict(certid);
  const { targets } = useTargets();
  const [begun, setBegun] = useState<Action | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const subject = device ? subjectOf(device) : strangerOf(certid);

  if (device === undefined && failure) return <FailureNotice failure={failure} onRetry={look} />;
  if (device === undefined) return <Loading what="the device" />;
  const begin = (action: Action) => {
    setSaid(null);
    setBegun(action);
  };
  return (
    <>
      <PageHead title={device?.devicename ?? shortForm(certid)} />
      <AsOf at={at} failure={failure} onRetry={look} />
      {(device?.historyIntact === false || verdict?.ok === false) && <BrokenHistory verdict={verdict} />}
      {said && <Said words={said} onClose={() => setSaid(null)} />}
      {device === null ? (
        <Stranger certid={certid} onBegin={begin} />
      ) : (
        <Whole device={device} known={targets} onBegin={begin} onChanged={look}>
          <History
            entries={device.history ?? []}
            intact={device.historyIntact ?? null}
            verdict={verdict}
            known={targets}
            last={last}
            loading={!failure && (device.history?.length ?? 0) < last}
            onMore={setLast}
          />
        </Whole>
      )}
      <DeviceDialogs
        begun={begun}
        subject={subject}
        known={targets}
        onDone={setSaid}
        onClose={() => setBegun(null)}
      />
    </>
  );
}

function Back() {
  return (
    <Anchor
      component={Link}
      href={lastList()}
      size="sm"
      display="inline-flex"
      py={10}
      my={-6}
      style={{ alignItems: "center" }}
    >
      <IconChevronLeft size={18} aria-hidden /> Devices
    </Anchor>
  );
}

function Said({ words, onClose }: { words: string; onClose: () => void }) {
  return (
    <Alert
      role="status"
      color="green"
      icon={<IconCheck aria-hidden />}
      withCloseButton
      closeButtonLabel="Close"
      onClose={onClose}
      mb="sm"
      py="xs"
    >
      {words}
    </Alert>
  );
}
