/** The filter of a new campaign. A device must meet all conditions; the API checks their values. */
import { Select, SimpleGrid, TextInput } from "@mantine/core";
import { notLoaded } from "../../parts/not_loaded";
import { STATES } from "../../parts/state_badge";
import { TargetPicker, useTargets } from "../../parts/targets";
import { EnrolmentPicker } from "../activity/enrolment_picker";

/** The conditions that are entered as text, with their labels. */
const TEXTS = {
  namePrefix: "Devices whose name starts with",
  reason: "Devices with reason",
  model: "Devices of model",
  profile: "Devices with profile",
  clientVersion: "Devices with client version",
} as const;
type TextCondition = keyof typeof TEXTS;

export interface EnteredFilter extends Record<TextCondition, string> {
  /** "ACCOUNT/REGION". */
  source: string | null;
  state: string | null;
  enrolment: string | null;
}

export const NO_FILTER: EnteredFilter = {
  source: null,
  state: null,
  enrolment: null,
  namePrefix: "",
  reason: "",
  model: "",
  profile: "",
  clientVersion: "",
};

/** The conditions as the API's `CampaignFilter`; undefined without a condition. */
export function filterOf({ source, ...conditions }: EnteredFilter) {
  const [account, region] = source?.split("/") ?? [];
  const filled = Object.entries(conditions).flatMap(([name, value]) =>
    value?.trim() ? [[name, value.trim()] as const] : [],
  );
  const filter = {
    ...(account && region ? { target: { account, region } } : {}),
    ...(Object.fromEntries(filled) as Partial<Record<keyof typeof conditions, string>>),
  };
  return Object.keys(filter).length > 0 ? filter : undefined;
}

interface Props {
  entered: EnteredFilter;
  onChange: (entered: EnteredFilter) => void;
}

export function CampaignFilter({ entered, onChange }: Props) {
  const { targets, error, again } = useTargets();
  const edit = (part: Partial<EnteredFilter>) => onChange({ ...entered, ...part });
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} style={{ alignItems: "end" }}>
      <TargetPicker
        targets={targets ?? []}
        error={notLoaded("targets", { loaded: targets, error, again })}
        value={entered.source}
        onChange={(source) => edit({ source })}
        label="Devices in target"
        placeholder="Any"
        size="md"
        clearable
      />
      <Select
        label="Devices in state"
        placeholder="Any"
        size="md"
        clearable
        data={Object.entries(STATES).map(([value, { label }]) => ({ value, label }))}
        value={entered.state}
        onChange={(state) => edit({ state })}
      />
      <EnrolmentPicker
        label="Devices of enrolment"
        size="md"
        value={entered.enrolment}
        onChange={(enrolment) => edit({ enrolment })}
      />
      {(Object.keys(TEXTS) as TextCondition[]).map((name) => (
        <TextInput
          key={name}
          label={TEXTS[name]}
          placeholder="Any"
          size="md"
          value={entered[name]}
          onChange={(event) => edit({ [name]: event.currentTarget.value })}
        />
      ))}
    </SimpleGrid>
  );
}
