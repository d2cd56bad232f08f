/** The console: sign-in, then the shell with the page for the current address. */
import { Stack } from "@mantine/core";
import { IconMoodEmpty } from "@tabler/icons-react";
import { Suspense, useEffect, useMemo } from "react";
import { Provider } from "urql";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { createClient } from "./api/client";
import QueueSender from "./pages/claim/queue/queue_sender";
import { ClaimPage, DevicePage, homeOf, isClaimPage, loadPages, NAV_ITEMS } from "./pages/navigation";
import { EmptyState } from "./parts/empty_state";
import { ErrorBoundary } from "./parts/error_boundary";
import { whenIdle } from "./parts/idle";
import { Loading } from "./parts/loading";
import { NeedsNetwork } from "./parts/needs_network";
import { Shell } from "./shell/shell";
import { useSession } from "./sign_in/gate";
import { MeProvider, useMe } from "./sign_in/me";
import { signInPrompt } from "./sign_in/prompt";
import { SignInAgain } from "./sign_in/sign_in_again";

export function App() {
  const session = useSession();
  const [place] = useLocation();
  const client = useMemo(() => createClient(session, () => signInPrompt.ask()), [session]);
  return (
    <Provider value={client}>
      <SignInAgain />
      <MeProvider>
        {session && <QueueSender />}
        <Shell>
          <ErrorBoundary place={place}>
            <Suspense fallback={<Loading what="page" />}>
              <Pages />
            </Suspense>
          </ErrorBoundary>
        </Shell>
      </MeProvider>
    </Provider>
  );
}

function Pages() {
  const me = useMe();
  const session = useSession();
  const [place] = useLocation();
  useEffect(() => {
    if (session) whenIdle(loadPages);
  }, [session]);
  // Offline, only the claim page works. The address is kept for when the network returns.
  if (!session) return place === "/" || isClaimPage(place) ? <ClaimPage /> : <NeedsNetwork />;
  return (
    <Switch>
      {NAV_ITEMS.map(({ path, page }) => (
        <Route key={path} path={path} component={page} />
      ))}
      <Route path="/devices/:certid" component={DevicePage} />
      <Route path="/">
        <Redirect to={homeOf(me.role)} replace />
      </Route>
      <Route>
        <Stack>
          <EmptyState icon={<IconMoodEmpty />} title="Page not found" page>
            Check the address, or choose a page from the menu.
          </EmptyState>
        </Stack>
      </Route>
    </Switch>
  );
}
