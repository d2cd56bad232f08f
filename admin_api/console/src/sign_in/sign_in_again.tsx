/** Loads the sign-in dialog when the session ends, and offers it in the header if the user postpones it. */
import { Button } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useSession } from "./gate";
import { signInPrompt, usePrompt } from "./prompt";

export const loadSignInDialog = () => import("./sign_in_dialog");
const SignInDialog = lazy(async () => ({ default: (await loadSignInDialog()).SignInDialog }));

export function SignInAgain() {
  const session = useSession();
  const state = usePrompt();
  if (!session || state === "none") return null;
  return (
    <Suspense>
      <SignInDialog session={session} />
    </Suspense>
  );
}

export function SignInButton() {
  if (usePrompt() !== "later") return null;
  return (
    <Button size="compact-sm" onClick={() => signInPrompt.open()}>
      Sign in
    </Button>
  );
}
