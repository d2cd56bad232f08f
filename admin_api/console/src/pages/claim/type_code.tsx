/**
 * Typing the code when the camera cannot read it: checked on every keystroke, in the lines printed on the
 * label.
 */
import { Button, Group, InputBase, Stack, Text } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import {
  type ChangeEvent,
  type CompositionEvent,
  type KeyboardEvent,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { shortForm } from "../../label/short_form";
import { caretIn, readTyped, type Typed } from "../../label/typed";
import style from "./claim.module.css";
import { Destination } from "./destination";
import type { Choice } from "./use_choice";

interface Props {
  choice: Choice;
  /** Why the device cannot be claimed now; null if it can. */
  obstacle: (certid: string) => string | null;
  onClaim: (certid: string) => void;
  onCancel: () => void;
}

export function TypeCode({ choice, obstacle, onClaim, onCancel }: Props) {
  const { text, field, set } = useGrouped();
  const typed = readTyped(text);
  const blocked = typed.certid === null ? null : obstacle(typed.certid);
  const ready = typed.certid !== null && blocked === null && choice.target !== undefined;
  const claim = () => ready && typed.certid !== null && onClaim(typed.certid);
  return (
    <Stack gap="sm">
      <InputBase
        component="textarea"
        multiline
        rows={4}
        label="Label code"
        description="As printed: DL1: and 56 characters. A fingerprint of 64 hex digits works too."
        error={typed.problem?.message}
        className={style.code}
        autoCapitalize="characters"
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        enterKeyHint="done"
        data-autofocus
        autoFocus
        onKeyDown={(event: KeyboardEvent) => {
          if (event.key !== "Enter") return;
          event.preventDefault(); // barcode readers end with Enter; the field inserts line breaks itself
          claim();
        }}
        {...field}
      />
      <Progress typed={typed} />
      {typed.problem && typed.problem.suggestions.length > 0 && (
        <Stack gap="xs">
          <Text size="sm">Check the label. Did you mean:</Text>
          {typed.problem.suggestions.map(({ label, text: suggested }) => (
            <Button key={label} variant="light" size="md" onClick={() => set(suggested)}>
              {label}
            </Button>
          ))}
        </Stack>
      )}
      {typed.certid !== null && (
        <div role="status">
          <Text size="sm" c={blocked === null ? undefined : "var(--mantine-color-error)"}>
            {blocked ?? "Compare it with the label."}
          </Text>
          {blocked === null && <Destination choice={choice} />}
        </div>
      )}
      <Group grow preventGrowOverflow={false} wrap="nowrap">
        <Button variant="default" size="lg" onClick={onCancel}>
          Cancel
        </Button>
        <Button size="lg" disabled={!ready} onClick={claim}>
          Claim
        </Button>
      </Group>
    </Stack>
  );
}

function Progress({ typed: { have, want, certid } }: { typed: Typed }) {
  if (certid !== null)
    return (
      <Group gap="xs" role="status">
        <IconCheck color="var(--mantine-color-green-filled)" aria-hidden />
        <span className={style.short}>{shortForm(certid)}</span>
      </Group>
    );
  return (
    <Text size="sm" c="dimmed" aria-live="off">
      {want !== null ? `${have} of ${want}` : have > 0 && `${have} characters`}
    </Text>
  );
}

/**
 * The text as shown, with the caret where the user left it. While an input method composes, the text is
 * unchanged.
 */
function useGrouped() {
  const [text, setText] = useState("");
  const element = useRef<HTMLTextAreaElement>(null);
  const caret = useRef<number | null>(null);

  useLayoutEffect(() => {
    if (caret.current !== null) element.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  const group = (field: HTMLTextAreaElement) => {
    const { shown } = readTyped(field.value);
    caret.current = caretIn(shown, field.value, field.selectionStart);
    setText(shown);
  };
  return {
    text,
    set: (suggested: string) => {
      setText(suggested);
      caret.current = suggested.length;
      element.current?.focus();
    },
    field: {
      ref: element,
      value: text,
      onChange: (event: ChangeEvent<HTMLTextAreaElement>) => {
        const composing = (event.nativeEvent as InputEvent).isComposing;
        if (composing) setText(event.currentTarget.value);
        else group(event.currentTarget);
      },
      onCompositionEnd: (event: CompositionEvent<HTMLTextAreaElement>) => group(event.currentTarget),
    },
  };
}
