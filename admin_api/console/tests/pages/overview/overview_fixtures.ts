/** API responses for the overview tests. */
const LIFE = [
  "expected",
  "knocking",
  "inlobby",
  "proving",
  "claimed",
  "commissioned",
  "arrived",
  "failed",
  "refused",
  "revoked",
];

interface More {
  targets?: object[];
  reasons?: { state: string; reason: string; count: number }[];
  renewals?: Record<string, string | number> | null;
}

export function overview(
  states: Record<string, number>,
  { targets = [], reasons = [], renewals = null }: More = {},
) {
  const total = Object.values(states).reduce((sum, count) => sum + count, 0);
  const all = LIFE.map((state) => ({ state, count: states[state] ?? 0 }));
  return {
    Overview: { overview: { total, states: all, targets, reasons, renewals } },
    Targets: { targets: [PORTO] },
  };
}

export const PORTO = {
  account: "222222222222",
  region: "eu-west-1",
  name: "Plant Porto",
  profiles: ["default"],
};

export function target(account: string, states: Record<string, number>) {
  const counts = Object.entries(states).map(([state, count]) => ({ state, count }));
  return { ...PORTO, account, count: counts.reduce((sum, { count }) => sum + count, 0), states: counts };
}

export function stuckDevice(nth: number, devstate: string, enteredAt: string, more: object = {}) {
  return {
    __typename: "Device",
    certid: `${nth}`.repeat(64),
    devicename: `sensor-${nth}`,
    devstate,
    enteredAt,
    targetaccount: PORTO.account,
    targetregion: PORTO.region,
    reason: null,
    waitsFor: null,
    allowedActions: ["moveDevice", "retryDevice"],
    ...more,
  };
}

type Device = ReturnType<typeof stuckDevice>;

export function stuck(
  claimed: Device[],
  commissioned: Device[] = [],
  hasNextPage = false,
  { proving = [], unshown = [] }: { proving?: Device[]; unshown?: Device[] } = {},
) {
  const page = (nodes: Device[]) => ({ __typename: "DevicePage", nodes, pageInfo: { hasNextPage } });
  return {
    unshown: { ...page(unshown), pageInfo: { hasNextPage: false } },
    proving: { ...page(proving), pageInfo: { hasNextPage: false } },
    claimed: page(claimed),
    commissioned: page(commissioned),
  };
}
