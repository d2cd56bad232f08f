/** The campaigns of a blocked user that have not ended, and what the user has created and that still works. */
import { Anchor, List, Text } from "@mantine/core";
import { Link } from "wouter";
import { ForeignText } from "../../parts/foreign_text";
import type { LeftByUser } from "./operations";

/** The page on which a kind can be ended; others with the command line. */
const PAGES: Readonly<Record<string, string>> = {
  enrolment: "/enrolments",
  token: "/enrolments",
  "claim certificate": "/enrolments",
  webhook: "/webhooks",
  target: "/targets",
};

export function WhatIsLeft({ left }: { left: LeftByUser }) {
  const { campaigns, created, name } = left;
  return (
    <>
      {campaigns.length > 0 && (
        <List size="sm" aria-label={`Campaigns of ${name}`}>
          {campaigns.map((campaign) => (
            <List.Item key={campaign.name}>
              <Anchor component={Link} href={`/campaigns/${campaign.name}`} size="sm">
                {campaign.name}
              </Anchor>
              : {campaign.state}
              {campaign.stoppedBecause === "USER_BLOCKED" && " by the block"}
            </List.Item>
          ))}
        </List>
      )}
      {created.length > 0 && (
        <>
          <Text size="sm">Still works until you end it (lobbyctl users block prints the commands):</Text>
          <List size="sm" aria-label={`Created by ${name}`}>
            {created.map((each) => (
              <List.Item key={`${each.kind} ${each.name}`}>
                {PAGES[each.kind] ? (
                  <Anchor component={Link} href={PAGES[each.kind] ?? ""} size="sm">
                    {each.kind}
                  </Anchor>
                ) : (
                  each.kind
                )}{" "}
                <ForeignText>{each.name}</ForeignText>: <ForeignText>{each.detail}</ForeignText>
              </List.Item>
            ))}
          </List>
        </>
      )}
    </>
  );
}
