/**
 * Entry point of the page, and of a window that only signs the user in. Styles that Mantine adds at run time carry the response's nonce, as the content
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
import { passOn } from "./sign_in/request";
import { theme, variables } from "./theme";

const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce;
const root = document.getElementById("root");
// The dialogs' scroll lock adds a style element and reads the nonce from this variable (get-nonce).
Object.assign(globalThis, { __webpack_nonce__: nonce });
if (!root) throw new Error("got a page without #root, want index.html");

if (passOn(location.search)) {
  history.replaceState(null, "", "/");
  window.close();
  root.textContent = "You are signed in. Close this window and go back to the page.";
} else
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
