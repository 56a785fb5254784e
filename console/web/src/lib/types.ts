// What the console answers, as console/openapi.yaml has it. Amounts are decimal strings of
// whole units, prices decimal strings with a point.

export interface ErrorAnswer {
  error: {
    code: string;
    message: string;
    hint: string;
    hash?: string;
    height?: number;
  };
}

export interface Status {
  height: number;
  time: string | null;
  chain_id: string;
  local: boolean;
  node_ok: boolean;
  node_error: string | null;
  catching_up: boolean;
  age_seconds: number | null;
  indexed_height: number | null;
  indexed_time: string | null;
  index_error: string | null;
  build: string;
  version: string;
}

export interface Home {
  height: number;
  time: string;
  chain_id: string;
  issued_rao: string;
  supply_rao: string;
  burned_rao: string;
  recycled_rao: string;
  cap_rao: string;
  block_reward_rao: string;
  block_seconds: number;
  halvings: number;
  next_halving_rao: string | null;
  next_halving_time: string | null;
  neurons: number;
  free_slots: number;
  lock_rao: string;
  subnets: {
    netuid: number;
    subnet_id: number;
    name: string;
    price: string;
    emission_share: number;
    market_value_rao: string;
  }[];
}

export interface SubnetList {
  height: number;
  time: string;
  items: Subnet[];
  next: string;
  free_slots: number;
}

export type Subnet = SubnetFields;

export interface SubnetFields {
  netuid: number;
  subnet_id: number;
  name: string;
  description: string;
  url: string;
  started: boolean;
  created_height: number;
  created_time: string;
  owner_hotkey: string;
  price: string;
  moving_price: string;
  change_1h: number | null;
  change_24h: number | null;
  change_7d: number | null;
  market_value_rao: string;
  tao_reserve_rao: string;
  alpha_reserve: string;
  alpha_issued: string;
  alpha_staked: string;
  alpha_circulating: string;
  emission_share: number;
  liquidity_rao: string;
  volume_24h_rao: string | null;
  neurons: number;
  miners: number;
  validators: number;
  max_uids: number;
  tempo: number;
  epochs: number;
  next_epoch_height: number;
  burn_rao: string;
  revenue_rao: string;
  revenue_24h_rao: string | null;
  removal_place: number | null;
  immune_until_height: number | null;
  immune_until_time: string | null;
}

export interface SubnetDetail extends SubnetFields {
  height: number;
  time: string;
  owner_coldkey: string;
  parameters: string;
  lock_rao: string;
  started_height: number | null;
  started_time: string | null;
  last_epoch_height: number | null;
  alpha_protocol: string;
  alpha_pending: string;
  alpha_burned: string;
  free_slots: number;
  hyperparameters: Hyperparameter[];
  revenue: Revenue;
  serves: {
    protocol: string;
    version: string;
    neurons: number;
  }[];
}

export interface Hyperparameter {
  name: string;
  value: string;
  default: string;
  min: string;
  max: string;
  unit: string;
  set_by: "owner" | "governance";
  set_height: number | null;
  next_height: number | null;
  scheduled: null | {
    value: string;
    due_height: number;
    due_time: string;
  };
}

export interface Split {
  provider: number;
  burn: number;
  miners: number;
  owner: number;
}

export interface Revenue {
  total_rao: string;
  provider_rao: string;
  owner_rao: string;
  burn_rao: string;
  burned_alpha: string;
  miners_rao: string;
  miners_alpha: string;
  waiting_rao: string;
  redemptions: number;
  split: Split;
  scheduled: null | {
    split: Split;
    height: number;
  };
  price_without: string | null;
}

export interface CandleList {
  height: number;
  time: string;
  netuid: number;
  subnet_id: number;
  interval: "5m" | "1h" | "1d";
  items: {
    time: string;
    open: string;
    high: string;
    low: string;
    close: string;
    volume_rao: string;
    trades: number;
  }[];
  next: string;
}

export interface EmissionList {
  height: number;
  time: string;
  netuid: number;
  subnet_id: number;
  items: {
    epoch: number;
    height: number;
    time: string;
    pending_alpha: string;
    paid_alpha: string;
    owner_alpha: string;
    revenue_alpha: string;
    burned_alpha: string;
    recycled_alpha: string;
    carried_alpha: string;
    root_paid_rao: string;
  }[];
  next: string;
}

export interface Metagraph {
  height: number;
  time: string;
  netuid: number;
  subnet_id: number;
  name: string;
  started: boolean;
  price: string;
  moving_price: string;
  tao_reserve_rao: string;
  alpha_reserve: string;
  burn_rao: string;
  tempo: number;
  epochs: number;
  next_epoch_height: number;
  neurons: Neuron[];
}

export interface Neuron {
  uid: number;
  hotkey: string;
  coldkey: string;
  owner: boolean;
  permit: boolean;
  active: boolean;
  stake_alpha: string;
  stake_weight: string;
  root_stake_rao: string;
  incentive: number;
  dividends: number;
  consensus: number;
  validator_trust: number;
  rank: number;
  emission_alpha: string;
  registered_height: number;
  last_update_height: number | null;
  pruning_rank: number | null;
  immune_until_height: number | null;
  endpoints: string[];
  protocol: string;
  protocol_version: string;
  collateral_alpha: string;
  inherited_weight: string;
  lent_weight: string;
  destination: string;
}

export interface Weights {
  height: number;
  time: string;
  netuid: number;
  neurons: number;
  rows: {
    uid: number;
    uids: number[];
    values: number[];
    height: number;
    set_height: number;
  }[];
}

export interface Bonds {
  height: number;
  time: string;
  netuid: number;
  neurons: number;
  rows: {
    uid: number;
    uids: number[];
    values: number[];
  }[];
}

export interface RegistrationList {
  height: number;
  time: string;
  items: {
    height: number;
    time: string;
    netuid: number;
    subnet_id: number;
    uid: number;
    hotkey: string;
    coldkey: string;
    burn_rao: string;
    replaced: string | null;
  }[];
  next: string;
}

export interface ValidatorList {
  height: number;
  time: string;
  items: {
    hotkey: string;
    coldkey: string;
    take: number;
    root_stake_rao: string;
    stake_value_rao: string;
    subnets: {
      netuid: number;
      uid: number;
      stake_alpha: string;
      stake_weight: string;
      dividends: number;
      validator_trust: number;
      emission_alpha: string;
      active: boolean;
      last_update_height: number | null;
    }[];
  }[];
  next: string;
}

export interface ChainValidatorList {
  height: number;
  time: string;
  bonded_rao: string;
  most_validators: number;
  unbonding_seconds: number;
  signed_blocks_window: number;
  items: {
    operator: string;
    hotkey: string;
    consensus_address: string;
    moniker: string;
    website: string;
    details: string;
    status: "bonded" | "unbonding" | "unbonded";
    jailed: boolean;
    tokens_rao: string;
    share: number;
    commission: number;
    max_commission: number;
    missed_blocks: number | null;
  }[];
  next: string;
}

/** As the chain's REST gives it. */
export interface Message {
  "@type": string;
}

export interface ProposalRules {
  bonded_rao: string;
  quorum: number;
  threshold: number;
  expedited_threshold: number;
  veto_threshold: number;
  deposit_rao: string;
  expedited_deposit_rao: string;
  deposit_seconds: number;
  voting_seconds: number;
  expedited_voting_seconds: number;
}

export interface Proposal {
  id: string;
  title: string;
  proposer: string;
  status: "deposit" | "voting" | "passed" | "rejected" | "failed";
  expedited: boolean;
  types: string[];
  submitted: string;
  deposit_ends: string | null;
  voting_starts: string | null;
  voting_ends: string | null;
  deposit_rao: string;
  tally: { yes_rao: string; no_rao: string; veto_rao: string; abstain_rao: string };
  failed_reason: string;
}

export interface ProposalList {
  height: number;
  time: string;
  rules: ProposalRules;
  items: Proposal[];
  next: string;
}

export interface Vote {
  voter: string;
  options: { option: "yes" | "no" | "veto" | "abstain"; weight: number }[];
}

export interface ProposalDetail extends Proposal {
  height: number;
  time: string;
  rules: ProposalRules;
  summary: string;
  metadata: string;
  messages: Message[];
  vote: Vote | null;
}

export interface DelegationList {
  height: number;
  time: string;
  items: {
    operator: string;
    moniker: string;
    status: "bonded" | "unbonding" | "unbonded";
    delegated_rao: string;
    rewards_rao: string;
    unbonding: { rao: string; ends: string }[];
  }[];
  next: string;
}

export interface Account {
  height: number;
  time: string;
  address: string;
  exists: boolean;
  account_number: string | null;
  sequence: string | null;
  key_type: KeyType;
  balance_rao: string;
  delegated_rao: string;
  unbonding_rao: string;
  rewards_rao: string;
  stakes_value_rao: string;
  claims_rao: string;
  channels_rao: string;
  deposits_rao: string;
  total_rao: string;
  coldkey: string | null;
  take: number | null;
  hotkeys: {
    hotkey: string;
    take: number;
    bound_height: number;
    destination: string;
  }[];
  registrations: {
    netuid: number;
    uid: number;
    hotkey: string;
    permit: boolean;
  }[];
  coldkey_swap: null | {
    new_coldkey: string;
    announced_height: number;
    due_height: number;
    due_time: string;
    executing: boolean;
  };
  recovery_key: string | null;
  next_recovery: null | {
    key: string | null;
    due_height: number;
    due_time: string;
  };
  swap_barred: null | {
    until_height: number;
    until_time: string;
  };
}

export interface AllowanceList {
  height: number;
  time: string;
  items: Allowance[];
  next: string;
}

export interface Allowance {
  agent: string;
  left_rao: string;
  per_period_rao: string | null;
  period_seconds: number | null;
  period_left_rao: string | null;
  period_ends: string | null;
  max_deposit_rao: string | null;
  netuids: number[];
  service_ids: string[];
  ends: string | null;
  pays_fees: boolean;
  fees_rao: string | null;
}

export type KeyType = "secp256k1" | "ed25519" | "mldsa65" | "multisig" | "module" | "other" | null;

export interface StakeList {
  height: number;
  time: string;
  items: Stake[];
  next: string;
}

export interface Stake {
  netuid: number;
  subnet_id: number;
  subnet_name: string;
  removed: boolean;
  hotkey: string;
  registered: boolean;
  alpha: string;
  locked_alpha: string;
  value_rao: string;
  price: string | null;
}

export interface ChannelList {
  height: number;
  time: string;
  items: {
    channel_id: string;
    payer: string;
    provider: string;
    netuid: number;
    service_id: string;
    session_key: string;
    deposit_rao: string;
    claimed_rao: string;
    close_delay_seconds: number;
    opened_height: number;
    closing_time: string | null;
    closing_height: number | null;
    agent: string | null;
    plan: null | {
      id: string;
      price_rao: string;
      period_seconds: number;
      quota: string;
      used: string;
      used_before: string;
      period_start: string;
      period_end: string;
      cancelled: boolean;
    };
  }[];
  next: string;
}

export interface IncomeList {
  height: number;
  time: string;
  items: {
    height: number;
    time: string;
    netuid: number;
    subnet_id: number;
    epoch: number | null;
    hotkey: string;
    kind: string;
    alpha: string;
    tao_rao: string;
    value_rao: string | null;
  }[];
  next: string;
}

export interface Yield {
  days: 1 | 7 | 30;
  samples: number;
  epoch: number | null;
  apr: number | null;
  apy: number | null;
  tao_return: number | null;
}

export interface Portfolio {
  height: number;
  time: string;
  address: string;
  balance_rao: string;
  delegated_rao: string;
  unbonding_rao: string;
  rewards_rao: string;
  stakes_value_rao: string;
  claims_rao: string;
  channels_rao: string;
  deposits_rao: string;
  total_rao: string;
  indexed_height: number | null;
  subnets: {
    netuid: number;
    subnet_id: number;
    name: string;
    removed: boolean;
    alpha: string;
    value_rao: string;
    price: string | null;
    part: number;
    stakes: {
      hotkey: string;
      registered: boolean;
      alpha: string;
      locked_alpha: string;
      value_rao: string;
      yields: Yield[];
    }[];
  }[];
}

export type Transaction = TransactionFields;

export interface TransactionFields {
  hash: string;
  height: number;
  time: string;
  index: number;
  ok: boolean;
  code: number;
  codespace: string;
  error: string;
  fee_rao: string;
  gas_wanted: number;
  gas_used: number;
  signers: string[];
  types: string[];
}

export interface TransactionList {
  height: number;
  time: string;
  items: Transaction[];
  next: string;
}

export interface TransactionDetail extends TransactionFields {
  memo: string;
  messages: Message[];
  events: {
    type: string;
    attributes: {
      key: string;
      value: string;
    }[];
  }[];
}

export type Block = BlockFields;

export interface BlockFields {
  height: number;
  time: string;
  hash: string;
  proposer: string;
  transactions: number;
}

export interface BlockList {
  height: number;
  time: string;
  items: Block[];
  next: string;
}

export interface BlockDetail extends BlockFields {
  items: Transaction[];
}

export interface SearchResult {
  height: number;
  time: string;
  items: {
    kind: "block" | "transaction" | "account" | "subnet" | "service" | "proposal";
    id: string;
    title: string;
    path: string;
  }[];
}

export type Service = ServiceFields;

export interface ServiceFields {
  id: string;
  netuid: number;
  subnet_id: number;
  uid: number;
  name: string;
  description: string;
  endpoint: string;
  buyable: boolean;
  unit: "request" | "token" | "gib_month" | "video_minute" | "task" | "unspecified";
  price_rao: string;
  per: string;
  counted: string;
  unit_parts: number;
  terms: string;
  hotkey: string;
  coldkey: string;
  listed: boolean;
  channels: number;
  updated_height: number;
  plans: {
    id: string;
    name: string;
    price_rao: string;
    period_seconds: number;
    quota: string;
    subscriptions: number;
  }[];
}

export interface ServiceList {
  height: number;
  time: string;
  items: Service[];
  next: string;
}

export interface ServiceDetail extends ServiceFields {
  height: number;
  time: string;
  subnet_name: string;
  neuron: Neuron | null;
}

export interface StreamBlock {
  height: number;
  time: string;
  transactions: number | null;
  epochs: number[];
  missed: boolean;
}

export interface Params {
  height: number;
  time: string;
  chain_id: string;
  local: boolean;
  denom: "rao";
  bech32_prefix: "lode";
  coin_type: 118;
  gas_price: string;
  gas_adjustment: number;
  tx_lifetime_blocks: number;
  block_seconds: number;
  trade_fee: number;
  min_trade_rao: string;
  min_reserve: string;
  default_slippage: number;
  max_take: number;
  coldkey_swap_delay_blocks: number;
  coldkey_swap_fee_rao: string;
  recovery_delay_blocks: number;
  hotkey_swap_fee_rao: string;
  min_deposit_rao: string;
  min_close_delay_seconds: number;
  max_close_delay_seconds: number;
}

export interface ChainAccount {
  height: number;
  time: string;
  chain_id: string;
  address: string;
  exists: boolean;
  account_number: string;
  sequence: string;
  key_type: KeyType;
  public_key: string | null;
  balance_rao: string;
}

export interface TxBytes {
  tx_bytes: string;
}

export interface Simulation {
  height: number;
  time: string;
  gas_used: string;
  gas_limit: string;
  fee_rao: string;
}

export interface Broadcast {
  height: number;
  time: string;
  hash: string;
  gas_used: string;
}

export interface Trade {
  netuid: number;
  side: "buy" | "sell";
  given: string;
  expected: string;
  least: string;
  fee: string;
  spot_price: string;
  average_price: string;
  price_after: string;
  impact: number;
  limit_price: string;
  limit_price_rao: string;
  within_limit: boolean;
}

export interface Quote {
  height: number;
  time: string;
  kind: "stake" | "unstake" | "swap";
  slippage: number;
  trades: Trade[];
  expected: string;
  least: string;
  within_limit: boolean;
}

