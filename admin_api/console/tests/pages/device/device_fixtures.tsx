/** A device as the API returns it, and its page. */
import { fireEvent, screen, within } from "@testing-library/react";
import { Route } from "wouter";
import { encodeLabel } from "../../../src/label/label";
import DevicePage from "../../../src/pages/device/device_page";
import { type Answer, FakeApi, type Role, show } from "../../fake_api";
import { certid, deviceLine, TARGETS } from "../fixtures";

export const ID = certid(7);
export const ALL = ["moveDevice", "configureDevice", "releaseDevice", "retryDevice", "revokeDevice"];

export function entry(
  seq: number,
  event: string,
  before: string | null,
  after: string | null,
  actor: string,
) {
  const at = new Date(Date.UTC(2026, 10, 22, 12, 0, seq * 2)).toISOString();
  return {
    __typename: "HistoryEntry",
    seq,
    at,
    actor,
    event,
    before,
    after,
    generation: 0,
    reason: null,
    target: null,
  };
}

/** An open offer of a device to another lobby. */
export const OFFERED = {
  __typename: "DeviceTransfer",
  step: "offered",
  offer: "a".repeat(32),
  partner: "Bob Ltd",
  expires: "2026-12-30T00:00:00.000Z",
  expired: false,
  endpoint: null,
  until: null,
  ended: false,
};

export function deviceRecord(more: Record<string, unknown> = {}) {
  return {
    ...deviceLine(7),
    message: null,
    expectedAt: null,
    waitsFor: null,
    config: "default",
    endpoint: null,
    previousTargets: [],
    lastSeen: null,
    clientVersion: null,
    showsCode: null,
    triesLeft: null,
    connectionProblems: [],
    labelCode: encodeLabel(ID),
    renewal: null,
    suspicion: null,
    transfer: null,
    certificate: null,
    history: [
      entry(1, "admit", null, "knocking", "service:bouncer"),
      entry(2, "hello", "knocking", "inlobby", "service:receptionist"),
    ],
    historyIntact: true,
    ...more,
  };
}

export const PLACED = {
  devstate: "arrived",
  targetaccount: "200000000002",
  targetregion: "eu-west-1",
  allowedActions: ALL,
};

export function historyCheck(more: Record<string, unknown> = {}) {
  const found = { ok: true, entries: 2, anchored: 2, pending: 0, seq: null, message: null, ...more };
  return { verifyHistory: { __typename: "HistoryCheck", ...found } };
}

interface Visit {
  role?: Role;
  at?: string;
  /** The result of the history check. */
  verified?: Answer;
}

export function enter(
  device: object | null,
  { role = "operator", at = `/devices/${ID}`, verified = historyCheck() }: Visit = {},
) {
  const api = new FakeApi({ Targets: TARGETS, DeviceDetails: { device }, HistoryVerified: verified });
  const page = (
    <Route path="/devices/:certid">
      <DevicePage />
    </Route>
  );
  return { api, ...show(page, api, { role, at }) };
}

export const begin = async (action: string) =>
  fireEvent.click(await screen.findByRole("button", { name: action }));
export const dialog = async () => within(await screen.findByRole("dialog"));
export const offered = () =>
  within(screen.getByRole("group", { name: "Actions" }))
    .getAllByRole("button")
    .map((button) => button.textContent);
