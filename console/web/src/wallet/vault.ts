// The vault: keys at rest, in IndexedDB, each encrypted with AES-256-GCM under one key
// that argon2id makes of the password. What a person sees without the password (names,
// addresses, public keys) lies beside it in the open. A record is added, never replaced.
// Used in the worker alone.
import { argon2id } from "hash-wasm";
import { concat, equal, toUtf8 } from "./bytes.ts";
import { addressOf, addressOfKey } from "./account.ts";
import { publicKey, type Secret } from "./keys.ts";
import type { Algorithm, Several } from "./tx.ts";

export type Role = "coldkey" | "hotkey";

/** What is known of a key without the password. */
export interface KeyInfo {
  id: number;
  name: string;
  role: Role;
  address: string;
  algorithm?: Algorithm; // of a watched address: not known
  publicKey?: Uint8Array;
  words: boolean; // it was made of words, which the vault has too
  watch: boolean; // there is no key, only the address
  several?: Several; // the keys that sign for it, wherever they are
  created: number; // milliseconds since 1970
}

interface KeyRecord extends KeyInfo {
  iv?: Uint8Array<ArrayBuffer>;
  sealed?: Uint8Array<ArrayBuffer>;
}

/** argon2id's cost: 64 MiB, 3 passes. */
export const COST = { memory: 64 * 1024, passes: 3, lanes: 1 };

interface Header {
  id: "vault";
  version: 1;
  salt: Uint8Array<ArrayBuffer>;
  memory: number; // KiB
  passes: number;
  lanes: number;
  iv: Uint8Array<ArrayBuffer>;
  check: Uint8Array<ArrayBuffer>; // CHECK, sealed: whether a password is right
}

const CHECK = toUtf8("lode/vault/1");

export class WrongPassword extends Error {
  constructor() {
    super("The password is wrong.");
  }
}

function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's storage failed"));
  });
}

/** What was written is kept once the transaction is over, not before. */
function kept(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(new Error(`The browser could not keep it${transaction.error ? `: ${transaction.error.message}` : ""}. Free some of its storage, and try again; nothing was changed.`));
  });
}

async function open(name: string): Promise<IDBDatabase> {
  try {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("header", { keyPath: "id" });
      const keys = request.result.createObjectStore("keys", { keyPath: "id", autoIncrement: true });
      keys.createIndex("address", "address", { unique: true });
      keys.createIndex("name", "name", { unique: true });
    };
    return await asked(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "VersionError") throw new Error("The vault was written by a newer version of this page. Read the page anew.");
    throw new Error(`This browser keeps nothing for this page, so there can be no wallet in it: ${error instanceof Error ? error.message : String(error)}. Allow the page its storage, or use another window or browser.`);
  }
}

async function stretch(password: string, { salt, memory, passes, lanes }: Pick<Header, "salt" | "memory" | "passes" | "lanes">): Promise<CryptoKey> {
  const raw = await argon2id({ password: toUtf8(password.normalize("NFKC")), salt, iterations: passes, memorySize: memory, parallelism: lanes, hashLength: 32, outputType: "binary" });
  const key = await crypto.subtle.importKey("raw", raw as Uint8Array<ArrayBuffer>, "AES-GCM", false, ["encrypt", "decrypt"]);
  raw.fill(0);
  return key;
}

const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

async function seal(key: CryptoKey, plain: Uint8Array, about: Uint8Array) {
  const iv = random(12);
  const params = { name: "AES-GCM", iv, additionalData: about as Uint8Array<ArrayBuffer> };
  return { iv, sealed: new Uint8Array(await crypto.subtle.encrypt(params, key, plain as Uint8Array<ArrayBuffer>)) };
}

async function unseal(key: CryptoKey, iv: Uint8Array<ArrayBuffer>, sealed: Uint8Array<ArrayBuffer>, about: Uint8Array): Promise<Uint8Array> {
  const params = { name: "AES-GCM", iv, additionalData: about as Uint8Array<ArrayBuffer> };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(params, key, sealed));
  } catch {
    throw new WrongPassword();
  }
}

const ALGORITHMS: Algorithm[] = ["secp256k1", "ml_dsa_65"];

function pack({ algorithm, bytes, mnemonic }: Secret): Uint8Array {
  return concat(Uint8Array.from([1, ALGORITHMS.indexOf(algorithm), bytes.length >> 8, bytes.length & 0xff]), bytes, toUtf8(mnemonic ?? ""));
}

function unpack(plain: Uint8Array): Secret {
  const algorithm = ALGORITHMS[plain[1] ?? 255];
  if (plain[0] !== 1 || !algorithm) throw new Error("The vault was written by a newer version of this page.");
  const end = 4 + (plain[2] ?? 0) * 256 + (plain[3] ?? 0);
  const mnemonic = new TextDecoder().decode(plain.slice(end));
  return { algorithm, bytes: plain.slice(4, end), ...(mnemonic && { mnemonic }) };
}

const aboutKey = (address: string) => toUtf8("lode/key/1 " + address);

export function checkName(name: string): string {
  const trimmed = name.normalize("NFC").trim();
  if (trimmed === "") throw new Error("The key needs a name.");
  if (trimmed.length > 40) throw new Error("The name has more than 40 characters.");
  if (/\p{C}/u.test(trimmed)) throw new Error("The name has invisible characters.");
  return trimmed;
}

const info = ({ id, name, role, address, algorithm, publicKey, words, watch, several, created }: KeyRecord): KeyInfo => ({ id, name, role, address, algorithm, publicKey, words, watch, several, created });

const hasKey = (records: KeyRecord[]) => records.some((r) => r.sealed !== undefined);

export class Vault {
  #db;
  #key: CryptoKey | undefined;
  #salt: Uint8Array | undefined; // of the header that the key is of

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  /** closed is called where the browser takes the storage away, as when a person clears it. */
  static async open(closed: () => void, name = "lode"): Promise<Vault> {
    const vault = new Vault(await open(name));
    vault.#db.onclose = () => {
      vault.lock();
      closed();
    };
    return vault;
  }

  /** A transaction that writes: what it says is kept is on the disk. */
  #write(...stores: string[]): IDBTransaction {
    return this.#db.transaction(stores, "readwrite", { durability: "strict" });
  }

  #get<T>(store: string, key: IDBValidKey): Promise<T | undefined> {
    return asked(this.#db.transaction(store).objectStore(store).get(key)) as Promise<T | undefined>;
  }

  /** Whether there is a key in it. One without a key protects nothing, and its password may be forgotten. */
  async exists(): Promise<boolean> {
    return hasKey((await asked(this.#db.transaction("keys").objectStore("keys").getAll())) as KeyRecord[]);
  }

  get unlocked(): boolean {
    return this.#key !== undefined;
  }

  lock(): void {
    this.#key = this.#salt = undefined;
  }

  async #keyOf(password: string): Promise<{ key: CryptoKey; salt: Uint8Array }> {
    const header = await this.#get<Header>("header", "vault");
    if (!header) throw new Error("There is no wallet in this browser yet.");
    if (header.version !== 1) throw new Error("The vault was written by a newer version of this page.");
    const key = await stretch(password, header);
    if (!equal(await unseal(key, header.iv, header.check, CHECK), CHECK)) throw new WrongPassword();
    return { key, salt: header.salt };
  }

  /** Makes the vault with its password, if there is no key in one yet. */
  async create(password: string): Promise<void> {
    if (password.length < 8) throw new Error("The password has fewer than 8 characters. Several words are better than one.");
    const fresh = { salt: random(16), ...COST };
    const key = await stretch(password, fresh);
    const { iv, sealed } = await seal(key, CHECK, CHECK);
    const header: Header = { id: "vault", version: 1, ...fresh, iv, check: sealed };
    const transaction = this.#write("header", "keys");
    if (hasKey((await asked(transaction.objectStore("keys").getAll())) as KeyRecord[])) throw new Error("There is a wallet in this browser already. Unlock it to add keys to it.");
    await asked(transaction.objectStore("header").put(header));
    await kept(transaction);
    [this.#key, this.#salt] = [key, fresh.salt];
  }

  async unlock(password: string): Promise<void> {
    const { key, salt } = await this.#keyOf(password);
    [this.#key, this.#salt] = [key, salt];
  }

  async list(): Promise<KeyInfo[]> {
    return ((await asked(this.#db.transaction("keys").objectStore("keys").getAll())) as KeyRecord[]).map(info);
  }

  async #add(record: Omit<KeyRecord, "id">): Promise<KeyInfo> {
    const keys = await this.list();
    const same = keys.find((k) => k.address === record.address);
    if (same && !same.watch) throw new Error(`The wallet has this key already: it is ${same.name}. Nothing was changed.`);
    if (keys.some((k) => k.name === record.name && k.id !== same?.id)) throw new Error(`There is a key of the name ${record.name} already. Choose another name; nothing was changed.`);
    const transaction = this.#write("header", "keys");
    const store = transaction.objectStore("keys");
    const header = (await asked(transaction.objectStore("header").get("vault"))) as Header | undefined;
    // of two tabs that made a wallet at once the second's password holds
    if (record.sealed && !(header && this.#salt && equal(header.salt, this.#salt))) {
      this.lock();
      throw new Error("Another tab has made the wallet meanwhile, with a password of its own. Unlock it with that one, and add the key again; nothing was kept.");
    }
    // an address that was only watched gives way to its key, or to what is known of its keys
    if (same?.watch && (!record.watch || (record.several && !same.several))) await asked(store.delete(same.id));
    else if (same) throw new Error(`The wallet watches this address already: it is ${same.name}.`);
    const id = (await asked(store.add(record))) as number;
    await kept(transaction);
    return info({ ...record, id });
  }

  async add(name: string, role: Role, secret: Secret): Promise<KeyInfo> {
    if (!this.#key) throw new Error("Unlock the wallet first.");
    const key = publicKey(secret);
    const address = addressOf(secret.algorithm, key);
    const { iv, sealed } = await seal(this.#key, pack(secret), aboutKey(address));
    return this.#add({ name: checkName(name), role, address, algorithm: secret.algorithm, publicKey: key, words: secret.mnemonic !== undefined, watch: false, created: Date.now(), iv, sealed });
  }

  async watch(name: string, role: Role, address: string): Promise<KeyInfo> {
    return this.#add({ name: checkName(name), role, address, words: false, watch: true, created: Date.now() });
  }

  /** An account for which several keys sign. They stay where they are. */
  async addSeveral(name: string, several: Several): Promise<KeyInfo> {
    return this.#add({ name: checkName(name), role: "coldkey", address: addressOfKey(several), words: false, watch: true, several, created: Date.now() });
  }

  async rename(id: number, name: string): Promise<void> {
    const checked = checkName(name);
    if ((await this.list()).some((k) => k.name === checked && k.id !== id)) throw new Error(`There is a key of the name ${checked} already.`);
    const record = await this.#get<KeyRecord>("keys", id);
    if (!record) throw new Error("The wallet does not have this key any more.");
    const transaction = this.#write("keys");
    await asked(transaction.objectStore("keys").put({ ...record, name: checked }));
    await kept(transaction);
  }

  /** Forgets an address that is only watched. Keys are never deleted. */
  async forget(id: number): Promise<void> {
    const record = await this.#get<KeyRecord>("keys", id);
    if (!record?.watch) throw new Error("Only an address that is watched can be forgotten. Keys stay.");
    const transaction = this.#write("keys");
    await asked(transaction.objectStore("keys").delete(id));
    await kept(transaction);
  }

  async #open(key: CryptoKey, record: KeyRecord): Promise<Secret> {
    if (!record.iv || !record.sealed) throw new Error(`${record.name} is an address that is only watched: there is no key to sign with.`);
    const plain = await unseal(key, record.iv, record.sealed, aboutKey(record.address)).catch((error: unknown) => {
      // the password is right, or the vault would not be open
      throw error instanceof WrongPassword ? new Error(`The vault is damaged: the key ${record.name} can't be read. Bring it back from its words or its file, in another browser or after this page's data was cleared.`) : error;
    });
    const secret = unpack(plain);
    if (addressOf(secret.algorithm, publicKey(secret)) !== record.address) throw new Error("The vault is damaged: a key does not fit its address.");
    return secret;
  }

  /** The key of an address, for one signature. */
  async secret(address: string): Promise<Secret> {
    if (!this.#key) throw new Error("The wallet is locked. Unlock it first.");
    const records = (await asked(this.#db.transaction("keys").objectStore("keys").getAll())) as KeyRecord[];
    const record = records.find((r) => r.address === address);
    if (!record) throw new Error(`The wallet has no key of ${address}.`);
    return this.#open(this.#key, record);
  }

  /** A key in the open: the password is asked for again, even if the vault is open. */
  async reveal(id: number, password: string): Promise<Secret> {
    const { key } = await this.#keyOf(password);
    const record = await this.#get<KeyRecord>("keys", id);
    if (!record) throw new Error("The wallet does not have this key any more.");
    return this.#open(key, record);
  }
}
