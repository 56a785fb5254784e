// The Keplr extension: it has the key, shows the transaction itself, and signs.
import { get } from "../lib/api.ts";
import type { Params } from "../lib/types.ts";
import { aminoDoc } from "./amino.ts";
import { equal, fromBase64, PREFIX } from "./bytes.ts";
import { decode, type Message } from "./proto.ts";
import { MODE_AMINO, type PublicKey, type SignDoc } from "./tx.ts";

interface Keplr {
  experimentalSuggestChain(info: unknown): Promise<void>;
  enable(chainId: string): Promise<void>;
  getKey(chainId: string): Promise<{ name: string; algo: string; pubKey: Uint8Array; bech32Address: string; isNanoLedger: boolean }>;
  signDirect(chainId: string, signer: string, doc: { bodyBytes: Uint8Array; authInfoBytes: Uint8Array; chainId: string; accountNumber: bigint }, options: object): Promise<{ signed: { bodyBytes: Uint8Array; authInfoBytes: Uint8Array }; signature: { signature: string } }>;
  signAmino(chainId: string, signer: string, doc: unknown, options: object): Promise<{ signed: unknown; signature: { signature: string } }>;
}

const extension = () => (globalThis as { keplr?: Keplr }).keplr;
export const keplrIsThere = (): boolean => extension() !== undefined;

/** What Keplr must know of this network: all that it requires. */
export function chainInfo(params: Params, rpc: string, rest: string) {
  const coin = { coinDenom: "TAO", coinMinimalDenom: "rao", coinDecimals: 9 };
  const price = Number(params.gas_price);
  const bech32Config = {
    bech32PrefixAccAddr: PREFIX,
    bech32PrefixAccPub: PREFIX + "pub",
    bech32PrefixValAddr: PREFIX + "valoper",
    bech32PrefixValPub: PREFIX + "valoperpub",
    bech32PrefixConsAddr: PREFIX + "valcons",
    bech32PrefixConsPub: PREFIX + "valconspub",
  };
  return {
    chainId: params.chain_id,
    chainName: `Lode ${params.chain_id}`,
    rpc,
    rest,
    bip44: { coinType: params.coin_type },
    bech32Config,
    currencies: [coin],
    feeCurrencies: [{ ...coin, gasPriceStep: { low: price, average: price, high: price * 2 } }],
    stakeCurrency: coin,
    features: [],
  };
}

export interface KeplrKey {
  address: string;
  name: string;
  key: PublicKey;
  ledger: boolean;
}

async function keyOf(keplr: Keplr, chainId: string): Promise<KeplrKey> {
  const key = await keplr.getKey(chainId);
  if (key.algo !== "secp256k1") throw new Error(`Keplr's key is of the kind ${key.algo}; this network knows secp256k1 of it.`);
  return { address: key.bech32Address, name: key.name || "Keplr", key: { algorithm: "secp256k1", bytes: key.pubKey }, ledger: key.isNanoLedger };
}

let stop = () => {};

/** Tells Keplr of the network, and takes its key; changed is called when another account is chosen there, without one if it has none for this page. */
export async function connectKeplr(rpc: string, rest: string, changed: (key: KeplrKey | undefined) => void): Promise<KeplrKey> {
  const keplr = extension();
  if (!keplr) throw new Error("Keplr is not in this browser. Install its extension, and read the page anew.");
  const params = await get<Params>("/v1/chain/params");
  await keplr.experimentalSuggestChain(chainInfo(params, rpc, rest));
  await keplr.enable(params.chain_id);
  const key = await keyOf(keplr, params.chain_id);
  stop();
  const again = () => void keyOf(keplr, params.chain_id).then(changed, () => changed(undefined));
  addEventListener("keplr_keystorechange", again);
  stop = () => removeEventListener("keplr_keystorechange", again);
  return key;
}

/** Keplr may set another fee, which it shows; what the transaction does it may not change. */
export async function signWithKeplr(address: string, doc: SignDoc, mode: number, index: number): Promise<{ authInfo: Uint8Array; signature: Uint8Array }> {
  const keplr = extension();
  if (!keplr) throw new Error("Keplr is not in this browser any more.");
  const options = { preferNoSetFee: true, preferNoSetMemo: true };
  if (mode === MODE_AMINO) {
    const info = decode("AuthInfo", doc.authInfo);
    const sequence = (info.signer_infos as Message[])[index]?.sequence as bigint;
    const wanted = aminoDoc(decode("TxBody", doc.body), info.fee as Message, { chainId: doc.chainId, accountNumber: doc.accountNumber, sequence });
    const { signed, signature } = await keplr.signAmino(doc.chainId, address, wanted, options);
    if (JSON.stringify(signed) !== JSON.stringify(wanted)) throw new Error("Keplr signed something else than what was shown. Nothing was sent.");
    return { authInfo: doc.authInfo, signature: fromBase64(signature.signature) };
  }
  const { signed, signature } = await keplr.signDirect(doc.chainId, address, { bodyBytes: doc.body, authInfoBytes: doc.authInfo, chainId: doc.chainId, accountNumber: doc.accountNumber }, options);
  if (!equal(Uint8Array.from(signed.bodyBytes), doc.body)) throw new Error("Keplr signed something else than what was shown. Nothing was sent.");
  return { authInfo: Uint8Array.from(signed.authInfoBytes), signature: fromBase64(signature.signature) };
}
