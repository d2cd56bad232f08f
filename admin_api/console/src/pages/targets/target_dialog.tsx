/**
 * The dialog of the targets page. Registering leads to the setup command and then to the check, without
 * closing the dialog.
 */
import { Modal, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { ForeignText } from "../../parts/foreign_text";
import { usePhone } from "../../parts/phone";
import { keyOf } from "../../parts/targets";
import { useMe } from "../../sign_in/me";
import { CheckPanel } from "./check_panel";
import type { Listed } from "./operations";
import { type Occasion, SetupSteps } from "./setup_steps";
import { TargetForm } from "./target_form";
import classes from "./targets.module.css";
import type { Outcome } from "./use_check";

export type Dialog =
  | { to: "add" }
  | { to: "edit"; target: Listed }
  | { to: "setup"; target: Listed; occasion: Occasion }
  | { to: "check"; target: Listed };

interface Props {
  /** Null: closed. */
  dialog: Dialog | null;
  known: readonly Listed[];
  onGo: (dialog: Dialog | null) => void;
  onChecked: (key: string, outcome: Outcome) => void;
}

export function TargetDialog({ dialog, known, onGo, onChecked }: Props) {
  const phone = usePhone();
  const [last, setLast] = useState(dialog);
  if (dialog && dialog !== last) setLast(dialog); // keeps its content while it closes
  const heading = useHeadingFocus(dialog);
  return (
    <Modal
      opened={dialog !== null}
      onClose={() => onGo(null)}
      title={
        <span ref={heading} tabIndex={-1} className={classes.heading}>
          {last ? titleOf(last) : ""}
        </span>
      }
      size="lg"
      fullScreen={phone}
      closeButtonProps={{ "aria-label": "Close", size: phone ? 44 : "md" }}
    >
      {last && last.to !== "add" && (
        <Text size="sm" fw={600} mb="xs">
          <ForeignText>{last.target.name}</ForeignText>
        </Text>
      )}
      {last && <Content dialog={last} known={known} onGo={onGo} onChecked={onChecked} />}
    </Modal>
  );
}

function titleOf(dialog: Dialog): string {
  return { add: "Add target", edit: "Edit target", setup: "Set up target", check: "Check target" }[dialog.to];
}

/**
 * When one step leads to the next, the focus moves to the new heading, because the focused element is gone.
 */
function useHeadingFocus(dialog: Dialog | null) {
  const heading = useRef<HTMLSpanElement>(null);
  const before = useRef<Dialog | null>(null);
  useEffect(() => {
    if (dialog && before.current && dialog !== before.current) heading.current?.focus();
    before.current = dialog;
  }, [dialog]);
  return heading;
}

function Content({ dialog, known, onGo, onChecked }: Props & { dialog: Dialog }) {
  const me = useMe();
  if (dialog.to === "add" || dialog.to === "edit") {
    const of = dialog.to === "edit" ? dialog.target : undefined;
    return (
      <TargetForm
        of={of}
        known={known}
        onDone={(now, was) => onGo(after(now, was))}
        onCancel={() => onGo(null)}
      />
    );
  }
  const { target } = dialog;
  if (dialog.to === "setup") {
    return (
      <SetupSteps target={target} occasion={dialog.occasion} onCheck={() => onGo({ to: "check", target })} />
    );
  }
  const mayRegister = me.may("registerTarget");
  return (
    <CheckPanel
      key={keyOf(target)}
      target={target}
      onDone={(outcome) => onChecked(keyOf(target), outcome)}
      onSetup={mayRegister ? () => onGo({ to: "setup", target, occasion: "requested" }) : undefined}
    />
  );
}

/** The setup follows for a new target and for changed profiles. A new name needs no further step. */
function after(target: Listed, before: Listed | undefined): Dialog | null {
  if (!before) return { to: "setup", target, occasion: "new" };
  const same = target.profiles.join() === before.profiles.join();
  return same ? null : { to: "setup", target, occasion: "profiles" };
}
