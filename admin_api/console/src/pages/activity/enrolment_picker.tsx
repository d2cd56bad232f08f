/** Selects an enrolment, to filter by it. */
import { Select } from "@mantine/core";
import { useQuery } from "urql";
import { notLoaded } from "../../parts/not_loaded";
import { ENROLMENT_NAMES } from "./operations";

interface Props {
  label: string;
  value: string | null;
  onChange: (name: string | null) => void;
  size?: "sm" | "md";
}

export function EnrolmentPicker({ label, value, onChange, size = "sm" }: Props) {
  const [{ data, error }, again] = useQuery({ query: ENROLMENT_NAMES });
  return (
    <Select
      label={label}
      placeholder="Any"
      size={size}
      clearable
      searchable
      nothingFoundMessage="No matches"
      data={(data?.enrolments ?? []).map(({ name }) => name)}
      value={value}
      onChange={onChange}
      error={notLoaded("enrolments", { loaded: data, error, again })}
    />
  );
}
