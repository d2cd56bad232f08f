/**
 * Catches errors while a page renders, so that the menu stays usable: files that cannot be loaded, or a bug.
 * Sends no report; the browser's console has the stack trace.
 */
import { Button } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { Component, type ReactNode } from "react";
import { EmptyState } from "./empty_state";
import { NeedsNetwork } from "./needs_network";
import { PageNotLoaded } from "./page_not_loaded";

interface Props {
  /** A new address clears the error. */
  place: string;
  children: ReactNode;
}

interface State {
  error?: unknown;
  place: string;
}

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { place: this.props.place };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps({ place }: Props, before: State) {
    return place === before.place ? null : { error: undefined, place };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    if (error instanceof PageNotLoaded) return <NeedsNetwork />;
    return (
      <div role="alert">
        <EmptyState icon={<IconPlugConnectedX />} title="This page has an error" page>
          <p>Reload the page. If that does not help, send this message to an admin:</p>
          <p>{error instanceof Error ? error.message : String(error)}</p>
          <Button onClick={() => location.reload()}>Reload page</Button>
        </EmptyState>
      </div>
    );
  }
}
