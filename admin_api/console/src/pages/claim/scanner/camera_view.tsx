/** The camera picture, with the light and stop buttons. The camera runs only while this is mounted. */
import { ActionIcon, Loader } from "@mantine/core";
import { useDocumentVisibility } from "@mantine/hooks";
import { IconBulb, IconBulbOff, IconX } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import {
  CameraError,
  type CameraFault,
  closeCamera,
  hasTorch,
  keepFocusing,
  openCamera,
  setTorch,
} from "./camera";
import style from "./camera.module.css";
import type { Detector, ScanResult } from "./scan_result";
import { watch } from "./watch";

interface Props {
  /** A label was found: the picture is frozen and scanning stops. */
  still: boolean;
  loadDetector: () => Promise<Detector>;
  onScan: (scan: ScanResult) => void;
  onFault: (fault: CameraFault) => void;
  /** The scanner could not be loaded or run. */
  onError: (error: unknown) => void;
  onStop: () => void;
}

export function CameraView(props: Props) {
  const video = useRef<HTMLVideoElement>(null);
  const stream = useStream(props);
  const [running, setRunning] = useState(false);
  const { still, onStop } = props;

  useEffect(() => {
    video.current?.parentElement?.scrollIntoView({ block: "nearest" }); // newer browsers return a promise
  }, []);
  useEffect(() => {
    if (video.current && stream) video.current.srcObject = stream;
  }, [stream]);
  useEffect(() => {
    if (still) video.current?.pause();
    else if (running) void video.current?.play().catch(() => undefined); // stopped before it started
  }, [still, running]);
  useWatching(video, running && !still, props);

  return (
    <div className={style.camera} data-still={still || undefined}>
      <video
        ref={video}
        playsInline
        muted
        autoPlay
        onPlaying={() => setRunning(true)}
        aria-label="Camera picture"
      />
      {!running && <Loader className={style.wait} color="white" aria-label="Starting the camera" />}
      <div className={style.frame} aria-hidden />
      <div className={style.tools}>
        {stream && hasTorch(stream) ? <Torch stream={stream} /> : <span />}
        <ActionIcon
          size={48}
          radius="xl"
          variant="filled"
          color="dark"
          aria-label="Stop camera"
          autoFocus
          onClick={onStop}
        >
          <IconX aria-hidden />
        </ActionIcon>
      </div>
    </div>
  );
}

function Torch({ stream }: { stream: MediaStream }) {
  const [on, setOn] = useState(false);
  const toggle = async () => {
    if (await setTorch(stream, !on)) setOn(!on);
  };
  return (
    <ActionIcon
      size={48}
      radius="xl"
      variant="filled"
      color={on ? "yellow" : "dark"}
      aria-label="Light"
      aria-pressed={on}
      onClick={() => void toggle()}
    >
      {on ? <IconBulb aria-hidden /> : <IconBulbOff aria-hidden />}
    </ActionIcon>
  );
}

/** The camera stream while this is mounted and the page visible; a hidden page switches the camera off. */
function useStream({ onFault, onStop }: Props): MediaStream | null {
  const [stream, setStream] = useState<MediaStream | null>(null);
  const callbacks = useLatest({ onFault, onStop });
  useEffect(() => {
    let opened: MediaStream | undefined;
    let wanted = true;
    openCamera(navigator.mediaDevices).then(
      (found) => {
        if (!wanted) return closeCamera(found);
        opened = found;
        found.getVideoTracks()[0]?.addEventListener("ended", () => callbacks.current.onFault("taken"));
        void keepFocusing(found);
        setStream(found);
      },
      (error: unknown) =>
        wanted && callbacks.current.onFault(error instanceof CameraError ? error.fault : "failed"),
    );
    return () => {
      wanted = false;
      if (opened) closeCamera(opened);
    };
  }, [callbacks]);

  const hidden = useDocumentVisibility() === "hidden";
  useEffect(() => {
    if (hidden) callbacks.current.onStop();
  }, [hidden, callbacks]);
  return stream;
}

function useWatching(video: React.RefObject<HTMLVideoElement | null>, on: boolean, props: Props): void {
  const callbacks = useLatest(props);
  useEffect(() => {
    if (!on) return;
    let wanted = true;
    let stop = () => {};
    callbacks.current.loadDetector().then(
      (detector) => {
        if (!wanted || !video.current) return;
        stop = watch({
          video: video.current,
          detector,
          onScan: (scan) => callbacks.current.onScan(scan),
          onFailure: (error) => callbacks.current.onError(error),
        });
      },
      (error: unknown) => wanted && callbacks.current.onError(error),
    );
    return () => {
      wanted = false;
      stop();
    };
  }, [on, video, callbacks]);
}

function useLatest<Value>(value: Value): React.RefObject<Value> {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}
