/** Filters by the renewal of the certificate. */
import { Select } from "@mantine/core";

const CHOICES = [
  { value: "due", label: "Due" },
  { value: "overdue", label: "Overdue" },
];

interface Props {
  renewal: string | null;
  onChange: (renewal: string | null) => void;
}

export function RenewalFilter({ renewal, onChange }: Props) {
  return (
    <Select label="Renewal" placeholder="Any" clearable value={renewal} onChange={onChange} data={CHOICES} />
  );
}
