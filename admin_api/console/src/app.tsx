/** The console: sign-in first, then the shell and the room that the address names. */
import { Stack } from "@mantine/core";
import { IconMoodEmpty } from "@tabler/icons-react";
import { Suspense, useMemo } from "react";
import { Provider } from "urql";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { createClient } from "./api/client";
import QueueSender from "./pages/claim/queue/queue_sender";
import { ClaimPage, DevicePage, ROOMS, startOf } from "./pages/rooms";
import { Broken } from "./parts/broken";
import { EmptyState } from "./parts/empty_state";
import { Loading } from "./parts/loading";
import { Shell } from "./shell/shell";
import { useSession } from "./sign_in/gate";
import { useMe, WithMe } from "./sign_in/me";

export function App() {
  const session = useSession();
  const [place] = useLocation();
  const client = useMemo(() => createClient(session, () => location.reload()), [session]);
  return (
    <Provider value={client}>
      <WithMe>
        {session && <QueueSender />}
        <Shell>
          <Broken place={place}>
            <Suspense fallback={<Loading what="the page" />}>
              <Rooms />
            </Suspense>
          </Broken>
        </Shell>
      </WithMe>
    </Provider>
  );
}

function Rooms() {
  const me = useMe();
  const session = useSession();
  // Without a network there is only claiming; the address stays for when it is back.
  if (!session) return <ClaimPage />;
  return (
    <Switch>
      {ROOMS.map(({ path, page }) => (
        <Route key={path} path={path} component={page} />
      ))}
      <Route path="/devices/:certid" component={DevicePage} />
      <Route path="/">
        <Redirect to={startOf(me.role)} replace />
      </Route>
      <Route>
        <Stack>
          <EmptyState icon={<IconMoodEmpty />} title="There is nothing here">
            The address leads nowhere. The menu leads on.
          </EmptyState>
        </Stack>
      </Route>
    </Switch>
  );
}
