// What the page asks of the worker, and what it is told. No key and no password but the
// one that is being typed crosses this line; words and keys cross it where a person asks
// to see them.
import type { KeyInfo, Role } from "./vault.ts";
import type { Algorithm, PublicKey, Several } from "./tx.ts";

export interface WalletState {
  exists: boolean;
  unlocked: boolean;
  /** Why keys can't be kept here, where they can't. */
  unsafe: string | null;
  keys: KeyInfo[];
  /** Seconds without use after which it locks itself. */
  lockAfter: number;
}

export interface Calls {
  state: { args: []; result: WalletState };
  createVault: { args: [password: string]; result: void };
  unlock: { args: [password: string]; result: void };
  lock: { args: []; result: void };
  /** Somebody is there: the time until it locks begins anew. */
  touch: { args: []; result: void };
  setLockAfter: { args: [seconds: number]; result: void };
  newWords: { args: [count: 12 | 24]; result: string };
  addWords: { args: [name: string, role: Role, algorithm: Algorithm, words: string]; result: KeyInfo };
  addHex: { args: [name: string, role: Role, algorithm: Algorithm, hex: string]; result: KeyInfo };
  addFile: { args: [name: string, role: Role, text: string, passphrase: string]; result: KeyInfo };
  watch: { args: [name: string, role: Role, address: string]; result: KeyInfo };
  addSeveral: { args: [name: string, several: Several]; result: KeyInfo };
  rename: { args: [id: number, name: string]; result: void };
  forget: { args: [id: number]; result: void };
  reveal: { args: [id: number, password: string]; result: { words?: string; hex: string } };
  /** Signs a SignDoc that was shown. The worker reads it again, and refuses what it does not know. */
  sign: { args: [address: string, doc: Uint8Array]; result: Uint8Array };
  /** Signs, as one of its keys, for an account of several. */
  signPart: { args: [member: string, doc: Uint8Array]; result: Uint8Array };
  /** Whether a signature is a key's of that, for an account of several. */
  checkPart: { args: [key: PublicKey, doc: Uint8Array, signature: Uint8Array]; result: boolean };
}

export type Call = keyof Calls;

export interface Request {
  id: number;
  call: Call;
  args: unknown[];
}

export type Reply = { id: number; result: unknown } | { id: number; error: string; wrongPassword: boolean } | { locked: true };
