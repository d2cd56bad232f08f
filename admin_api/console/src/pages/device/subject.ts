/** The device of a dialog, and its display name. An unregistered fingerprint has the state `absent`. */
import { shortForm } from "../../label/short_form";
import { isolated } from "../../parts/foreign_text";
import { keyOf, type TargetEntry } from "../../parts/targets";
import type { DeviceRecord } from "./device_query";

export interface Subject {
  certid: string;
  /** The display name. */
  name: string;
  state: string;
  /** `account/region`; null: not claimed. */
  target: string | null;
  profile: string;
  /** The config in its route: text or a JSON object; null if there is none. */
  config: unknown;
  /** The id of the offer to another lobby; null: not offered. */
  offer: string | null;
}

/** The name to show: its own, before its first connection that of its claim, or else the short form. */
export function displayName({
  certid,
  devicename,
  expectedName,
}: Pick<DeviceRecord, "certid" | "devicename" | "expectedName">): string {
  return devicename ?? expectedName ?? shortForm(certid);
}

export function subjectOf(device: DeviceRecord): Subject {
  const {
    certid,
    devstate,
    targetaccount: account,
    targetregion: region,
    profile,
    config,
    transfer,
  } = device;
  return {
    certid,
    name: displayName(device),
    state: devstate ?? "absent",
    target: account && region ? keyOf({ account, region }) : null,
    profile,
    config,
    offer: transfer?.step === "offered" ? transfer.offer : null,
  };
}

export function unknownSubject(certid: string): Subject {
  return {
    certid,
    name: shortForm(certid),
    state: "absent",
    target: null,
    profile: "default",
    config: null,
    offer: null,
  };
}

/** A target's name if known, otherwise its account and Region. */
export function placeOf(target: string | null, known: readonly TargetEntry[] | undefined): string | null {
  const name = known?.find((each) => keyOf(each) === target)?.name;
  return name === undefined ? target : isolated(name);
}

/** The properties of every dialog. */
export interface DialogProps {
  subject: Subject;
  known: readonly TargetEntry[] | undefined;
  opened: boolean;
  /** Called when the action succeeded, with the message to show. */
  onDone: (text: string) => void;
  onClose: () => void;
}
