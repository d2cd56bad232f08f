/**
 * Entry point of the page. Styles that Mantine adds at run time carry the response's nonce, as the content
 * security policy requires.
 */
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
// The dialogs' scroll lock adds a style element and reads the nonce from this variable (get-nonce).
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
