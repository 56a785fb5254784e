// Clips are taken out of their files and put into Matroska: ffmpeg must find the very same
// pictures there, at the same times.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ClipError, readClip } from "../src/media/clip.ts";
import { fromOBUs, writeMatroska } from "../src/media/matroska.ts";

const dir = mkdtempSync(join(tmpdir(), "lode-clip-"));
after(() => rmSync(dir, { recursive: true, force: true }));
const ffmpeg = (...args: string[]) => execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", ...args], { cwd: dir });
/** Each picture's time in milliseconds, from the first on, and hash. */
function pictures(file: string, ...input: string[]): string[] {
  const lines = execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", ...input, "-i", file, "-map", "0:v:0", "-fps_mode", "passthrough", "-copyts", "-f", "framemd5", "-"], { cwd: dir, encoding: "utf8" }).split("\n");
  const base = lines.find((l) => l.startsWith("#tb"))?.split(" ").at(-1)?.split("/").map(Number) ?? [1, 1000];
  const rows = lines.filter((l) => /^\d/.test(l)).map((l) => l.split(",").map((c) => c.trim()));
  const first = Number(rows[0]?.[2]);
  return rows.map((r) => `${Math.round(((Number(r[2]) - first) * 1000 * base[0]!) / base[1]!)} ${r[5]}`);
}
const source = ["-f", "lavfi", "-i", "testsrc2=size=192x128:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2", "-pix_fmt", "yuv420p"];
const near = (have: string[], want: string[]) => {
  assert.equal(have.length, want.length);
  have.forEach((line, i) => {
    const [at, hash] = line.split(" ");
    const [wantAt, wantHash] = want[i]!.split(" ");
    assert.equal(hash, wantHash, `picture ${i}`);
    assert.ok(Math.abs(Number(at) - Number(wantAt)) <= 1, `picture ${i} at ${at}, not ${wantAt}`);
  });
};

for (const [name, codec, args] of [
  ["h264.mp4", "h264", ["-c:v", "libx264", "-bf", "3", "-g", "12", "-c:a", "aac"]],
  ["h264.mkv", "h264", ["-c:v", "libx264", "-bf", "3", "-c:a", "aac"]],
  ["vp9.webm", "vp9", ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"]],
] as const) {
  test(`${name} is taken apart and put together`, () => {
    ffmpeg(...source, ...args, name);
    const clip = readClip(readFileSync(join(dir, name)));
    assert.deepEqual([clip.codec, clip.width, clip.height, clip.deep, clip.pictures.length], [codec, 192, 128, false, 50]);
    writeFileSync(join(dir, "out.mkv"), writeMatroska(clip));
    near(pictures("out.mkv"), pictures(name));
    assert.equal(execFileSync("ffprobe", ["-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", "out.mkv"], { cwd: dir, encoding: "utf8" }).trim(), "video");
  });
}

test("an AV1 stream becomes a file of the same pictures", () => {
  ffmpeg(...source, "-map", "0:v", "-c:v", "libsvtav1", "-preset", "12", "-f", "obu", "out.obu");
  const times = Array.from({ length: 50 }, (_, i) => i * 40);
  writeFileSync(join(dir, "av1.webm"), writeMatroska(fromOBUs(readFileSync(join(dir, "out.obu")), times, 192, 128)));
  near(pictures("av1.webm"), pictures("out.obu", "-f", "obu", "-framerate", "25"));
  assert.throws(() => fromOBUs(readFileSync(join(dir, "out.obu")), times.slice(1), 192, 128), /50 pictures, not 49/);
});

test("what is no clip is refused, also where it is cut off", () => {
  assert.throws(() => readClip(new TextEncoder().encode("hello, this is no video file at all")), ClipError);
  assert.throws(() => readClip(new Uint8Array()), ClipError);
  const whole = readFileSync(join(dir, "h264.mp4"));
  for (const part of [40, 1000, whole.length >> 1]) assert.throws(() => readClip(whole.subarray(0, part)), Error);
});
