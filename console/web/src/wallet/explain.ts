// What a transaction does, read from the very bytes that are signed. A message that the
// wallet does not know is an error: it is not shown in part, and not signed.
import { addressOfKey } from "./account.ts";
import { unpack } from "./amino.ts";
import { fromAddress, toBase64, toHex } from "./bytes.ts";
import { decode, type Field, type Message, typeOf, type Value } from "./proto.ts";
import { type Unit, unitOf } from "./units.ts";
import { type AccountKey, isSeveral, MODE_AMINO, readSignDoc, signersOf, type SignDoc, unpackKey } from "./tx.ts";

export interface Row {
  name: string;
  value: string; // exact; amounts in whole units
  unit?: Unit;
  address?: boolean;
}

export interface Explained {
  type: string;
  title: string;
  rows: Row[];
  /** Who gets something by it, where that is not the signer. */
  recipients: string[];
  /** rao that leave the signer's balance at most, without the fee. */
  spends: bigint;
  /** It is a trade that may be made in part. */
  partial: boolean;
  warning?: string;
}

export interface Reviewed {
  doc: SignDoc;
  messages: Explained[];
  memo: string;
  timeoutHeight: bigint;
  feeRao: bigint;
  gas: bigint;
  signers: { address: string; key: AccountKey; sequence: bigint; mode: number }[];
}

const TITLES: Record<string, string> = {
  "cosmos.bank.v1beta1.MsgSend": "Send TAO",
  "cosmos.staking.v1beta1.MsgDelegate": "Delegate to a chain validator",
  "cosmos.staking.v1beta1.MsgUndelegate": "Take a delegation back",
  "cosmos.staking.v1beta1.MsgBeginRedelegate": "Move a delegation to another chain validator",
  "cosmos.distribution.v1beta1.MsgWithdrawDelegatorReward": "Withdraw a delegation's rewards",
  "cosmos.gov.v1.MsgVote": "Vote on a proposal",
  "cosmos.gov.v1.MsgDeposit": "Deposit for a proposal",
  "cosmos.authz.v1beta1.MsgGrant": "Let another key spend for you",
  "cosmos.authz.v1beta1.MsgRevoke": "Take an authorization back",
  "cosmos.feegrant.v1beta1.MsgGrantAllowance": "Pay another key's fees",
  "cosmos.feegrant.v1beta1.MsgRevokeAllowance": "Stop paying another key's fees",
  "lode.alpha.v1.MsgBindHotkey": "Bind a hotkey to a coldkey, for ever",
  "lode.alpha.v1.MsgStake": "Stake",
  "lode.alpha.v1.MsgUnstake": "Unstake",
  "lode.alpha.v1.MsgUnstakeAll": "Unstake everything",
  "lode.alpha.v1.MsgMoveStake": "Move stake to another hotkey",
  "lode.alpha.v1.MsgSwapStake": "Move stake to another subnet",
  "lode.alpha.v1.MsgTransferStake": "Give stake to another coldkey",
  "lode.alpha.v1.MsgSetTake": "Set a hotkey's take",
  "lode.alpha.v1.MsgSetChildren": "Lend stake weight to child hotkeys",
  "lode.alpha.v1.MsgSetChildkeyTake": "Set a child hotkey's take",
  "lode.alpha.v1.MsgSetDestination": "Choose where a hotkey's incentive goes",
  "lode.alpha.v1.MsgBurnAlpha": "Burn alpha",
  "lode.alpha.v1.MsgRecycleAlpha": "Recycle alpha",
  "lode.alpha.v1.MsgClaim": "Claim what a removed subnet owes",
  "lode.alpha.v1.MsgSetRecoveryKey": "Set the recovery key",
  "lode.alpha.v1.MsgAnnounceColdkeySwap": "Announce a move of everything to another coldkey",
  "lode.alpha.v1.MsgDisputeColdkeySwap": "Dispute an announced coldkey swap",
  "lode.alpha.v1.MsgDecideColdkeySwap": "Decide about a coldkey swap, as recovery key",
  "lode.subnets.v1.MsgCreateSubnet": "Create a subnet",
  "lode.subnets.v1.MsgStartSubnet": "Start a subnet",
  "lode.subnets.v1.MsgUpdateSubnet": "Change what a subnet says of itself",
  "lode.subnets.v1.MsgSetHyperparameter": "Set a hyperparameter",
  "lode.subnets.v1.MsgRegister": "Register a hotkey",
  "lode.subnets.v1.MsgServe": "Publish an endpoint",
  "lode.subnets.v1.MsgTransferOwnership": "Hand a subnet over",
  "lode.subnets.v1.MsgPublish": "Publish data",
  "lode.subnets.v1.MsgPublishSealed": "Publish a hash",
  "lode.subnets.v1.MsgRevealPublished": "Reveal sealed data",
  "lode.subnets.v1.MsgSwapHotkey": "Replace a hotkey by another",
  "lode.market.v1.MsgDeposit": "Deposit into a payment channel",
  "lode.market.v1.MsgClose": "Close a payment channel",
  "lode.market.v1.MsgCancelPlan": "Cancel a plan",
  "lode.market.v1.MsgRedeem": "Redeem vouchers",
  "lode.market.v1.MsgListService": "List a service",
  "lode.market.v1.MsgUnlistService": "Withdraw a service",
  "lode.market.v1.MsgOfferPlan": "Offer a plan",
  "lode.market.v1.MsgRetirePlan": "Withdraw a plan",
  "lode.market.v1.MsgSetRevenueSplit": "Divide a subnet's revenue",
};

// Fields that bring something to somebody else.
const RECIPIENTS: Record<string, string[]> = {
  "cosmos.bank.v1beta1.MsgSend": ["to_address"],
  "cosmos.authz.v1beta1.MsgGrant": ["grantee"],
  "cosmos.feegrant.v1beta1.MsgGrantAllowance": ["grantee"],
  "lode.alpha.v1.MsgTransferStake": ["to_coldkey"],
  "lode.alpha.v1.MsgAnnounceColdkeySwap": ["new_coldkey"],
  "lode.alpha.v1.MsgDecideColdkeySwap": ["new_coldkey"],
  "lode.alpha.v1.MsgSetRecoveryKey": ["recovery"],
  "lode.subnets.v1.MsgTransferOwnership": ["hotkey"],
};

const WARNINGS: Record<string, string> = {
  "lode.alpha.v1.MsgBindHotkey": "A hotkey is bound once and for ever.",
  "lode.alpha.v1.MsgTransferStake": "The stake will belong to the other coldkey. This can't be undone.",
  "lode.alpha.v1.MsgBurnAlpha": "What is burned is gone for ever.",
  "lode.alpha.v1.MsgRecycleAlpha": "What is recycled is gone: it can be issued again, but not to you.",
  "lode.alpha.v1.MsgAnnounceColdkeySwap": "Until the swap is executed or disputed this coldkey can do nothing else.",
  "lode.alpha.v1.MsgDecideColdkeySwap": "With a new coldkey everything moves there at once. This can't be undone.",
  "lode.alpha.v1.MsgSetRecoveryKey": "The recovery key will be able to move everything that this coldkey has.",
  "cosmos.authz.v1beta1.MsgGrant": "The other key will be able to spend as much without asking you.",
};

const SPENDS: Record<string, string> = {
  "lode.alpha.v1.MsgStake": "tao",
  "lode.subnets.v1.MsgRegister": "max_burn",
  "lode.subnets.v1.MsgCreateSubnet": "max_lock",
  "lode.market.v1.MsgDeposit": "amount",
};

const NAMES: Record<string, string> = { tao: "TAO", alpha: "Alpha", netuid: "Subnet", from_netuid: "From subnet", to_netuid: "To subnet", from_address: "From", to_address: "To", to_coldkey: "To coldkey", granter: "Out of the account", grantee: "The key", spender: "The key", grant: "", authorization: "It may make", allowance: "It pays", basic: "", expiration: "Until", limit: "In all", per_period: "A period", max_deposit: "In one deposit", period_spend_limit: "A period", period_can_spend: "In this period", period_reset: "The next begins", msg_type_url: "For", allowed_messages: "For", allow_partial: "Take a part, if the limit binds" };
// What may stand in another message, in words; and what of it says "no such limit" by 0.
const SPEND = "lode.market.v1.SpendAuthorization";
const INSIDE: Record<string, string> = {
  [SPEND]: "deposits into payment channels of services, within limits",
  "cosmos.feegrant.v1beta1.AllowedMsgAllowance": "fees of some messages alone",
  "cosmos.feegrant.v1beta1.PeriodicAllowance": "fees up to a limit a period",
  "cosmos.feegrant.v1beta1.BasicAllowance": "fees up to a limit",
};
const VOTES: Record<string, string> = { VOTE_OPTION_YES: "Yes", VOTE_OPTION_NO: "No", VOTE_OPTION_NO_WITH_VETO: "No, with veto", VOTE_OPTION_ABSTAIN: "Abstain" };
const NOTHING = new Set(["A period", "Period", "Period left", "The next begins", "In one deposit"]);
const words = (name: string) => NAMES[name] ?? name.replaceAll("_", " ").replace(/^\w/, (c) => c.toUpperCase());

function rows(type: string, message: Message, prefix = ""): Row[] {
  const out: Row[] = [];
  for (const field of typeOf(type)?.fields ?? []) {
    const value = message[field.name];
    const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
    list.forEach((item, i) => {
      const name = prefix + words(field.name) + (field.repeated && list.length > 1 ? ` ${i + 1}` : "");
      out.push(...row(type, field, name, item));
    });
  }
  return out;
}

function row(type: string, field: Field, name: string, value: Value): Row[] {
  if (field.kind === "message") {
    const message = value as Message;
    switch (field.type) {
      case "cosmos.base.v1beta1.Coin":
        if (message.denom !== "rao") return [{ name, value: `${message.amount} of ${message.denom}` }];
        return [{ name, value: message.amount as string, unit: "rao" }];
      case "google.protobuf.Timestamp":
        return [{ name, value: new Date(Number(message.seconds) * 1000).toISOString() }];
      case "google.protobuf.Duration":
        return [{ name, value: String(message.seconds), unit: "seconds" }];
      case "google.protobuf.Any": {
        const inner = unpack(message);
        const special = INSIDE[inner.type];
        if (!special) return [{ name, value: inner.type }, ...rows(inner.type, inner.value, name ? name + ": " : "")];
        return [{ name, value: special }, ...rows(inner.type, inner.value).filter((r) => !(inner.type === SPEND && NOTHING.has(r.name) && r.value === "0"))];
      }
    }
    return rows(field.type ?? "", message, name ? name + ": " : "");
  }
  if (field.kind === "enum") return [{ name, value: VOTES[field.values?.[String(value)] ?? ""] ?? field.values?.[String(value)] ?? `${value}, which is not known` }];
  if (value instanceof Uint8Array) return [{ name, value: value.length === 0 ? "nothing" : value.length <= 64 ? toHex(value) : toBase64(value) }];
  if (typeof value === "boolean") return [{ name, value: value ? "yes" : "no" }];
  const text = String(value);
  const isAddress = field.address === true || (typeof value === "string" && fromAddress(text) !== undefined);
  if (isAddress && text !== "") return [{ name, value: text, address: true }];
  const unit = unitOf(type, field.name);
  return [{ name, value: text, ...(unit ? { unit } : typeof value === "string" ? { unit: "text" as const } : {}) }];
}

function raoOf(coins: Value | undefined): bigint {
  let sum = 0n;
  for (const coin of (coins ?? []) as Message[]) {
    if (coin.denom !== "rao" || !/^[0-9]{1,39}$/.test(coin.amount as string)) throw new Error(`an amount of ${String(coin.denom)}: this network knows rao alone`);
    sum += BigInt(coin.amount as string);
  }
  return sum;
}

export function explain(type: string, value: Message): Explained {
  const title = TITLES[type] ?? (type.startsWith("lode.weights.") || type.startsWith("lode.collateral.") ? words(type.split(".Msg")[1] ?? type).replace(/([a-z])([A-Z])/g, "$1 $2") : undefined);
  if (title === undefined) throw new Error(`the wallet does not know messages of type ${type}`);
  let spends = 0n;
  if (type === "cosmos.bank.v1beta1.MsgSend" || type === "cosmos.gov.v1.MsgDeposit") spends = raoOf(value.amount);
  else if (type === "cosmos.staking.v1beta1.MsgDelegate") spends = raoOf([value.amount as Message]);
  else if (SPENDS[type]) spends = value[SPENDS[type]] as bigint;
  return {
    type,
    title,
    rows: rows(type, value),
    recipients: (RECIPIENTS[type] ?? []).map((field) => value[field] as string).filter((a) => a !== ""),
    spends,
    partial: value.allow_partial === true,
    ...(WARNINGS[type] && { warning: WARNINGS[type] }),
  };
}

/** How a signer signs. */
function modeOf(key: AccountKey, info: Message | undefined): number {
  const single = info?.single as Message | undefined;
  const multi = info?.multi as Message | undefined;
  if (!isSeveral(key)) {
    if (multi) throw new Error("one key signs as if it were several");
    return (single?.mode as number | undefined) ?? 0;
  }
  const modes = (multi?.mode_infos ?? []) as Message[];
  if (single || !multi || modes.some((m) => m.multi !== undefined || (m.single as Message | undefined)?.mode !== MODE_AMINO)) throw new Error("the keys of an account of several sign each by itself, as amino JSON");
  return MODE_AMINO;
}

/** Reads a SignDoc's bytes. Throws where anything in it is not known, and says what. */
export function review(bytes: Uint8Array): Reviewed {
  const doc = readSignDoc(bytes);
  const body = decode("TxBody", doc.body);
  const info = decode("AuthInfo", doc.authInfo);
  const fee = info.fee as Message | undefined;
  if (!fee) throw new Error("the transaction has no fee");
  if (fee.granter !== "" || fee.payer !== "") throw new Error("the transaction wants a third party to pay its fee, which this wallet does not offer");
  const signers = (info.signer_infos as Message[]).map((signer) => {
    const any = signer.public_key as Message | undefined;
    if (!any) throw new Error("the transaction does not name its signers' keys");
    const key = unpackKey(any);
    return { address: addressOfKey(key), key, sequence: signer.sequence as bigint, mode: modeOf(key, signer.mode_info as Message | undefined) };
  });
  const list = body.messages as Message[];
  if (list.length === 0) throw new Error("the transaction has no message");
  const needed: string[] = [];
  const messages = list.map((any) => {
    const { type, value } = unpack(any);
    for (const address of signersOf(type, value)) if (!needed.includes(address)) needed.push(address);
    return explain(type, value);
  });
  if (needed.join() !== signers.map((s) => s.address).join()) throw new Error("the transaction's signers are not those whom its messages need");
  return { doc, messages, memo: body.memo as string, timeoutHeight: body.timeout_height as bigint, feeRao: raoOf(fee.amount), gas: fee.gas_limit as bigint, signers };
}
