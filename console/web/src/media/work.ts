// Gives a clip to the video subnet through a gateway that sells: the calls of
// subnets/video/task.go, below the service's endpoint. The order costs nothing; the answer
// is paid when it is fetched, and only if the gateway found it good.
import { readClip } from "./clip.ts";
import { fromOBUs, writeMatroska } from "./matroska.ts";

export interface Progress {
  stage: "reading" | "sending" | "queued" | "running" | "fetching" | "done";
  miner?: string;
}

export interface Result {
  video: Uint8Array;
  miner: string;
  bytes: number; // of the answer itself
  pictures: number;
}

interface Worker {
  hotkey: string;
  uid: number;
  incentive: number;
}

interface Status {
  state: "queued" | "running" | "done" | "failed";
  bytes?: number;
  error?: string;
}

async function told(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string; hint?: string } | string };
    const said = typeof error === "string" ? error : [error?.message, error?.hint].filter(Boolean).join("; ");
    if (said) return said.slice(0, 400);
  } catch {
    // no JSON
  }
  return text.slice(0, 300) || `the gateway answered with status ${response.status}`;
}

export async function compress(pay: typeof fetch, base: string, file: Uint8Array, quality: number, onProgress: (p: Progress) => void, signal: AbortSignal): Promise<Result> {
  onProgress({ stage: "reading" });
  const clip = readClip(file);
  const source = writeMatroska(clip);
  if (source.length > 64 << 20) throw new Error("The clip has more than 64 MiB, which is what one order carries. lode video compress cuts longer ones.");
  const job = {
    version: 1,
    codecs: ["av1"],
    gate: { measure: "ssim", quality, tail: 1, chroma: 2.5, gain: 0.012, offset: 2 },
    source: clip.codec,
    shape: { width: clip.width, height: clip.height, pix_fmt: clip.deep ? "yuv420p10le" : "yuv420p", frames: clip.pictures.length },
    deadline_ms: Math.round(25_000 + (clip.width * clip.height * clip.pictures.length * 6) / 1000),
  };
  const answer = await fetch(base + "miners", { signal });
  if (!answer.ok) throw new Error(await told(answer));
  const miners = ((await answer.json()) as Worker[]).slice(0, 3);
  if (miners.length === 0) throw new Error("No miner is registered in the subnet yet.");
  let last = "";
  for (const { hotkey } of miners) {
    const path = `${base}via/${hotkey}/job`;
    onProgress({ stage: "sending", miner: hotkey });
    const order = await pay(path, { method: "POST", body: source as Uint8Array<ArrayBuffer>, headers: { "Lode-Video-Job": JSON.stringify(job), "Content-Type": "application/octet-stream" }, signal });
    if (!order.ok) {
      last = await told(order);
      continue;
    }
    const { id } = (await order.json()) as { id: string };
    const at = `${path}/${encodeURIComponent(id)}`;
    const status = await wait(at, (state) => onProgress({ stage: state, miner: hotkey }), signal);
    if (status.state === "failed") {
      last = status.error ?? "the miner gave up";
      continue;
    }
    onProgress({ stage: "fetching", miner: hotkey });
    const done = await pay(`${at}/answer`, { signal });
    if (!done.ok) {
      last = await told(done);
      continue;
    }
    const stream = new Uint8Array(await done.arrayBuffer());
    void fetch(at, { method: "DELETE" });
    const times = clip.pictures.map((p) => p.at).sort((a, b) => a - b);
    onProgress({ stage: "done", miner: hotkey });
    return { video: writeMatroska(fromOBUs(stream, times, clip.width, clip.height)), miner: hotkey, bytes: stream.length, pictures: times.length };
  }
  throw new Error(`No miner could do it: ${last}`);
}

async function wait(at: string, onState: (state: "queued" | "running") => void, signal: AbortSignal): Promise<Status> {
  for (const end = Date.now() + 30 * 60_000; Date.now() < end; ) {
    const response = await fetch(`${at}?wait_ms=10000`, { signal });
    if (!response.ok) throw new Error(await told(response));
    const status = (await response.json()) as Status;
    if (status.state === "done" || status.state === "failed") return status;
    onState(status.state);
  }
  throw new Error("The miner did not finish within half an hour.");
}
