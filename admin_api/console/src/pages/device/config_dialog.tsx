/** Changes only the config of a claimed device. The target and the profile stay. */
import { useState } from "react";
import { useMutation } from "urql";
import { failureOf } from "../../api/failures";
import { type ClaimRequest, EMPTY_REQUEST, variablesOf } from "../../parts/claim_request";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { ConfigField } from "../../parts/route_form";
import { labelOf } from "./actions";
import { Consequence } from "./consequence";
import { consequenceOf } from "./consequences";
import { CONFIGURE } from "./mutations";
import { type DialogProps, placeOf, type Subject } from "./subject";

export function ConfigDialog({ subject, known, opened, onDone, onClose }: DialogProps) {
  const [, configure] = useMutation(CONFIGURE);
  const [request, setRequest] = useState<ClaimRequest>(EMPTY_REQUEST);
  const [wasOpened, setWasOpened] = useState(false);
  if (opened !== wasOpened) {
    setWasOpened(opened);
    if (opened) setRequest(currentRequest(subject));
  }
  const variables = variablesOf(request);
  const same = JSON.stringify(variables?.config) === JSON.stringify(subject.config);
  const text = consequenceOf("configure", subject.state, placeOf(subject.target, known));

  const confirm = async () => {
    if (!variables) return undefined;
    const { error } = await configure({ certid: subject.certid, config: variables.config });
    if (error) return failureOf(error);
    onDone("Config changed. It is sent with the device's route.");
    return undefined;
  };

  return (
    <ConfirmDialog
      opened={opened}
      title={labelOf("configure")}
      consequence={<Consequence name={subject.name} text={text} />}
      action={labelOf("configure")}
      disabled={!variables || same || text === undefined}
      onConfirm={confirm}
      onClose={onClose}
    >
      <ConfigField request={request} onChange={setRequest} unsetLabel={null} />
    </ConfirmDialog>
  );
}

/** The form with the device's current config. */
function currentRequest({ target, config }: Subject): ClaimRequest {
  const request = { ...EMPTY_REQUEST, target };
  if (typeof config === "object" && config !== null)
    return { ...request, kind: "json", json: JSON.stringify(config, null, 2) };
  return { ...request, kind: "text", text: typeof config === "string" ? config : "" };
}
