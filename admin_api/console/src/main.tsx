/** Where the page starts. Styles that Mantine adds at run time carry the answer's nonce, or the policy refuses them. */
import "./styles/first.css";
import "./console.css";
import { MantineProvider } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { registerServiceWorker } from "./service_worker/register";
import { SignInGate } from "./sign_in/gate";
import { theme, variables } from "./theme";

const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce;
const root = document.getElementById("root");
// The dialogs' scroll lock writes a style of its own, and takes the nonce from where bundlers leave it (get-nonce).
Object.assign(globalThis, { __webpack_nonce__: nonce });
if (!root) throw new Error("got a page without #root, want index.html");

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce ?? ""}
    >
      <SignInGate>
        <App />
      </SignInGate>
    </MantineProvider>
  </StrictMode>,
);

if (import.meta.env.PROD) registerServiceWorker();
