/**
 * Captures labels with the camera, from a photo or by keyboard, and shows the controls at the bottom of the
 * page.
 */
import { Stack, Switch } from "@mantine/core";
import { lazy, type ReactNode, Suspense, useEffect, useReducer, useRef, useState } from "react";
import { isolated } from "../../parts/foreign_text";
import { useMe } from "../../sign_in/me";
import { useReloadBlock } from "../../sign_in/reconnect";
import style from "./claim.module.css";
import { type FlowEvent, IDLE, type Message, next } from "./flow";
import { InputMethods } from "./input_methods";
import { linkedCode, withoutCode } from "./linked_code";
import { ScannedLabels } from "./scanned_labels";
import { CameraView } from "./scanner/camera_view";
import { loadDetector } from "./scanner/load_detector";
import { scanPhoto } from "./scanner/photo";
import type { ScanResult } from "./scanner/scan_result";
import { SerialNumberButton } from "./serial_number";
import { TargetChoice } from "./target_choice";
import type { Choice } from "./use_choice";
import { useClaiming, useObstacle } from "./use_claiming";

const FELT_MS = 60;
const loadTypeCode = async () => ({ default: (await import("./type_code")).TypeCode });
/** Loaded after the page, which must load fast. It is also cached for use without a network. */
const TypeCode = lazy(loadTypeCode);

interface Props {
  choice: Choice;
  head: ReactNode;
  list: ReactNode;
}

export function Capture({ choice, head, list }: Props) {
  const [flow, dispatch] = useReducer(next, IDLE);
  const [inSeries, setInSeries] = useState(false);
  const claim = useClaiming(choice, dispatch);
  const obstacle = useObstacle(choice);
  const [serial, setSerial] = useState<string | null>(null);
  const me = useMe();
  const claimSerial = (scanned: string) => {
    dispatch({ is: "stop" }); // the dialog has a camera of its own
    setSerial(scanned);
  };
  const { target } = choice;

  const handleScan = (scan: ScanResult) => {
    const [first] = scan.labels;
    if (first !== undefined) navigator.vibrate?.(FELT_MS);
    if (inSeries && first !== undefined && flow.at === "camera" && obstacle(first) === null) claim([first]);
    else
      dispatch({
        is: "scanned",
        scan,
        method: "camera",
        inSeries,
        known: (certid) => obstacle(certid) !== null,
      });
  };
  const read = async (file: File | null) => {
    if (!file) return;
    dispatch({ is: "photo" });
    try {
      const scan = await scanPhoto(file, loadDetector);
      dispatch({ is: "scanned", scan, method: "photo", inSeries: false, known: () => false });
    } catch (error) {
      dispatch({ is: "error", text: error instanceof Error ? error.message : String(error) });
    }
  };
  useEffect(() => {
    loadTypeCode().catch(() => undefined); // it is loaded when it opens
  }, []);
  useLinkedCode(dispatch);
  useReloadBlock(flow.at !== "idle");
  const begun = useBegun(flow !== IDLE);
  const shown = useInView(flow.at === "idle" && flow.message?.is === "claimed" ? flow.message : null);
  const scanning = flow.at === "camera" || (flow.at === "found" && flow.method === "camera");
  return (
    <div
      className={style.page}
      data-busy={((scanning || flow.at === "typing") && target !== undefined) || undefined}
    >
      <div className={style.head}>{head}</div>
      <Stack gap="sm" className={style.choice}>
        <TargetChoice choice={choice} />
        {target && (
          <Switch
            size="md"
            classNames={{ body: style.series ?? "" }}
            label="Claim labels as they are scanned"
            checked={inSeries}
            onChange={({ currentTarget: { checked } }) => setInSeries(checked)}
          />
        )}
        <SerialNumberButton choice={choice} scanned={serial} onClose={() => setSerial(null)} />
      </Stack>
      <div className={style.capture}>
        {scanning && (
          <CameraView
            still={flow.at === "found"}
            loadDetector={loadDetector}
            onScan={handleScan}
            onFault={(fault) => dispatch({ is: "camera failed", fault })}
            onError={(error) => dispatch({ is: "error", text: scannerErrorText(error) })}
            onStop={() => dispatch({ is: "stop" })}
          />
        )}
        {flow.at === "typing" && (
          <Suspense>
            <TypeCode
              choice={choice}
              obstacle={obstacle}
              onClaim={(certid) => claim([certid])}
              onCancel={() => dispatch({ is: "stop" })}
            />
          </Suspense>
        )}
      </div>
      <div ref={shown} className={style.list}>
        {list}
      </div>
      {flow.at !== "typing" && (
        <div className={style.bar}>
          {flow.at === "found" ? (
            <ScannedLabels
              labels={flow.labels}
              choice={choice}
              obstacle={obstacle}
              onClaim={claim}
              onCancel={() => dispatch({ is: "cancelled" })}
              goOn={flow.method === "camera" ? "Scan next label" : "Continue"}
            />
          ) : (
            <InputMethods
              flow={flow}
              begun={begun}
              destination={target ? `${inSeries ? "Claiming for" : "For"} ${isolated(target.name)}` : null}
              dispatch={dispatch}
              onPhoto={(file) => void read(file)}
              onSerial={me.may("claimSerialNumbers") ? claimSerial : undefined}
            />
          )}
        </div>
      )}
    </div>
  );
}

/** Offers the device of the link that opened the page, or that is opened while the page is shown. */
function useLinkedCode(dispatch: (event: FlowEvent) => void) {
  useEffect(() => {
    const read = () => {
      const event = linkedCode(location.href);
      if (!event) return;
      history.replaceState(history.state, "", withoutCode(location.href));
      dispatch(event);
    };
    read();
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, [dispatch]);
}

/** Whether the user has used the page. Only then may the page move the focus. */
function useBegun(now: boolean): boolean {
  const [begun, setBegun] = useState(now);
  if (now && !begun) setBegun(true);
  return begun;
}

/** Scrolls a device that was just claimed into view, above the buttons. */
function useInView(claimed: Message | null) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (claimed) element.current?.scrollIntoView({ block: "start" });
  }, [claimed]);
  return element;
}

function scannerErrorText(error: unknown): string {
  return `The scanner can't start. Type the code, or try again. (${error instanceof Error ? error.message : error})`;
}
