/** API responses for the target tests. */
export const PORTO = {
  __typename: "RegisteredTarget",
  account: "222222222222",
  region: "eu-west-1",
  name: "Plant Porto",
  profiles: ["default"],
  presence: false,
  clones: "LOBBY" as const,
  createdBy: "user:admin",
  createdAt: "2026-11-20T10:00:00.000Z",
  archivedAt: null,
  standby: null,
};
export const SYDNEY = { ...PORTO, account: "333333333333", region: "ap-southeast-2", name: "Lab Sydney" };

export const COMMAND =
  "./deploy.sh target --account 222222222222 --region eu-west-1 --external-id 4f0c --lobby-account 111111111111";

export const counts = (...targets: object[]) => ({ TargetCounts: { overview: { targets } } });
export const lists = (...targets: object[]) => ({ TargetList: { targets }, ...counts() });
export const commands = (setupCommand: string = COMMAND) => ({
  SetupCommands: { targets: [{ ...PORTO, setupCommand }] },
});

export const FOUND = [
  {
    step: "sts:AssumeRole",
    ok: true,
    message: "assumed arn:aws:iam::222222222222:role/lobby_commissioner_role",
  },
  { step: "iot:CreateThing", ok: true, message: "found" },
  { step: "iot:DescribeEndpoint", ok: true, message: "abc-ats.iot.eu-west-1.amazonaws.com" },
];
export const DENIED = {
  step: "iot:Publish",
  ok: false,
  message: "missing: AccessDeniedException (no message)",
};
export const NO_ROLE = {
  step: "sts:AssumeRole",
  ok: false,
  message: "500000000005/eu-central-1 answered AccessDenied",
};
export const INCONCLUSIVE = {
  step: "iot:AttachPolicy",
  ok: false,
  message: "could not be checked: AWS answered ThrottlingException; check again",
};

export const check = (...findings: { ok: boolean }[]) => ({
  CheckTarget: {
    checkTarget: {
      ok: findings.every(({ ok }) => ok),
      endpoint: "abc-ats.iot.eu-west-1.amazonaws.com",
      findings,
    },
  },
});
