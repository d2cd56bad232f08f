/**
 * Catches what breaks while a page is drawn, so that the menu stays and the person has a way on: a part of the console that
 * a newer deployment has taken away, or a fault of ours. Nothing is sent anywhere; the browser's own console has the trace.
 */
import { Button } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { Component, type ReactNode } from "react";
import { EmptyState } from "./empty_state";

interface Props {
  /** What is shown anew where it changes: the address. */
  place: string;
  children: ReactNode;
}

interface State {
  error?: unknown;
  place: string;
}

export class Broken extends Component<Props, State> {
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
    return (
      <div role="alert">
        <EmptyState icon={<IconPlugConnectedX />} title="This page broke">
          <p>{error instanceof Error ? error.message : String(error)}</p>
          <Button onClick={() => location.reload()}>Load it again</Button>
        </EmptyState>
      </div>
    );
  }
}
