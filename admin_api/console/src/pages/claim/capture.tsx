/** How labels get in: the camera, a photo, or the keyboard; and what is under the thumb meanwhile. */
import { Button, FileButton, Group, Stack, Switch } from "@mantine/core";
import { IconCamera, IconKeyboard, IconPhoto } from "@tabler/icons-react";
import { useReducer, useState } from "react";
import { ago } from "../../parts/moments";
import { keyOf } from "../../parts/target_names";
import { useInHand } from "../../sign_in/comeback";
import style from "./claim.module.css";
import { type Flow, type FlowEvent, IDLE, next } from "./flow";
import { FoundSheet } from "./found_sheet";
import { madeOf } from "./queue/entry";
import { claimQueue, useClaims } from "./queue/use_claims";
import { SaidLine } from "./said_line";
import { CameraView } from "./scanner/camera_view";
import { loadDetector } from "./scanner/load_detector";
import { openPhoto, readPhoto } from "./scanner/photo";
import type { Sight } from "./scanner/sight";
import { TargetChoice } from "./target_choice";
import { TypeCode } from "./type_code";
import type { Choice } from "./use_choice";

const FELT_MS = 60;

export function Capture({ choice }: { choice: Choice }) {
  const [flow, happen] = useReducer(next, IDLE);
  const [inSeries, setInSeries] = useState(false);
  const claim = useClaiming(choice, happen);
  const obstacle = useObstacle(choice);
  const { target, profile } = choice;

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
      const sight = await sightIn(file);
      happen({ is: "seen", sight, way: "photo", inSeries: false, known: () => false });
    } catch (error) {
      happen({ is: "trouble", words: error instanceof Error ? error.message : String(error) });
    }
  };
  useInHand(flow.at !== "idle");
  const scanning = flow.at === "camera" || (flow.at === "found" && flow.way === "camera");
  return (
    <>
      <div className={style.choice}>
        <Stack gap="sm">
          <TargetChoice choice={choice} />
          {target && (
            <Switch
              size="md"
              label="Claim at once, in a series"
              checked={inSeries}
              onChange={({ currentTarget: { checked } }) => setInSeries(checked)}
            />
          )}
        </Stack>
      </div>
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
            obstacle={(certid) => (target ? obstacle(certid) : "Pick a target above first.")}
            onClaim={(certid) => claim([certid])}
            onCancel={() => happen({ is: "stop" })}
          />
        )}
      </div>
      {flow.at !== "typing" && (
        <div className={style.bar}>
          {flow.at === "found" ? (
            <FoundSheet
              labels={flow.labels}
              target={target}
              profile={profile}
              obstacle={obstacle}
              onClaim={claim}
              onCancel={() => happen({ is: "cancelled" })}
              goOn={flow.way === "camera" ? "Scan the next one" : "Go on"}
            />
          ) : (
            <Ways flow={flow} happen={happen} onPhoto={(file) => void read(file)} />
          )}
        </div>
      )}
    </>
  );
}

interface WaysProps {
  flow: Flow;
  happen: (event: FlowEvent) => void;
  onPhoto: (file: File | null) => void;
}

function Ways({ flow, happen, onPhoto }: WaysProps) {
  const after = flow.at === "idle" && flow.said?.is === "claimed";
  return (
    <Stack gap="xs">
      <SaidLine flow={flow} />
      {flow.at !== "camera" && (
        <Button
          size="xl"
          fullWidth
          autoFocus={after}
          leftSection={<IconCamera aria-hidden />}
          loading={flow.at === "photo"}
          onClick={() => happen({ is: "scan" })}
        >
          {after ? "Scan the next one" : "Scan a label"}
        </Button>
      )}
      <Group grow gap="xs">
        <FileButton
          accept="image/*"
          capture="environment"
          onChange={onPhoto}
          inputProps={{ "aria-label": "Photo of a label" }}
        >
          {(props) => (
            <Button {...props} variant="default" size="md" leftSection={<IconPhoto size={20} aria-hidden />}>
              Photo
            </Button>
          )}
        </FileButton>
        <Button
          variant="default"
          size="md"
          leftSection={<IconKeyboard size={20} aria-hidden />}
          onClick={() => happen({ is: "type" })}
        >
          Type the code
        </Button>
      </Group>
    </Stack>
  );
}

/** Claims for the picked target: written down first, sent from there. */
function useClaiming({ target, profile, person }: Choice, happen: (event: FlowEvent) => void) {
  return (certids: readonly string[]) => {
    if (!target) return;
    const { account, region } = target;
    const wishes = certids.map((certid) => ({ certid, target: { account, region }, profile }));
    claimQueue.add(wishes, person).then(
      () => happen({ is: "claimed", certids }),
      (error: unknown) =>
        happen({ is: "trouble", words: `This phone could not keep the claim; nothing was sent. ${error}` }),
    );
  };
}

/** Why a device is not to be claimed again: it was, in this session. */
function useObstacle({ person }: Choice): (certid: string) => string | null {
  const { entries } = useClaims();
  return (certid) => {
    const made = madeOf(entries, certid, person);
    if (!made) return null;
    return `Claimed in this session already, ${ago(new Date(made.madeAt), new Date())}, for ${keyOf(made.target)}.`;
  };
}

async function sightIn(file: File): Promise<Sight> {
  const [photo, detector] = await Promise.all([openPhoto(file), loadDetector()]);
  try {
    return await readPhoto(photo, detector);
  } finally {
    photo.close();
  }
}

function scannerWords(error: unknown): string {
  return `The scanner does not start; type the code, or try again. (${error instanceof Error ? error.message : error})`;
}
