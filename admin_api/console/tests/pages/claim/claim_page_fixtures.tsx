/** The claim page with a fake API, and devices in the states that it follows. */
import { screen } from "@testing-library/react";
import ClaimPage from "../../../src/pages/claim/claim_page";
import QueueSender from "../../../src/pages/claim/queue/queue_sender";
import { type Answer, FakeApi, type Role, show } from "../../fake_api";

export const A = `a1${"b2".repeat(31)}`;
export const B = `c3${"d4".repeat(31)}`;
export const EAST = { account: "111111111111", region: "eu-west-1", name: "Workshop", profiles: ["default"] };
export const WEST = {
  account: "222222222222",
  region: "eu-west-2",
  name: "Hall",
  profiles: ["default", "gateway"],
};

export function device(devstate: string, more: object = {}) {
  return (variables: Record<string, unknown>) => ({
    device: {
      certid: variables.certid,
      devicename: "meter-1",
      devstate,
      targetaccount: EAST.account,
      targetregion: EAST.region,
      generation: 1,
      reason: null,
      message: null,
      claimedBy: "user:ada",
      allowedActions: [],
      history: [
        { at: "2026-05-01T10:00:00.000Z", actor: "user:ada", event: "claim", after: "claimed" },
        ...(devstate === "arrived"
          ? [
              {
                at: "2026-05-01T10:00:00.400Z",
                actor: "commissioner",
                event: "commission",
                after: "commissioned",
              },
              { at: "2026-05-01T10:00:01.600Z", actor: "lobby", event: "arrive", after: "arrived" },
            ]
          : []),
      ],
      ...more,
    },
  });
}

export const CLAIMED: Answer = (variables) => ({ claimDevice: { certid: variables.certid } });

export function api(more: Record<string, Answer> = {}) {
  return new FakeApi({
    Targets: { targets: [EAST] },
    ClaimLabel: CLAIMED,
    Followed: device("arrived"),
    ...more,
  });
}

export function open(lobby: FakeApi, scene: { role?: Role; signedIn?: boolean } = {}) {
  return show(
    <>
      <QueueSender />
      <ClaimPage />
    </>,
    lobby,
    { role: "technician", at: "/claim", ...scene },
  );
}

export const button = (name: string | RegExp) => screen.findByRole("button", { name });
export const theList = () => screen.findByRole("region", { name: "Claims in this session" });
