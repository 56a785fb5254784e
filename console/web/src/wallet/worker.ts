// The worker that has the keys. It answers the calls of protocol.ts and nothing else.
import { openArmor } from "./armor.ts";
import { fromHex, isAddress, toHex } from "./bytes.ts";
import { review } from "./explain.ts";
import { addressOfKey } from "./account.ts";
import { fromBytes, fromMnemonic, newMnemonic, sign, verify } from "./keys.ts";
import type { Call, Calls, Reply, Request } from "./protocol.ts";
import { aminoBytes, checkSeveral, isSeveral, MODE_AMINO, MODE_DIRECT } from "./tx.ts";
import { Vault, WrongPassword } from "./vault.ts";

const scope = self as unknown as { postMessage(reply: Reply): void; onmessage: (event: MessageEvent<Request>) => void };

let opened: Promise<Vault> | undefined;
const vault = () =>
  (opened ??= Vault.open(() => {
    opened = undefined;
    scope.postMessage({ locked: true });
  }).catch((error: unknown) => {
    opened = undefined;
    throw error;
  }));
let lockAfter = 600;
let timer: ReturnType<typeof setTimeout> | undefined;

const unsafe = globalThis.isSecureContext && globalThis.crypto?.subtle !== undefined ? null : "This page came over plain HTTP from another machine, where the browser gives no cryptography and anybody on the way could change the page. Open it on the machine itself, or start lode console with --tls.";

function touch(open: Vault) {
  clearTimeout(timer);
  timer = undefined;
  if (!open.unlocked) return;
  timer = setTimeout(() => {
    open.lock();
    scope.postMessage({ locked: true });
  }, lockAfter * 1000);
}

function hexKey(text: string): Uint8Array {
  const digits = text.trim().replace(/^0x/i, "");
  if (!/^([0-9a-f]{2})+$/i.test(digits)) throw new Error("This is no key in hexadecimal: it may have the digits 0 to 9 and a to f alone.");
  return fromHex(digits);
}

/** What the keys of an account of several sign. */
function partOf(bytes: Uint8Array) {
  const reviewed = review(bytes);
  const [signer, ...others] = reviewed.signers;
  if (!signer || !isSeveral(signer.key)) throw new Error("This transaction is not one of an account of several keys.");
  if (others.length > 0) throw new Error("Beside the account of several keys others must sign this transaction. The command line can: lode tx sign.");
  return { members: signer.key.members, doc: aminoBytes(reviewed.doc) };
}

type Handlers = { [C in Call]: (open: Vault, ...args: Calls[C]["args"]) => Promise<Calls[C]["result"]> };

const handlers: Handlers = {
  async state(open) {
    return { exists: await open.exists(), unlocked: open.unlocked, unsafe, keys: await open.list(), lockAfter };
  },
  createVault: (open, password) => open.create(password),
  unlock: (open, password) => open.unlock(password),
  async lock(open) {
    open.lock();
  },
  async touch() {},
  async setLockAfter(_, seconds) {
    if (!(seconds >= 30 && seconds <= 86_400)) throw new Error("The time until the wallet locks lies between 30 seconds and a day.");
    lockAfter = seconds;
  },
  newWords: async (_, count) => newMnemonic(count),
  addWords: (open, name, role, algorithm, words) => open.add(name, role, fromMnemonic(words, algorithm)),
  addHex: (open, name, role, algorithm, hex) => open.add(name, role, fromBytes(algorithm, hexKey(hex))),
  addFile: async (open, name, role, text, passphrase) => open.add(name, role, await openArmor(text, passphrase)),
  async watch(open, name, role, address) {
    if (!isAddress(address)) throw new Error("This is no address of this network. It begins with lode1, and every character counts.");
    return open.watch(name, role, address);
  },
  addSeveral: (open, name, several) => open.addSeveral(name, checkSeveral(several)),
  rename: (open, id, name) => open.rename(id, name),
  forget: (open, id) => open.forget(id),
  async reveal(open, id, password) {
    const { bytes, mnemonic } = await open.reveal(id, password);
    return { hex: toHex(bytes), ...(mnemonic && { words: mnemonic }) };
  },
  async sign(open, address, bytes) {
    const reviewed = review(bytes);
    const index = reviewed.signers.findIndex((s) => s.address === address);
    const signer = reviewed.signers[index];
    if (!signer) throw new Error(`The transaction does not ask for a signature of ${address}.`);
    if (isSeveral(signer.key)) throw new Error("For an account of several keys each of them signs by itself.");
    if (signer.mode !== MODE_DIRECT && signer.mode !== MODE_AMINO) throw new Error(`The wallet does not sign in mode ${signer.mode}.`);
    const secret = await open.secret(address);
    return sign(secret, signer.mode === MODE_DIRECT ? bytes : aminoBytes(reviewed.doc, index));
  },
  async signPart(open, member, bytes) {
    const { members, doc } = partOf(bytes);
    if (!members.some((key) => addressOfKey(key) === member)) throw new Error(`${member} is none of the account's keys.`);
    return sign(await open.secret(member), doc);
  },
  async checkPart(_, key, bytes, signature) {
    return verify(key, partOf(bytes).doc, signature);
  },
};

scope.onmessage = async ({ data: { id, call, args } }) => {
  try {
    if (!Object.hasOwn(handlers, call)) throw new Error(`the worker knows no call ${String(call)}`);
    if (unsafe !== null && call !== "state") throw new Error(unsafe);
    const open = unsafe === null ? await vault() : undefined;
    const result = open ? await (handlers[call] as (open: Vault, ...args: unknown[]) => Promise<unknown>)(open, ...args) : { exists: false, unlocked: false, unsafe, keys: [], lockAfter };
    if (open && call !== "state") touch(open);
    scope.postMessage({ id, result });
  } catch (error) {
    scope.postMessage({ id, error: error instanceof Error ? error.message : String(error), wrongPassword: error instanceof WrongPassword });
  }
};
