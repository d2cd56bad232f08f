/** How labels get in: the camera, a photo, or the keyboard; and what is under the thumb meanwhile. */
import { Stack, Switch } from "@mantine/core";
import { type ReactNode, useEffect, useReducer, useRef, useState } from "react";
import { useInHand } from "../../sign_in/comeback";
import style from "./claim.module.css";
import { IDLE, next, type Said } from "./flow";
import { FoundSheet } from "./found_sheet";
import { CameraView } from "./scanner/camera_view";
import { loadDetector } from "./scanner/load_detector";
import { sightIn } from "./scanner/photo";
import type { Sight } from "./scanner/sight";
import { TargetChoice } from "./target_choice";
import { TypeCode } from "./type_code";
import type { Choice } from "./use_choice";
import { useClaiming, useObstacle } from "./use_claiming";
import { Ways } from "./ways";

const FELT_MS = 60;

interface Props {
  choice: Choice;
  head: ReactNode;
  list: ReactNode;
}

export function Capture({ choice, head, list }: Props) {
  const [flow, happen] = useReducer(next, IDLE);
  const [inSeries, setInSeries] = useState(false);
  const claim = useClaiming(choice, happen);
  const obstacle = useObstacle(choice);
  const { target } = choice;

  const seen = (sight: Sight) => {
    const [first] = sight.labels;
    if (first !== undefined) navigator.vibrate?.(FELT_MS);
    if (inSeries && first !== undefined && flow.at === "camera" && obstacle(first) === null) claim([first]);
    else happen({ is: "seen", sight, way: "camera", inSeries, known: (certid) => obstacle(certid) !== null });
  };
  const read = async (file: File | null) => {
    if (!file) return;
    happen({ is: "photo" });
    try {
      const sight = await sightIn(file, loadDetector);
      happen({ is: "seen", sight, way: "photo", inSeries: false, known: () => false });
    } catch (error) {
      happen({ is: "trouble", words: error instanceof Error ? error.message : String(error) });
    }
  };
  useInHand(flow.at !== "idle");
  const begun = useBegun(flow !== IDLE);
  const shown = useInView(flow.at === "idle" && flow.said?.is === "claimed" ? flow.said : null);
  const scanning = flow.at === "camera" || (flow.at === "found" && flow.way === "camera");
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
            label="Claim at once, in a series"
            checked={inSeries}
            onChange={({ currentTarget: { checked } }) => setInSeries(checked)}
          />
        )}
      </Stack>
      <div className={style.capture}>
        {scanning && (
          <CameraView
            still={flow.at === "found"}
            loadDetector={loadDetector}
            onNews={seen}
            onFault={(fault) => happen({ is: "camera failed", fault })}
            onTrouble={(error) => happen({ is: "trouble", words: scannerWords(error) })}
            onStop={() => happen({ is: "stop" })}
          />
        )}
        {flow.at === "typing" && (
          <TypeCode
            choice={choice}
            obstacle={obstacle}
            onClaim={(certid) => claim([certid])}
            onCancel={() => happen({ is: "stop" })}
          />
        )}
      </div>
      <div ref={shown} className={style.list}>
        {list}
      </div>
      {flow.at !== "typing" && (
        <div className={style.bar}>
          {flow.at === "found" ? (
            <FoundSheet
              labels={flow.labels}
              choice={choice}
              obstacle={obstacle}
              onClaim={claim}
              onCancel={() => happen({ is: "cancelled" })}
              goOn={flow.way === "camera" ? "Scan the next one" : "Go on"}
            />
          ) : (
            <Ways
              flow={flow}
              begun={begun}
              goal={target ? `${inSeries ? "Claims at once for" : "For"} ${target.name}` : null}
              happen={happen}
              onPhoto={(file) => void read(file)}
            />
          )}
        </div>
      )}
    </div>
  );
}

/** Whether anything was done yet: then the keyboard's focus is led on, and not before. */
function useBegun(now: boolean): boolean {
  const [begun, setBegun] = useState(now);
  if (now && !begun) setBegun(true);
  return begun;
}

/** What was claimed just now is to be seen, above the thumb's buttons. */
function useInView(claimed: Said | null) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (claimed) element.current?.scrollIntoView({ block: "start" });
  }, [claimed]);
  return element;
}

function scannerWords(error: unknown): string {
  return `The scanner does not start; type the code, or try again. (${error instanceof Error ? error.message : error})`;
}
