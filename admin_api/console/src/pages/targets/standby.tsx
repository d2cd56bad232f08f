/** The standby of a target: the progress of its preparation or evacuation, and the dialogs that set and use it. */
import { Anchor, Badge, Group, Menu, Select, Stack, Text } from "@mantine/core";
import { IconArrowBackUp, IconLifebuoy, IconShieldHalf } from "@tabler/icons-react";
import { useState } from "react";
import { useMutation } from "urql";
import { Link } from "wouter";
import { type Failure, failureOf } from "../../api/failures";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { ForeignText } from "../../parts/foreign_text";
import { notLoaded } from "../../parts/not_loaded";
import { keyOf, TargetPicker, useTargets } from "../../parts/targets";
import { useMe } from "../../sign_in/me";
import { EVACUATE_TARGET, type Listed, RETURN_TARGET, SET_STANDBY } from "./operations";
import { canReturn, standbyText } from "./standby_text";

export type StandbyStep = "standby" | "evacuate" | "return";

const WORDS = {
  standby: {
    action: "Set standby",
    text: "Its devices are registered there in advance, at the rate of the standby. The standby is checked first.",
  },
  evacuate: {
    action: "Evacuate target",
    text: "From now on, its devices are sent to the standby. Devices that are connected are asked to leave.",
  },
  return: {
    action: "Return devices",
    text: "Its devices return from the standby, at the rate of this target.",
  },
} as const;

export function StandbyLine({ target }: { target: Listed }) {
  const me = useMe();
  const { standby } = target;
  if (!standby) return null;
  return (
    <Group gap={6}>
      <Badge
        variant="light"
        color={standby.evacuatedAt ? "orange" : "gray"}
        size="sm"
        tt="none"
        leftSection={<IconShieldHalf size={12} aria-hidden />}
      >
        {standby.evacuatedAt ? "Evacuated" : "Standby"}
      </Badge>
      <Text size="sm" c="dimmed">
        {standbyText(standby)}
      </Text>
      {standby.campaign && me.may("campaign") && (
        <Anchor component={Link} href={`/campaigns/${standby.campaign}`} size="sm">
          Progress
        </Anchor>
      )}
    </Group>
  );
}

export function StandbyItems({
  target,
  onChoose,
}: {
  target: Listed;
  onChoose: (step: StandbyStep) => void;
}) {
  const { standby } = target;
  if (target.archivedAt) return null;
  return (
    <>
      {!standby?.evacuatedAt && (
        <Menu.Item leftSection={<IconShieldHalf size={16} />} onClick={() => onChoose("standby")}>
          {WORDS.standby.action}
        </Menu.Item>
      )}
      {standby && !standby.evacuatedAt && (
        <Menu.Item color="red" leftSection={<IconLifebuoy size={16} />} onClick={() => onChoose("evacuate")}>
          {WORDS.evacuate.action}
        </Menu.Item>
      )}
      {standby && canReturn(standby) && (
        <Menu.Item leftSection={<IconArrowBackUp size={16} />} onClick={() => onChoose("return")}>
          {WORDS.return.action}
        </Menu.Item>
      )}
    </>
  );
}

interface Props {
  target: Listed;
  /** Null: closed. */
  step: StandbyStep | null;
  onClose: () => void;
}

export function StandbyDialog({ target, step, onClose }: Props) {
  const [, evacuate] = useMutation(EVACUATE_TARGET);
  const [, comeBack] = useMutation(RETURN_TARGET);
  if (!step) return null;
  if (step === "standby") return <SetStandby target={target} onClose={onClose} />;
  const confirm = async (): Promise<Failure | undefined> => {
    const where = { account: target.account, region: target.region };
    const { error } = await (step === "evacuate" ? evacuate : comeBack)(where);
    return error && failureOf(error);
  };
  return (
    <ConfirmDialog
      opened
      title={WORDS[step].action}
      consequence={
        <>
          <Text fw={600} size="sm">
            <ForeignText>{target.name}</ForeignText>
          </Text>
          <Text size="sm" mt="xs">
            {WORDS[step].text}
          </Text>
          {step === "evacuate" && target.standby && (
            <Text size="sm" mt="xs">
              {standbyText(target.standby)}
            </Text>
          )}
        </>
      }
      action={WORDS[step].action}
      dangerous={step === "evacuate"}
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}

function SetStandby({ target, onClose }: { target: Listed; onClose: () => void }) {
  const { targets, error, again } = useTargets();
  const [place, setPlace] = useState<string | null>(target.standby ? keyOf(target.standby.target) : null);
  const [certificates, setCertificates] = useState(target.standby?.certificates ?? "active");
  const [, setStandby] = useMutation(SET_STANDBY);
  const others = (targets ?? []).filter((each) => keyOf(each) !== keyOf(target));
  const confirm = async (): Promise<Failure | undefined> => {
    const chosen = others.find((each) => keyOf(each) === place);
    const { error: refused } = await setStandby({
      account: target.account,
      region: target.region,
      standby: chosen ? { account: chosen.account, region: chosen.region } : null,
      certificates: certificates === "inactive" ? "INACTIVE" : "ACTIVE",
    });
    return refused && failureOf(refused);
  };
  return (
    <ConfirmDialog
      opened
      title={WORDS.standby.action}
      consequence={WORDS.standby.text}
      action={WORDS.standby.action}
      onConfirm={confirm}
      onClose={onClose}
    >
      <Stack gap="sm">
        <TargetPicker
          label="Standby"
          placeholder="None"
          targets={others}
          error={notLoaded("targets", { loaded: targets, error, again })}
          value={place}
          onChange={setPlace}
          clearable
        />
        <Select
          label="Certificates there"
          description="Active: usable immediately, but a stolen identity works there, too. Inactive: activated at the standby's rate."
          allowDeselect={false}
          value={certificates}
          onChange={(value) => setCertificates(value ?? "active")}
          data={[
            { value: "active", label: "Active" },
            { value: "inactive", label: "Inactive until an evacuation" },
          ]}
        />
      </Stack>
    </ConfirmDialog>
  );
}
