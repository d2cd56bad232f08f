/** The device that something is done to, as the dialogs need it: one that the ledger does not know is `absent`. */
import { shortForm } from "../../label/short_form";
import { keyOf, type TargetEntry } from "../../parts/targets";
import type { WholeDevice } from "./device_query";

export interface Subject {
  certid: string;
  /** What people call it. */
  name: string;
  state: string;
  /** `account/region`; null: it is not claimed. */
  target: string | null;
  profile: string;
}

export function subjectOf(device: WholeDevice): Subject {
  const { certid, devicename, devstate, targetaccount: account, targetregion: region, profile } = device;
  return {
    certid,
    name: devicename ?? shortForm(certid),
    state: devstate ?? "absent",
    target: account && region ? keyOf({ account, region }) : null,
    profile,
  };
}

export function strangerOf(certid: string): Subject {
  return { certid, name: shortForm(certid), state: "absent", target: null, profile: "default" };
}

/** A target's name where it is known, else its account and Region. */
export function placeOf(target: string | null, known: readonly TargetEntry[] | undefined): string | null {
  return known?.find((each) => keyOf(each) === target)?.name ?? target;
}

/** What every dialog is handed. */
export interface DialogProps {
  subject: Subject;
  known: readonly TargetEntry[] | undefined;
  opened: boolean;
  /** It was done: what to tell the person. */
  onDone: (words: string) => void;
  onClose: () => void;
}
