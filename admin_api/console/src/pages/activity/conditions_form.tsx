/** The conditions of the activity log: user, target, enrolment and time. They apply when the form is sent. */
import { Button, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useQuery } from "urql";
import { TargetPicker, useTargets } from "../../parts/targets";
import classes from "./activity.module.css";
import { ANY, type Conditions } from "./conditions";
import { ENROLMENT_NAMES } from "./operations";

interface Props {
  conditions: Conditions;
  onApply: (conditions: Conditions) => void;
}

export function ConditionsForm({ conditions, onApply }: Props) {
  const [entered, setEntered] = useState(conditions);
  const { targets } = useTargets();
  const [{ data }] = useQuery({ query: ENROLMENT_NAMES });
  const change = (part: Partial<Conditions>) => setEntered((now) => ({ ...now, ...part }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onApply(entered);
  };
  const clear = () => {
    setEntered(ANY);
    onApply(ANY);
  };
  return (
    <form onSubmit={submit} noValidate className={classes.conditions} aria-label="Conditions">
      <TextInput
        label="User"
        placeholder="Any"
        value={entered.user}
        onChange={(event) => change({ user: event.currentTarget.value })}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
      <TargetPicker
        targets={targets ?? []}
        value={entered.target || null}
        onChange={(target) => change({ target: target ?? "" })}
        placeholder="Any"
        clearable
      />
      <Select
        label="Enrolment"
        placeholder="Any"
        data={(data?.enrolments ?? []).map(({ name }) => name)}
        value={entered.enrolment || null}
        onChange={(enrolment) => change({ enrolment: enrolment ?? "" })}
        searchable
        clearable
        nothingFoundMessage="No matches"
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
