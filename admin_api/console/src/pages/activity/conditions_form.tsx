/**
 * The conditions of the activity log: who, target, enrolment and time. They apply when the form is sent. On a phone,
 * the form opens on request.
 */
import { Button, Select, TextInput } from "@mantine/core";
import { IconFilter } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { notLoaded } from "../../parts/not_loaded";
import { usePhone } from "../../parts/phone";
import { TargetPicker, useTargets } from "../../parts/targets";
import classes from "./activity.module.css";
import { ANY, type Conditions, countOf } from "./conditions";
import { EnrolmentPicker } from "./enrolment_picker";

const KINDS = [
  { value: "user", label: "Users" },
  { value: "campaign", label: "Campaigns" },
  { value: "rule", label: "Enrolments" },
  { value: "service", label: "Services" },
];
const NAMES: Readonly<Record<string, string>> = {
  campaign: "Campaign",
  rule: "Claimed by enrolment",
  service: "Service",
};

interface Props {
  conditions: Conditions;
  onApply: (conditions: Conditions) => void;
}

export function ConditionsForm({ conditions, onApply }: Props) {
  const phone = usePhone();
  const [opened, setOpened] = useState(false);
  const [entered, setEntered] = useState(conditions);
  const { targets, error, again } = useTargets();
  const change = (part: Partial<Conditions>) => setEntered((now) => ({ ...now, ...part }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onApply(entered);
  };
  const clear = () => {
    setEntered(ANY);
    onApply(ANY);
  };
  const count = countOf(conditions);
  if (phone && !opened)
    return (
      <Button
        variant="default"
        fullWidth
        mb="md"
        leftSection={<IconFilter size={18} aria-hidden />}
        onClick={() => setOpened(true)}
      >
        {count > 0 ? `Filter (${count})` : "Filter"}
      </Button>
    );
  return (
    <form onSubmit={submit} noValidate className={classes.conditions} aria-label="Conditions">
      <Select
        label="By"
        placeholder="Any"
        data={KINDS}
        value={entered.kind || null}
        onChange={(kind) => change({ kind: kind ?? "" })}
        clearable
      />
      <TextInput
        label={NAMES[entered.kind] ?? "User"}
        placeholder="Any"
        value={entered.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
      <TargetPicker
        targets={targets ?? []}
        error={notLoaded("targets", { loaded: targets, error, again })}
        value={entered.target || null}
        onChange={(target) => change({ target: target ?? "" })}
        placeholder="Any"
        clearable
      />
      <EnrolmentPicker
        label="Enrolment"
        value={entered.enrolment || null}
        onChange={(enrolment) => change({ enrolment: enrolment ?? "" })}
      />
      <TextInput
        type="datetime-local"
        label="From"
        value={entered.since}
        onChange={(event) => change({ since: event.currentTarget.value })}
      />
      <TextInput
        type="datetime-local"
        label="Before"
        value={entered.until}
        onChange={(event) => change({ until: event.currentTarget.value })}
      />
      <div className={classes.buttons}>
        <Button type="submit">Apply</Button>
        <Button variant="default" onClick={clear}>
          Clear
        </Button>
      </div>
    </form>
  );
}
