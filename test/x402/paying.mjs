// What the scripts of this folder share: a client of npm's that pays, as its user writes
// it. The environment says where: LODE_RPC, LODE_MNEMONIC, LODE_GATEWAY, LODE_STORE.
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { connect, LodeScheme } from "@lodenet/x402";
import { FileStore } from "@lodenet/x402/file";
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from "@x402/fetch";

export const gateway = process.env.LODE_GATEWAY;

export async function paying(options = {}) {
  const signer = await DirectSecp256k1HdWallet.fromMnemonic(process.env.LODE_MNEMONIC, { prefix: "lode" });
  const chain = await connect({ rpc: process.env.LODE_RPC, signer, pollInterval: 200, ...options.connect });
  const events = [];
  const scheme = await LodeScheme.open({
    chain,
    store: new FileStore(process.env.LODE_STORE),
    limits: { perRequest: "200000", perDay: "5000000" },
    deposit: "1000000",
    onEvent: (event) => events.push(event),
    ...options.scheme,
  });
  const pay = wrapFetchWithPayment(scheme.fetch, scheme.register(new x402Client()));
  const close = async () => {
    await scheme.close();
    chain.disconnect();
  };
  return { chain, scheme, events, pay, close };
}

export const settlement = (response) => decodePaymentResponseHeader(response.headers.get("PAYMENT-RESPONSE"));

/** Tells the Go test what came of it. */
export const report = (values) =>
  console.log("REPORT " + JSON.stringify(values, (_, v) => (typeof v === "bigint" ? Number(v) : v)));
