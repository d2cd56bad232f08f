/**
 * Replaces a page that needs a network. Reloads when the lobby is reachable, because in some browsers a file
 * that could not be loaded stays missing until a reload. Only the claim page works without a network.
 */
import { Button } from "@mantine/core";
import { IconWifiOff } from "@tabler/icons-react";
import { useEffect } from "react";
import { Link } from "wouter";
import { onReconnect } from "../sign_in/reconnect";
import { EmptyState } from "./empty_state";

const RELOADED = "device-lobby.reloaded";
const PAUSE_MS = 60_000;

export function NeedsNetwork() {
  useEffect(() => onReconnect(reload), []);
  return (
    <div role="alert">
      <EmptyState icon={<IconWifiOff />} title="This page needs a network" page>
        <p>The lobby can't be reached. The page opens by itself when it can.</p>
        <Button component={Link} href="/claim" variant="default">
          Claim without a network
        </Button>
      </EmptyState>
    </div>
  );
}

/** At most once per minute, because reloading would not end if a file no longer exists. */
function reload(): void {
  const wait = Number(sessionStorage.getItem(RELOADED) ?? 0) + PAUSE_MS - Date.now();
  if (wait > 0 && wait <= PAUSE_MS) {
    setTimeout(() => onReconnect(reload), wait); // the lobby may be unreachable again
    return;
  }
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
}
