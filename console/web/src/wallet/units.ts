// What the fields of messages are counted in.

export type Unit = "rao" | "alpha" | "price" | "part" | "seconds" | "netuid" | "text";

const RAO = new Set(["tao", "max_lock", "max_burn", "limit", "per_period", "max_deposit", "period_left", "max_price", "deposit"]);

/** Undefined where a field is no amount. type is a message's, without the slash. */
export function unitOf(type: string, name: string): Unit | undefined {
  if (/limit_price$/.test(name)) return "price";
  if (name === "alpha") return "alpha";
  if (name === "netuid" || name === "from_netuid" || name === "to_netuid" || name === "netuids") return "netuid";
  if (name === "take" || name === "proportion" || (type.endsWith("RevenueSplit") && /^(provider|burn|miners|owner)$/.test(name))) return "part";
  if (name === "close_delay" || name === "period") return "seconds";
  if (RAO.has(name) || (type.startsWith("lode.market.") && (name === "amount" || name === "price"))) return "rao";
  return undefined;
}
