/** What was read from a label, to compare with its print, and one tap to claim it. Several from one photo: which ones. */
import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { shortForm } from "../../label/short_form";
import style from "./claim.module.css";
import { Goal } from "./goal";
import type { Choice } from "./use_choice";

interface Props {
  labels: readonly string[];
  choice: Choice;
  /** Why one cannot be claimed just now; null where it can. */
  obstacle: (certid: string) => string | null;
  onClaim: (certids: readonly string[]) => void;
  onCancel: () => void;
  /** What leads on where there is nothing to claim. */
  goOn: string;
}

export function FoundSheet(props: Props) {
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
          {only ? "Label read" : `${labels.length} labels read`}
        </Title>
        {only ? (
          <One certid={only} obstacle={obstacle(only)} />
        ) : (
          <Several labels={labels} obstacle={obstacle} left={left} onToggle={toggle} />
        )}
      </div>
      <div id="found-for">{free.length > 0 && <Goal choice={choice} />}</div>
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
        {obstacle ?? "Compare with the print on the label."}
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
        const hindered = obstacle(certid);
        return (
          <label key={certid} className={style.pick}>
            <input
              type="checkbox"
              checked={hindered === null && !left.has(certid)}
              disabled={hindered !== null}
              onChange={() => onToggle(certid)}
            />
            <span>
              <Text component="span" ff="monospace" fw={600}>
                {shortForm(certid)}
              </Text>
              {hindered !== null && (
                <Text component="span" size="xs" c="dimmed" display="block">
                  {hindered}
                </Text>
              )}
            </span>
          </label>
        );
      })}
    </div>
  );
}
