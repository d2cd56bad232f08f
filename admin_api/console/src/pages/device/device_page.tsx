/** The page of one device: state, reason, actions and history. */
import { Alert, Anchor } from "@mantine/core";
import { IconCheck, IconChevronLeft } from "@tabler/icons-react";
import { useEffect, useMemo, useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import type { Failure } from "../../api/failures";
import { decodeLabel, LabelError } from "../../label/label";
import { shortForm } from "../../label/short_form";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { PageHead } from "../../parts/page_head";
import { StaleNotice } from "../../parts/stale_notice";
import { useTargets } from "../../parts/targets";
import { deviceAddress } from "../addresses";
import { lastList } from "../devices/page_trail";
import type { Action } from "./consequences";
import { DeviceDetails } from "./device_details";
import { DeviceDialogs } from "./device_dialogs";
import { beginningOf, ShortFormLookup } from "./short_form_lookup";
import { displayName, subjectOf, unknownSubject } from "./subject";
import { FIRST_LAST, History, InvalidHistory } from "./timeline";
import { UnknownDevice } from "./unknown_device";
import { useDevice } from "./use_device";
import { useHistoryCheck } from "./use_history_check";

/** The address may contain a label code or a short form; it is replaced by the fingerprint. */
export default function DevicePage() {
  const { certid: text = "" } = useParams<{ certid: string }>();
  const [, navigate] = useLocation();
  const read = useMemo(() => readOf(text), [text]);
  const certid = typeof read === "string" ? read : null;
  const digits = certid === null ? beginningOf(text) : null;
  useEffect(() => {
    if (certid !== null && certid !== text) navigate(deviceAddress(certid), { replace: true });
  }, [certid, text, navigate]);
  return (
    <>
      <Back />
      {typeof read === "string" ? (
        <DeviceView key={read} certid={read} />
      ) : digits !== null ? (
        <ShortFormLookup digits={digits} />
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

function DeviceView({ certid }: { certid: string }) {
  const [last, setLast] = useState(FIRST_LAST);
  const { device, at, failure, refresh } = useDevice(certid, last);
  const historyCheck = useHistoryCheck(certid);
  const { targets } = useTargets();
  const [begun, setBegun] = useState<Action | null>(null);
  const [notice, setNotice] = useState<string | null>(null);
  const subject = device ? subjectOf(device) : unknownSubject(certid);

  if (device === undefined && failure) return <FailureNotice failure={failure} onRetry={refresh} />;
  if (device === undefined) return <Loading what="device" />;
  const begin = (action: Action) => {
    setNotice(null);
    setBegun(action);
  };
  return (
    <>
      <PageHead title={device ? displayName(device) : shortForm(certid)} />
      <StaleNotice at={at} failure={failure} onRetry={refresh} />
      {(device?.historyIntact === false || historyCheck?.ok === false) && (
        <InvalidHistory historyCheck={historyCheck} />
      )}
      {notice && <Notice text={notice} onClose={() => setNotice(null)} />}
      {device === null ? (
        <UnknownDevice certid={certid} onBegin={begin} />
      ) : (
        <DeviceDetails device={device} known={targets} onBegin={begin} onChanged={refresh}>
          <History
            certid={certid}
            entries={device.history ?? []}
            intact={device.historyIntact ?? null}
            historyCheck={historyCheck}
            known={targets}
            last={last}
            loading={!failure && (device.history?.length ?? 0) < last}
            onMore={setLast}
          />
        </DeviceDetails>
      )}
      <DeviceDialogs
        begun={begun}
        subject={subject}
        known={targets}
        onDone={setNotice}
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

function Notice({ text, onClose }: { text: string; onClose: () => void }) {
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
      {text}
    </Alert>
  );
}
