/**
 * The labels that were read, for comparison with the print, and the button that claims them. Several labels
 * from one photo can be selected.
 */
import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { shortForm } from "../../label/short_form";
import { pluralize } from "../../parts/numbers";
import style from "./claim.module.css";
import { Destination } from "./destination";
import type { Choice } from "./use_choice";

interface Props {
  labels: readonly string[];
  choice: Choice;
  /** Why the device cannot be claimed now; null if it can. */
  obstacle: (certid: string) => string | null;
  onClaim: (certids: readonly string[]) => void;
  onCancel: () => void;
  /** The button's text if there is nothing to claim. */
  goOn: string;
}

export function ScannedLabels(props: Props) {
  const { labels, choice, obstacle, onClaim, onCancel, goOn } = props;
  const { target } = choice;
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const free = labels.filter((certid) => obstacle(certid) === null);
  const wanted = free.filter((certid) => !left.has(certid));
  const toggle = (certid: string) =>
    setLeft((before) =>
      before.has(certid)
        ? new Set([...before].filter((each) => each !== certid))
        : new Set([...before, certid]),
    );
  const [only] = labels.length === 1 ? labels : [];
  return (
    <Stack component="section" gap="sm" aria-labelledby="found">
      <div>
        <Title order={2} size="h6" id="found">
          {only ? "Label read" : `${pluralize(labels.length, "label")} read`}
        </Title>
        {only ? (
          <One certid={only} obstacle={obstacle(only)} />
        ) : (
          <Several labels={labels} obstacle={obstacle} left={left} onToggle={toggle} />
        )}
      </div>
      <div id="found-for">{free.length > 0 && <Destination choice={choice} />}</div>
      <Group grow preventGrowOverflow={false} wrap="nowrap">
        <Button variant={free.length > 0 ? "default" : "filled"} size="lg" onClick={onCancel}>
          {free.length > 0 ? "Cancel" : goOn}
        </Button>
        {free.length > 0 && (
          <Button
            size="lg"
            autoFocus
            disabled={!target || wanted.length === 0}
            aria-describedby="found found-for"
            onClick={() => onClaim(wanted)}
          >
            {only ? "Claim" : `Claim ${wanted.length}`}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function One({ certid, obstacle }: { certid: string; obstacle: string | null }) {
  return (
    <>
      <div className={style.short}>{shortForm(certid)}</div>
      <Text size="sm" c={obstacle === null ? "dimmed" : "var(--mantine-color-error)"}>
        {obstacle ?? "Compare it with the label."}
      </Text>
    </>
  );
}

interface SeveralProps {
  labels: readonly string[];
  obstacle: (certid: string) => string | null;
  left: ReadonlySet<string>;
  onToggle: (certid: string) => void;
}

function Several({ labels, obstacle, left, onToggle }: SeveralProps) {
  return (
    <div className={style.several}>
      {labels.map((certid) => {
        const blockedBy = obstacle(certid);
        return (
          <label key={certid} className={style.pick}>
            <input
              type="checkbox"
              checked={blockedBy === null && !left.has(certid)}
              disabled={blockedBy !== null}
              onChange={() => onToggle(certid)}
            />
            <span>
              <Text component="span" ff="monospace" fw={600}>
                {shortForm(certid)}
              </Text>
              {blockedBy !== null && (
                <Text component="span" size="xs" c="dimmed" display="block">
                  {blockedBy}
                </Text>
              )}
            </span>
          </label>
        );
      })}
    </div>
  );
}
