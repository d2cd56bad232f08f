/** The texts of an enrolment: its conditions, period, claims, certificates, signer and tokens. */
import { day, utcDay } from "../../parts/day";
import { formatNumber, pluralize } from "../../parts/numbers";
import { reasonText } from "../../parts/reasons";
import { keyOf } from "../../parts/target_names";
import type { Enrolment, Token } from "./operations";

type ClaimCertificate = Enrolment["claimCertificates"][number];

/** The time before an expiry in which the lobby raises its alarm: 30 days. */
const EXPIRES_SOON = 30 * 24 * 60 * 60 * 1000;

/**
 * The reasons for which a request for a certificate is refused. They differ from the reasons of devices,
 * because there is no device yet.
 */
const REQUESTS: Readonly<Record<string, string>> = {
  TOKEN_WRONG: "The secret of the token was wrong",
  TOKEN_EXPIRED: "The token had expired",
  TOKEN_REVOKED: "The token was revoked",
  TOKEN_USED_UP: "The token had no use left",
  TOKEN_OTHER_NAME: "The token is for another device name",
};

/** Return the number of refusals for a reason, with its meaning. */
export function refusalText({ reason, count }: Enrolment["refusals"][number]): string {
  const request = REQUESTS[reason];
  if (request) return `${pluralize(count, "request")} refused: ${request}`;
  return `${pluralize(count, "device")} refused: ${reasonText(reason).meaning}`;
}

/** Return the conditions, all of which a device must meet. */
export function conditionsOf({ match, listLength, door }: Enrolment): string[] {
  const conditions = [
    ...(match.namePattern ? [`name ${match.namePattern}`] : []),
    ...(match.listed ? [`one of ${pluralize(listLength ?? 0, "serial number")}`] : []),
    ...match.subject.map(({ field, value }) => `${field} = ${value}`),
    ...(match.ca ? [`CA ${match.ca.slice(0, 12)}…`] : []),
  ];
  if (door === "token") return ["with a token", ...(conditions.length ? conditions : ["any name"])];
  if (door !== "claim") return conditions;
  return ["with a claim certificate", ...(conditions.length ? conditions : ["any serial number"])];
}

/** Return the conditions as a text: "Name pump-*, O = Acme". */
export function conditionsText(enrolment: Enrolment): string {
  const text = conditionsOf(enrolment).join(", ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Return when it admits devices, in days of UTC as entered; undefined if it always does. */
export function periodText({ starts, ends }: Pick<Enrolment, "starts" | "ends">): string | undefined {
  const parts = [...(starts ? [`from ${utcDay(starts)}`] : []), ...(ends ? [`before ${utcDay(ends)}`] : [])];
  return parts.length ? `Admits devices ${parts.join(" and ")} (UTC)` : undefined;
}

/** Return the text about a claim certificate. */
export function claimCertificateText({ state, expires }: ClaimCertificate): string {
  if (state === "active") return `expires on ${day(expires)}`;
  return state === "expired" ? `expired on ${day(expires)}` : `${state}, expires on ${day(expires)}`;
}

/** Return whether a claim certificate in use has to be replaced at the time `now`. */
export function isExpiring({ state, expires }: ClaimCertificate, now: number): boolean {
  return state === "active" && Date.parse(expires) - now < EXPIRES_SOON;
}

/** Return the text about the CA of an enrolment: "Own CA (key 1234abcd in eu-west-1) issues …". */
export function signerText({ key, days }: NonNullable<Enrolment["signer"]>): string {
  const [, , , region, , resource = ""] = key.split(":");
  const id = resource.split("/")[1] ?? resource;
  return `Own CA issues certificates for ${pluralize(days, "day")}: key ${id} in ${region}`;
}

/** Return the text about a token. */
export function tokenText({ state, uses, maxUses, thingName, expires }: Token): string {
  const use = `${formatNumber(uses)} of ${pluralize(maxUses, "use")}`;
  return [state, use, thingName ? `for ${thingName}` : "for any name", `until ${day(expires)}`].join(", ");
}

/** Return the text about the targets of its devices. `nameOf` returns the display name of a target. */
export function claimsOf({ allocation }: Enrolment, nameOf: (key: string) => string): string {
  if (!allocation) return "Devices wait for a claim";
  if (!allocation.function && !allocation.targets.length) return waitingText(allocation);
  if (allocation.function) return `Claimed for the target that ${allocation.function} chooses`;
  const total = allocation.targets.reduce((sum, { weight }) => sum + weight, 0);
  const shares = allocation.targets.map((target) => {
    const share = allocation.targets.length > 1 ? ` (${Math.round((100 * target.weight) / total)} %)` : "";
    return nameOf(keyOf(target)) + share;
  });
  return `Claimed for ${shares.join(", ")}`;
}

/** Return the text about the defaults of users' claims. */
function waitingText({ profile, presence }: NonNullable<Enrolment["allocation"]>): string {
  const defaults = [
    ...(profile ? [`by default with profile ${profile}`] : []),
    ...(presence ? ["with proof of presence"] : []),
  ];
  return ["Devices wait for a claim", ...defaults].join(", ");
}
