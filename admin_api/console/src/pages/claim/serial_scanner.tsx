/** The camera in the dialog for serial numbers. It also reads bar codes, which manufacturers' labels often have. */
import { Button, Stack, Text } from "@mantine/core";
import { IconCamera } from "@tabler/icons-react";
import { useState } from "react";
import { CAMERA_MESSAGES } from "./scanner/camera";
import { CameraView } from "./scanner/camera_view";
import { loadSerialDetector } from "./scanner/load_detector";
import type { ScanResult } from "./scanner/scan_result";

const FELT_MS = 60;

export function SerialScanner({ onSerial }: { onSerial: (serial: string) => void }) {
  const [scanning, setScanning] = useState(false);
  const [message, setMessage] = useState<string | null>(null);
  const start = () => {
    setMessage(null);
    setScanning(true);
  };
  const stop = (why: string | null) => {
    setMessage(why);
    setScanning(false);
  };
  const read = ({ labels, serial, otherCode }: ScanResult) => {
    if (serial !== undefined) {
      navigator.vibrate?.(FELT_MS);
      onSerial(serial);
      stop(null);
    } else if (labels.length > 0)
      setMessage(
        "This label has the device's fingerprint. Close this dialog, and scan the label on the page.",
      );
    else setMessage(`This is not a serial number. The code contains ${otherCode}.`);
  };
  return (
    <Stack gap="xs">
      {scanning ? (
        <CameraView
          still={false}
          loadDetector={loadSerialDetector}
          onScan={read}
          onFault={(fault) => stop(`${CAMERA_MESSAGES[fault].title}. ${CAMERA_MESSAGES[fault].advice}`)}
          onError={(error) => stop(`The scanner can't start. Type the serial number. (${error})`)}
          onStop={() => stop(null)}
        />
      ) : (
        <Button variant="default" size="md" leftSection={<IconCamera aria-hidden />} onClick={start}>
          Scan serial number
        </Button>
      )}
      <Text role="status" size="sm" c={message ? "var(--mantine-color-error)" : undefined}>
        {message ?? (scanning && "Point the camera at the bar code or QR code of the serial number.")}
      </Text>
    </Stack>
  );
}
