// @ts-check
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { connect, LodeScheme } from "@lodenet/x402";
import { payingFetch } from "@lodenet/x402/fetch";
import { FileStore } from "@lodenet/x402/file";

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
const fetchAndPay = payingFetch(scheme);

const response = await fetchAndPay(LODE_GATEWAY);
console.log(response.status, await response.text());

await scheme.close();
chain.disconnect();
