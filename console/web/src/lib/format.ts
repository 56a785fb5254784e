// How figures, times and other people's words are written.

/** rao, or units of alpha, in one whole coin. */
export const COIN = 1_000_000_000n;

const group = (digits: string) => digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** An amount of whole units as coins, exact: 1234567890 is "1.23456789". */
export function exact(units: string | bigint): string {
  const value = BigInt(units);
  const sign = value < 0n ? "−" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "");
  return sign + group(digits.slice(0, -9)) + (fraction ? "." + fraction : "");
}

/** An amount of whole units as coins, in as many digits as one reads: rounded towards zero, never to 0. */
export function coins(units: string | bigint): string {
  const value = BigInt(units);
  const size = value < 0n ? -value : value;
  if (size === 0n) return "0";
  if (size < 1_000_000n) return exact(value); // under 0.001: all digits
  const decimals = size >= 1_000n * COIN ? 0 : size >= 100n * COIN ? 1 : size >= COIN ? 3 : 5;
  const step = 10n ** BigInt(9 - decimals);
  const cut = (size / step) * step;
  const sign = value < 0n ? "−" : "";
  const digits = cut.toString().padStart(10, "0");
  const fraction = digits.slice(-9).slice(0, decimals).replace(/0+$/, "");
  return sign + group(digits.slice(0, -9)) + (fraction ? "." + fraction : "");
}

/** A big amount in few characters: 1 234 567 TAO is "1.23 M". */
export function short(units: string | bigint): string {
  const whole = Number(BigInt(units) / 1_000_000n) / 1000;
  for (const [size, name] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e4, "k"],
  ] as const) {
    if (whole >= size) return `${(whole / (name === "k" ? 1e3 : size)).toPrecision(3)}\u202f${name}`;
  }
  return coins(units);
}

/** A typed amount of coins in whole units; undefined where it is none, has more than nine decimals, or can be read in two ways: 1,000. */
export function parseCoins(text: string): bigint | undefined {
  if (TWICE.test(text)) return undefined;
  const plain = text.replace(/[\s\u202f_']/g, "").replace(",", ".");
  if (!/^(\d{1,20})(\.\d{0,9})?$|^\.\d{1,9}$/.test(plain)) return undefined;
  const [whole = "", fraction = ""] = plain.split(".");
  return BigInt(whole || "0") * COIN + BigInt(fraction.padEnd(9, "0"));
}

const TWICE = /^\s*[1-9]\d{0,2},\d{3}\s*$/;

/** What a typed amount is to be, where it can't be read. */
export const noAmount = (text: string, unit = "TAO"): string =>
  TWICE.test(text) ? `${text.trim()} can be read in two ways: write ${text.trim().replace(",", "")} or ${text.trim().replace(",", ".")}.` : `An amount in ${unit}, with at most nine decimals.`;

/** A price, to four significant digits. */
export function price(text: string | number): string {
  const value = Number(text);
  if (!Number.isFinite(value)) return "?";
  if (value === 0) return "0";
  if (value >= 1000) return group(Math.round(value).toString());
  const fixed = value.toPrecision(4);
  return fixed.includes("e") ? value.toFixed(12).replace(/0+$/, "") : fixed;
}

export function percent(part: number, digits = 2): string {
  const value = part * 100;
  if (value > 1e6) return `over ${group("1000000")}\u202f%`; // of a young network's yields: no more is known by more digits
  if (value !== 0 && Math.abs(value) < 10 ** -digits) return `${value < 0 ? "−" : ""}<${(10 ** -digits).toFixed(digits)}\u202f%`;
  return `${value.toFixed(digits).replace("-", "−")}\u202f%`;
}

export const change = (part: number): string => (part > 0 ? "+" : "") + percent(part);

export const count = (n: number | bigint): string => group(String(n));

/** A number of things: 1 block, 2 blocks. */
export const many = (n: number | bigint, one: string, more = one + "s"): string => `${count(n)} ${Number(n) === 1 ? one : more}`;

export function ago(time: string | number, now: number): string {
  const seconds = Math.max(0, (now - new Date(time).getTime()) / 1000);
  if (seconds < 5) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

export function span(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  if (seconds < 730 * 86_400) return `${Math.round(seconds / 86_400)} days`;
  return `${(seconds / 31_557_600).toFixed(1)} years`;
}

export const utc = (time: string | number): string => new Date(time).toISOString().replace("T", " ").replace(/\.\d+Z$|Z$/, " UTC");

export const shortAddress = (address: string): string => (address.length > 20 ? `${address.slice(0, 9)}…${address.slice(-5)}` : address);
export const shortHash = (hash: string): string => (hash.length > 20 ? `${hash.slice(0, 8)}…${hash.slice(-6)}` : hash);

/**
 * Somebody else's words as they may be shown: what is invisible, or turns the direction of
 * writing, is spelled out, and marks are not piled up.
 */
export const visible = (text: string): string => isolated(spelled(text));

// what is written from right to left turns the order of the figures beside it, unless it stands apart
const isolated = (text: string) => (/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u.test(text) ? `\u2068${text}\u2069` : text);

function spelled(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\u115f\u1160\u3164\uffa0]/gu, (c) => `⟨U+${c.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}⟩`)
    .replace(/(\p{M}{2})\p{M}+/gu, "$1")
    .replace(/\p{Zs}/gu, " ");
}

/** What went wrong, as a sentence: errors of programs begin small and have no end. */
export function sentence(text: string): string {
  const shown = spelled(text).trim();
  return shown === "" ? "" : isolated(shown.charAt(0).toUpperCase() + shown.slice(1) + (/[.!?:…]$/.test(shown) ? "" : "."));
}

/** The same on one line, cut to a length. */
export function label(text: string, longest = 60): string {
  const shown = spelled(text).trim();
  const letters = [...shown];
  return isolated(letters.length > longest ? letters.slice(0, longest - 1).join("") + "…" : shown);
}

const UNITS: Record<string, [one: string, more: string]> = {
  request: ["request", "requests"],
  token: ["token", "tokens"],
  gib_month: ["GiB·month", "GiB·months"],
  video_minute: ["minute of video", "minutes of video"],
  task: ["task", "tasks"],
  unspecified: ["unit", "units"],
  mib_hour: ["MiB·hour", "MiB·hours"],
  video_ms: ["ms of video", "ms of video"],
};
/** What a service counts, of so many. */
export const unit = (name: string, n: number | bigint = 1): string => UNITS[name]?.[Number(n) === 1 ? 0 : 1] ?? visible(name);

/**
 * What a service's price is for: "a minute of video", "1 000 tokens". The price is of so many
 * of what is counted, which may be parts of the unit: a minute of video is 60,000 ms.
 */
export function priced(s: { per: string; unit: string; counted: string; unit_parts: number }): string {
  const per = BigInt(s.per);
  const parts = BigInt(s.unit_parts || 1);
  const [n, name] = per % parts === 0n ? [per / parts, s.unit] : [per, s.counted];
  return `${n === 1n ? "a" : count(n)} ${unit(name, n)}`;
}

/** A message's type as people say it: /lode.alpha.v1.MsgUnstakeAll is "Unstake all". */
export function verb(type: string): string {
  const name = type.split(".").at(-1) ?? type;
  const words = name.replace(/^Msg/, "").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return visible(words.charAt(0).toUpperCase() + words.slice(1));
}
