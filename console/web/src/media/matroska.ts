// Writes pictures into Matroska: what miners read, and browsers play.
import { concat, toUtf8 } from "../wallet/bytes.ts";
import type { Clip, Picture } from "./clip.ts";

const IDS: Record<Clip["codec"], string> = { h264: "V_MPEG4/ISO/AVC", hevc: "V_MPEGH/ISO/HEVC", av1: "V_AV1", vp8: "V_VP8", vp9: "V_VP9" };

function element(id: number, ...content: Uint8Array[]): Uint8Array {
  const body = concat(...content);
  const head: number[] = [];
  for (let rest = id; rest > 0; rest = Math.floor(rest / 256)) head.unshift(rest % 256);
  const size = [0x01]; // eight bytes of size
  for (let i = 6; i >= 0; i--) size.push(Math.floor(body.length / 256 ** i) % 256);
  return concat(Uint8Array.from([...head, ...size]), body);
}

function uint(value: number): Uint8Array {
  const bytes: number[] = [];
  do {
    bytes.unshift(value % 256);
    value = Math.floor(value / 256);
  } while (value > 0);
  return Uint8Array.from(bytes);
}

/** As WebM where browsers know the codec there, else as Matroska. */
export function writeMatroska({ codec, width, height, setup, pictures }: Clip): Uint8Array {
  const type = codec === "h264" || codec === "hevc" ? "matroska" : "webm";
  const ebml = element(0x1a45dfa3, element(0x4286, uint(1)), element(0x42f7, uint(1)), element(0x42f2, uint(4)), element(0x42f3, uint(8)), element(0x4282, toUtf8(type)), element(0x4287, uint(4)), element(0x4285, uint(2)));
  const last = Math.max(...pictures.map((p) => p.at));
  const duration = new Uint8Array(8);
  new DataView(duration.buffer).setFloat64(0, last + last / Math.max(1, pictures.length - 1));
  const info = element(0x1549a966, element(0x2ad7b1, uint(1_000_000)), element(0x4489, duration), element(0x4d80, toUtf8("lode")), element(0x5741, toUtf8("lode")));
  const track = element(0xae, element(0xd7, uint(1)), element(0x73c5, uint(1)), element(0x83, uint(1)), element(0x9c, uint(0)), element(0x86, toUtf8(IDS[codec])), ...(setup.length > 0 ? [element(0x63a2, setup)] : []), element(0xe0, element(0xb0, uint(width)), element(0xba, uint(height))));
  return concat(ebml, element(0x18538067, info, element(0x1654ae6b, track), ...clusters(pictures)));
}

function clusters(pictures: Picture[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  let start = 0;
  let blocks: Uint8Array[] = [];
  const end = () => {
    if (blocks.length > 0) out.push(element(0x1f43b675, element(0xe7, uint(start)), ...blocks));
    blocks = [];
  };
  for (const { at, key, data } of pictures) {
    const time = Math.round(at);
    if (blocks.length === 0 || (key && time >= start) || time - start > 30_000) {
      end();
      start = time;
    }
    const offset = time - start;
    blocks.push(element(0xa3, Uint8Array.from([0x81, (offset >> 8) & 0xff, offset & 0xff, key ? 0x80 : 0]), data));
  }
  end();
  return out;
}

/** An AV1 stream of OBUs as pictures, shown at the given times. */
export function fromOBUs(stream: Uint8Array, times: number[], width: number, height: number): Clip {
  const units: { from: number; to: number; key: boolean }[] = [];
  let header: Uint8Array | undefined;
  for (let at = 0; at < stream.length; ) {
    const type = ((stream[at] ?? 0) >> 3) & 15;
    const extended = ((stream[at] ?? 0) & 4) !== 0;
    if (((stream[at] ?? 0) & 2) === 0) throw new Error("the answer is no AV1 stream with sizes");
    let size = 0;
    let cursor = at + (extended ? 2 : 1);
    for (let shift = 0; ; shift += 7) {
      const byte = stream[cursor++];
      if (byte === undefined || shift > 28) throw new Error("the answer is cut off");
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const next = cursor + size;
    if (next > stream.length) throw new Error("the answer is cut off");
    if (type === 2) units.push({ from: next, to: next, key: false });
    const unit = units.at(-1);
    if (unit) {
      unit.to = next;
      if (type === 1) {
        header ??= stream.slice(at, next);
        unit.key = true;
      }
    }
    at = next;
  }
  if (!header || units.length !== times.length) throw new Error(`the answer has ${units.length} pictures, not ${times.length}`);
  // the head of the configuration record: profile 0, level 4.0, 8 bits, 4:2:0
  const setup = concat(Uint8Array.from([0x81, 0x08, 0x0c, 0x00]), header);
  const pictures = units.map(({ from, to, key }, i) => ({ at: times[i] ?? 0, key, data: stream.subarray(from, to) }));
  return { codec: "av1", width, height, deep: false, setup, pictures };
}
