// From what a person wants to the bytes that are signed, and from them into a block.
import { ApiError, get, post, SEND_TIMEOUT } from "../lib/api.ts";
import type { Broadcast, ChainAccount, Params, Simulation } from "../lib/types.ts";
import { live } from "../lib/live.svelte.ts";
import { fromBase64, toBase64, toHex } from "./bytes.ts";
import { wallet } from "./client.svelte.ts";
import { signWithKeplr } from "./keplr.ts";
import { isStillUnknown, isUnknown, keep, settled } from "./pending.ts";
import { type AccountKey, authInfoBytes, blankSignature, bodyBytes, directBytes, type Intent, isSeveral, MODE_AMINO, MODE_DIRECT, type Signer, signersOf, txBytes } from "./tx.ts";

export interface Draft {
  body: Uint8Array;
  authInfo: Uint8Array;
  chainId: string;
  signers: { address: string; accountNumber: bigint; sequence: bigint }[];
  timeoutHeight: bigint;
  height: number;
  balance: bigint; // of the first signer, in rao
  charge: bigint; // what the messages cost beside the fee and what they say themselves, in rao
  gas: bigint;
  feeRao: bigint;
  mode: number;
}

/** A SignDoc's bytes, of the signer at an index. */
export const docOf = (draft: Draft, index: number): Uint8Array =>
  directBytes({ body: draft.body, authInfo: draft.authInfo, chainId: draft.chainId, accountNumber: draft.signers[index]?.accountNumber ?? 0n });

/** Seconds in which a person reads what is to be signed, whatever the pace of blocks. */
const READING = 180;

export const params = (): Promise<Params> => get<Params>("/v1/chain/params");

export function keyOf(address: string, account: ChainAccount): AccountKey {
  if (wallet.keplr?.address === address) return wallet.keplr.key;
  const key = wallet.key(address);
  if (key?.several) return key.several;
  if (key?.algorithm && key.publicKey) return { algorithm: key.algorithm, bytes: key.publicKey };
  if (account.public_key && (account.key_type === "secp256k1" || account.key_type === "mldsa65")) {
    return { algorithm: account.key_type === "secp256k1" ? "secp256k1" : "ml_dsa_65", bytes: fromBase64(account.public_key) };
  }
  throw new ApiError("no_key", `There is no key of ${address} in this wallet.`, "Import the key, or sign with the wallet that has it.");
}

// a time at which it is over too, a century away and drawn, so that no two transactions are
// the same bytes by accident: one would be told of the other's outcome
function drawnTime(): bigint {
  const [low = 0, high = 0] = crypto.getRandomValues(new Uint32Array(2));
  return 5_680_281_600n * 1_000_000_000n + (BigInt(high >>> 2) << 32n) + BigInt(low);
}

/** What the chain takes for messages that don't say it themselves, in rao. */
export function chargeOf(types: string[], chain: Params): bigint {
  const prices: Record<string, string> = { "lode.alpha.v1.MsgAnnounceColdkeySwap": chain.coldkey_swap_fee_rao, "lode.subnets.v1.MsgSwapHotkey": chain.hotkey_swap_fee_rao };
  return types.reduce((sum, type) => sum + BigInt(prices[type] ?? 0), 0n);
}

/** Builds a transaction and runs it on the node without sending it: the fee is known then, and what would fail has failed. */
export async function prepare(intents: Intent[], { memo = "", timeoutHeight: latest }: { memo?: string; timeoutHeight?: bigint } = {}): Promise<Draft> {
  const addresses: string[] = [];
  for (const { type, value } of intents) for (const address of signersOf(type, value)) if (!addresses.includes(address)) addresses.push(address);
  const [chain, ...accounts] = await Promise.all([params(), ...addresses.map((a) => get<ChainAccount>(`/v1/chain/account/${a}`))]);
  accounts.forEach((account, i) => {
    if (!account.exists) throw new ApiError("no_account", `${addresses[i]} has never had a coin, so it can't sign yet.`, "Send it TAO first; one rao is enough for a hotkey.");
  });
  const ledger = wallet.keplr?.ledger === true && addresses.includes(wallet.keplr.address);
  const mode = ledger ? MODE_AMINO : MODE_DIRECT;
  const signers: Signer[] = accounts.map((account, i) => ({ key: keyOf(addresses[i] ?? "", account), sequence: BigInt(account.sequence) }));
  const several = signers.some(({ key }) => isSeveral(key));
  if (several && signers.length > 1) throw new ApiError("bad_value", "Beside the account of several keys another one must sign this, which the page can't do.", "The command line can: lode tx sign.");
  const usual = BigInt(chain.height + Math.max(chain.tx_lifetime_blocks, Math.ceil(READING / Math.max(chain.block_seconds, 0.1))));
  // owners take their time: what several sign ends when the account has sent something else
  const timeoutHeight = several ? (latest ?? 0n) : latest !== undefined && latest < usual ? latest : usual;
  const body = bodyBytes(intents, { memo, timeoutHeight, until: ledger || several ? undefined : drawnTime() });
  // paying a fee takes gas itself, and so does the size of the signatures
  const simulated = await simulate(body, authInfoBytes(signers, { rao: 10_000n, gas: 1_000_000n }, mode), signers.map(({ key }) => key));
  const feeRao = BigInt(simulated.fee_rao);
  const gas = BigInt(simulated.gas_limit);
  return {
    body,
    authInfo: authInfoBytes(signers, { rao: feeRao, gas }, mode),
    chainId: chain.chain_id,
    signers: accounts.map((account, i) => ({ address: addresses[i] ?? "", accountNumber: BigInt(account.account_number), sequence: BigInt(account.sequence) })),
    timeoutHeight,
    height: chain.height,
    balance: BigInt(accounts[0]?.balance_rao ?? 0),
    charge: chargeOf(intents.map(({ type }) => type), chain),
    gas,
    feeRao,
    mode,
  };
}

/** Whether no signer has sent anything since it was built: the chain would refuse it. */
export async function isCurrent({ signers }: Draft): Promise<boolean> {
  const accounts = await Promise.all(signers.map(({ address }) => get<ChainAccount>(`/v1/chain/account/${address}`)));
  return accounts.every(({ sequence }, i) => BigInt(sequence) === signers[i]?.sequence);
}

/** Runs a transaction on the node without signatures, and without sending it. */
export function simulate(body: Uint8Array, authInfo: Uint8Array, keys: AccountKey[]): Promise<Simulation> {
  return post<Simulation>("/v1/chain/simulate", { tx_bytes: toBase64(txBytes(body, authInfo, keys.map(blankSignature))) }, 30_000);
}

/** Signs with all keys that it takes. The bytes that come back are sent, and sent again, as they are. */
export async function sign(draft: Draft): Promise<Uint8Array> {
  const signatures: Uint8Array[] = [];
  let { body, authInfo } = draft;
  for (const [i, { address, accountNumber }] of draft.signers.entries()) {
    if (wallet.keplr?.address === address) {
      const signed = await signWithKeplr(address, { body, authInfo, chainId: draft.chainId, accountNumber }, draft.mode, i);
      if (draft.signers.length === 1) authInfo = signed.authInfo;
      signatures.push(signed.signature);
    } else {
      signatures.push(await wallet.call("sign", address, docOf(draft, i)));
    }
  }
  return txBytes(body, authInfo, signatures);
}

export async function hashOf(tx: Uint8Array): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", tx as Uint8Array<ArrayBuffer>))).toUpperCase();
}

/** Sends, and waits for the block. Until the outcome is known the bytes are kept, so that the same can be sent again. */
export async function broadcast(tx: Uint8Array, title: string, timeoutHeight: bigint): Promise<Broadcast> {
  const hash = await hashOf(tx);
  const bytes = toBase64(tx);
  keep({ hash, tx: bytes, title, timeoutHeight: String(timeoutHeight), sent: live.now });
  return send(hash, bytes, isUnknown);
}

/** Sends the same bytes once more. */
export const again = (hash: string, bytes: string): Promise<Broadcast> => send(hash, bytes, isStillUnknown);

async function send(hash: string, bytes: string, unknown: (error: unknown) => boolean): Promise<Broadcast> {
  try {
    const result = await post<Broadcast>("/v1/chain/broadcast", { tx_bytes: bytes }, SEND_TIMEOUT);
    settled(hash);
    return result;
  } catch (error) {
    if (!unknown(error)) settled(hash);
    throw error;
  }
}

/** One transaction of an account at a time, in all tabs. */
export async function inTurn<T>(address: string, work: () => Promise<T>): Promise<T> {
  return navigator.locks ? ((await navigator.locks.request("lode-tx-" + address, work)) as T) : work();
}
