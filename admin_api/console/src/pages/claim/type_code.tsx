/** The code by hand, where no camera can read it: checked with every key, in the lines that are printed on the label. */
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
import { Goal } from "./goal";
import type { Choice } from "./use_choice";

interface Props {
  choice: Choice;
  /** Why the device in question cannot be claimed just now; null where it can. */
  obstacle: (certid: string) => string | null;
  onClaim: (certid: string) => void;
  onCancel: () => void;
}

export function TypeCode({ choice, obstacle, onClaim, onCancel }: Props) {
  const { text, field, set } = useGrouped();
  const typed = readTyped(text);
  const hindered = typed.certid === null ? null : obstacle(typed.certid);
  const ready = typed.certid !== null && hindered === null && choice.target !== undefined;
  const claim = () => ready && typed.certid !== null && onClaim(typed.certid);
  return (
    <Stack gap="sm">
      <InputBase
        component="textarea"
        multiline
        rows={4}
        label="The label's code"
        description="As printed: DL1: and 56 characters. A bare fingerprint of 64 hex digits does as well."
        error={typed.trouble?.message}
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
          event.preventDefault(); // a hand-held scanner ends with it; the field breaks its lines itself
          claim();
        }}
        {...field}
      />
      <Progress typed={typed} />
      {typed.trouble && typed.trouble.offers.length > 0 && (
        <Stack gap="xs">
          <Text size="sm">Look at the label. Is it meant like this?</Text>
          {typed.trouble.offers.map(({ words, text: offered }) => (
            <Button key={words} variant="light" size="md" onClick={() => set(offered)}>
              {words}
            </Button>
          ))}
        </Stack>
      )}
      {typed.certid !== null && (
        <div role="status">
          <Text size="sm" c={hindered === null ? undefined : "var(--mantine-color-error)"}>
            {hindered ?? "Compare with the print on the label."}
          </Text>
          {hindered === null && <Goal choice={choice} />}
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

/** The text as it is shown, with the caret where the person left it. While a keyboard composes, it has the field. */
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
    set: (offered: string) => {
      setText(offered);
      caret.current = offered.length;
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
