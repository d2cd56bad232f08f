/** A campaign as the API returns it. */
import type { Campaign } from "../../../src/pages/campaigns/operations";
import { ROTTERDAM } from "../fixtures";

export const COUNTS = {
  __typename: "CampaignCounts",
  pending: 668,
  waiting: 12,
  awaited: 0,
  done: 320,
  failed: 0,
  refused: 0,
  unchanged: 0,
  superseded: 0,
};
export const MOVE = {
  __typename: "Campaign",
  name: "to-rotterdam",
  operation: "MOVE",
  state: "running",
  stoppedBecause: null,
  source: "filter",
  sourceCampaign: null,
  undoes: null,
  undoneBy: null,
  createdBy: "user:ada",
  createdAt: "2026-11-30T10:00:00.000Z",
  approvedBy: null,
  startedAt: "2026-11-30T10:00:01.000Z",
  endedAt: null,
  canary: 0,
  canaryArrived: 0,
  total: 1000,
  changing: 1000,
  expectedEnd: "2026-11-30T10:02:00.000Z",
  waitsFor: null,
  allowedActions: ["pauseCampaign", "cancelCampaign"],
  target: { __typename: "Target", account: ROTTERDAM.account, region: ROTTERDAM.region },
  failures: [],
  counts: COUNTS,
};
export const CAMPAIGN = MOVE as unknown as Campaign;
