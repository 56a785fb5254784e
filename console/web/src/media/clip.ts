// A clip's pictures as they are coded, taken out of the file that holds them: MP4, MOV,
// Matroska or WebM. Nothing is decoded or coded anew.

export interface Picture {
  at: number; // milliseconds, when it is shown
  key: boolean;
  data: Uint8Array;
}

export interface Clip {
  codec: "h264" | "hevc" | "av1" | "vp8" | "vp9";
  width: number;
  height: number;
  deep: boolean; // more than 8 bits a sample
  setup: Uint8Array; // the codec's own header, as Matroska has it
  pictures: Picture[]; // as they are decoded
}

/** A file that the page can't read, with what to do. */
export class ClipError extends Error {}

export function readClip(file: Uint8Array): Clip {
  const clip = file[0] === 0x1a && file[1] === 0x45 && file[2] === 0xdf && file[3] === 0xa3 ? readMatroska(file) : readMP4(file);
  if (clip.pictures.length === 0) throw new ClipError("The file has no pictures.");
  if (clip.pictures.length > 3000) throw new ClipError(`The clip has ${clip.pictures.length} pictures; from a page at most 3,000 are sent. lode video compress cuts longer ones.`);
  if (clip.width % 2 || clip.height % 2 || clip.width < 64 || clip.height < 64) throw new ClipError(`Pictures of ${clip.width}×${clip.height}: both sides must be even, and at least 64.`);
  return clip;
}

const ascii = (file: Uint8Array, at: number, length: number) => String.fromCharCode(...file.subarray(at, at + length));

// --- MP4

interface Box {
  type: string;
  from: number; // of its content
  to: number;
}

function boxes(file: Uint8Array, from: number, to: number): Box[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found: Box[] = [];
  for (let at = from; at + 8 <= to; ) {
    let size = view.getUint32(at);
    let head = 8;
    if (size === 1 && at + 16 <= to) {
      size = Number(view.getBigUint64(at + 8));
      head = 16;
    } else if (size === 0) size = to - at;
    if (size < head || at + size > to) break; // cut off
    found.push({ type: ascii(file, at + 4, 4), from: at + head, to: at + size });
    at += size;
  }
  return found;
}

function readMP4(file: Uint8Array): Clip {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const inside = (box: Box | undefined, ...path: string[]): Box | undefined => {
    let here = box;
    for (const type of path) here = here && boxes(file, here.from, here.to).find((b) => b.type === type);
    return here;
  };
  const moov = boxes(file, 0, file.length).find((b) => b.type === "moov");
  if (!moov) throw new ClipError("This is no MP4, MOV, Matroska or WebM file. lode video compress takes more kinds.");
  if (inside(moov, "mvex")) throw new ClipError("The file is an MP4 in fragments. Convert it, or use lode video compress.");
  const track = boxes(file, moov.from, moov.to).find((b) => {
    const handler = inside(b, "mdia", "hdlr");
    return b.type === "trak" && handler !== undefined && ascii(file, handler.from + 8, 4) === "vide";
  });
  const header = inside(track, "mdia", "mdhd");
  const table = inside(track, "mdia", "minf", "stbl");
  const description = inside(table, "stsd");
  if (!header || !table || !description) throw new ClipError("The file has no video.");
  const scale = view.getUint32(header.from + (view.getUint8(header.from) === 1 ? 20 : 12));
  const entry = boxes(file, description.from + 8, description.to)[0];
  if (!entry || scale === 0) throw new ClipError("The file has no video.");
  const kinds: Record<string, [Clip["codec"], string]> = { avc1: ["h264", "avcC"], avc3: ["h264", "avcC"], hvc1: ["hevc", "hvcC"], hev1: ["hevc", "hvcC"], av01: ["av1", "av1C"], vp08: ["vp8", ""], vp09: ["vp9", ""] };
  const kind = kinds[entry.type];
  if (!kind) throw new ClipError(`Video of the kind ${entry.type} is not taken from a page. lode video compress takes more kinds.`);
  const [codec, setupType] = kind;
  const inner = boxes(file, entry.from + 78, entry.to);
  const setupBox = inner.find((b) => b.type === setupType);
  const setup = setupBox ? file.slice(setupBox.from, setupBox.to) : new Uint8Array();
  const full = (type: string) => {
    const box = inside(table, type);
    return box && { at: box.from + 8, count: view.getUint32(box.from + 4), box };
  };
  const sizes = inside(table, "stsz");
  const chunks = full("stsc");
  const offsets = full("stco") ?? full("co64");
  const times = full("stts");
  if (!sizes || !chunks || !offsets || !times) throw new ClipError("The file's tables are incomplete.");
  const wide = offsets.box.type === "co64";
  const one = view.getUint32(sizes.from + 4);
  const count = view.getUint32(sizes.from + 8);
  if (count > 100_000) throw new ClipError("The clip is too long for a page. lode video compress cuts longer ones.");
  const keys = full("stss");
  const isKey = new Set<number>();
  if (keys) for (let i = 0; i < keys.count; i++) isKey.add(view.getUint32(keys.at + i * 4) - 1);
  // when each is decoded, and how much later it is shown
  const shown: number[] = [];
  let clock = 0;
  for (let i = 0; i < times.count && shown.length < count; i++) {
    const step = view.getUint32(times.at + i * 8 + 4);
    for (let n = view.getUint32(times.at + i * 8); n > 0 && shown.length < count; n--, clock += step) shown.push(clock);
  }
  const later = full("ctts");
  for (let i = 0, k = 0; later && i < later.count; i++) {
    const by = view.getInt32(later.at + i * 8 + 4);
    for (let n = view.getUint32(later.at + i * 8); n > 0 && k < shown.length; n--, k++) shown[k] = (shown[k] ?? 0) + by;
  }
  const first = Math.min(...shown);
  const pictures: Picture[] = [];
  let chunk = 0;
  for (let i = 0; i < chunks.count; i++) {
    const start = view.getUint32(chunks.at + i * 12) - 1;
    const end = i + 1 < chunks.count ? view.getUint32(chunks.at + (i + 1) * 12) - 1 : offsets.count;
    const each = view.getUint32(chunks.at + i * 12 + 4);
    for (chunk = start; chunk < end && chunk < offsets.count; chunk++) {
      let at = wide ? Number(view.getBigUint64(offsets.at + chunk * 8)) : view.getUint32(offsets.at + chunk * 4);
      for (let n = 0; n < each && pictures.length < count; n++) {
        const k = pictures.length;
        const size = one || view.getUint32(sizes.from + 12 + k * 4);
        if (at + size > file.length) throw new ClipError("The file is cut off.");
        pictures.push({ at: (((shown[k] ?? 0) - first) * 1000) / scale, key: !keys || isKey.has(k), data: file.subarray(at, at + size) });
        at += size;
      }
    }
  }
  return { codec, width: view.getUint16(entry.from + 24), height: view.getUint16(entry.from + 26), deep: isDeep(codec, setup), setup, pictures };
}

function isDeep(codec: Clip["codec"], setup: Uint8Array): boolean {
  if (codec === "av1") return ((setup[2] ?? 0) & 0x40) !== 0;
  if (codec === "hevc") return ((setup[17] ?? 0) & 7) > 0;
  return codec === "h264" && setup[1] === 110; // High 10
}

// --- Matroska

interface Element {
  id: number;
  from: number;
  to: number;
}

function* elements(file: Uint8Array, from: number, to: number): Generator<Element> {
  for (let at = from; at < to; ) {
    const lead = file[at] ?? 0;
    const idLength = Math.clz32(lead) - 23;
    if (idLength > 4 || at + idLength >= to) return;
    let id = 0;
    for (let i = 0; i < idLength; i++) id = id * 256 + (file[at + i] ?? 0);
    at += idLength;
    const sizeLead = file[at] ?? 0;
    const sizeLength = Math.clz32(sizeLead) - 23;
    if (sizeLength > 8) return;
    let size = sizeLead & ((1 << (8 - sizeLength)) - 1);
    let unknown = size === (1 << (8 - sizeLength)) - 1;
    for (let i = 1; i < sizeLength; i++) {
      size = size * 256 + (file[at + i] ?? 0);
      unknown &&= file[at + i] === 0xff;
    }
    at += sizeLength;
    const end = unknown ? to : Math.min(at + size, to);
    yield { id, from: at, to: end };
    at = end;
  }
}

const SEGMENT = 0x18538067, INFO = 0x1549a966, TIME_SCALE = 0x2ad7b1, TRACKS = 0x1654ae6b, TRACK = 0xae, CLUSTER = 0x1f43b675, TIME = 0xe7, SIMPLE = 0xa3, GROUP = 0xa0, BLOCK = 0xa1, REFERENCE = 0xfb;

function readMatroska(file: Uint8Array): Clip {
  const uint = ({ from, to }: Element) => file.subarray(from, to).reduce((n, byte) => n * 256 + byte, 0);
  const codecs: Record<string, Clip["codec"]> = { "V_MPEG4/ISO/AVC": "h264", "V_MPEGH/ISO/HEVC": "hevc", V_AV1: "av1", V_VP8: "vp8", V_VP9: "vp9" };
  const segment = [...elements(file, 0, file.length)].find((e) => e.id === SEGMENT);
  if (!segment) throw new ClipError("The file is damaged: it has no segment.");
  let scale = 1;
  let number = -1;
  const clip: Clip = { codec: "vp9", width: 0, height: 0, deep: false, setup: new Uint8Array(), pictures: [] };
  const block = ({ from, to }: Element, cluster: number, key: boolean | undefined) => {
    const [track, after] = [(file[from] ?? 0) & 0x7f, from + 1];
    if (((file[from] ?? 0) & 0x80) === 0 || track !== number) return;
    const flags = file[after + 2] ?? 0;
    if (flags & 0x06) throw new ClipError("The file laces its pictures. Convert it, or use lode video compress.");
    const offset = (((file[after] ?? 0) << 24) >> 16) | (file[after + 1] ?? 0);
    clip.pictures.push({ at: (cluster + offset) * scale, key: key ?? (flags & 0x80) !== 0, data: file.subarray(after + 3, to) });
  };
  const cluster = (from: number, to: number) => {
    let time = 0;
    for (const e of elements(file, from, to)) {
      if (e.id === TIME) time = uint(e);
      else if (e.id === SIMPLE) block(e, time, undefined);
      else if (e.id === GROUP) {
        const parts = [...elements(file, e.from, e.to)];
        const b = parts.find((p) => p.id === BLOCK);
        if (b) block(b, time, !parts.some((p) => p.id === REFERENCE));
      } else if (e.id === CLUSTER) cluster(e.from, e.to); // after one of unknown size
    }
  };
  for (const e of elements(file, segment.from, segment.to)) {
    if (e.id === INFO) for (const i of elements(file, e.from, e.to)) if (i.id === TIME_SCALE) scale = uint(i) / 1e6;
    if (e.id === TRACKS && number < 0) {
      for (const t of elements(file, e.from, e.to)) {
        const fields = t.id === TRACK ? new Map([...elements(file, t.from, t.to)].map((f) => [f.id, f])) : undefined;
        const kind = fields?.get(0x83);
        const n = fields?.get(0xd7);
        const name = fields?.get(0x86);
        const video = fields?.get(0xe0);
        if (!fields || !kind || uint(kind) !== 1 || !n || !name || !video) continue;
        const id = ascii(file, name.from, name.to - name.from).replace(/\0+$/, "");
        const codec = codecs[id];
        if (!codec) throw new ClipError(`Video of the kind ${id} is not taken from a page. lode video compress takes more kinds.`);
        number = uint(n);
        clip.codec = codec;
        const setup = fields.get(0x63a2);
        if (setup) clip.setup = file.slice(setup.from, setup.to);
        for (const v of elements(file, video.from, video.to)) {
          if (v.id === 0xb0) clip.width = uint(v);
          if (v.id === 0xba) clip.height = uint(v);
        }
        clip.deep = isDeep(codec, clip.setup);
        break;
      }
    }
    if (e.id === CLUSTER) cluster(e.from, e.to);
  }
  const first = Math.min(...clip.pictures.map((p) => p.at));
  for (const p of clip.pictures) p.at -= first;
  return clip;
}
