// @ts-check
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { connect, LodeScheme } from "@lodenet/x402";
import { FileStore } from "@lodenet/x402/file";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";

const { LODE_MNEMONIC, LODE_RPC, LODE_STORE, LODE_GATEWAY } = process.env;
if (!LODE_MNEMONIC || !LODE_RPC || !LODE_STORE || !LODE_GATEWAY) throw new Error("set LODE_MNEMONIC, LODE_RPC, LODE_STORE and LODE_GATEWAY");

const signer = await DirectSecp256k1HdWallet.fromMnemonic(LODE_MNEMONIC, { prefix: "lode" });
const chain = await connect({ rpc: LODE_RPC, signer });
const scheme = await LodeScheme.open({
  chain,
  store: new FileStore(LODE_STORE),
  limits: { perRequest: "2000000", perDay: "50000000" }, // rao: 0.002 and 0.05 TAO
  onEvent: (event) => console.error(event.type, event.channelId),
});
const fetchAndPay = wrapFetchWithPayment(scheme.fetch, scheme.register(new x402Client()));

const response = await fetchAndPay(LODE_GATEWAY, { method: "POST", body: "hello" });
console.log(response.status, await response.text());

await scheme.close();
chain.disconnect();
