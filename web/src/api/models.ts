/**
 * The API's nouns as the dashboard uses them. Money is a decimal string, an unknown value is `null`
 * with a reason beside it, and a time is ISO-8601 in UTC.
 */
export type Decimal = string;
export type Timestamp = string;
export type TradingMode = "paper" | "live";
export type Origin = "live" | "recorded" | "synthetic";
export type Role = "admin" | "trader" | "viewer";
export type RiskMode = "safe" | "balanced" | "risky" | "aggressive";
export type BotStatus = "active" | "paused" | "stopped" | "deleted";
export type LifecycleStage = "paper_training" | "eligible_for_live" | "live" | "quarantined";
export type FeedState = "connecting" | "live" | "stale" | "unreachable" | "ended";
export type Platform = "luno" | "binance" | "kucoin" | "ovex" | "valr";
export type Range = "day" | "week" | "month" | "year" | "all";
export type Period = "daily" | "weekly" | "monthly";

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface UserSettings {
  theme?: "system" | "dark" | "light";
  profit_colours?: "default" | "blue-orange" | "green-red";
  density?: "comfortable" | "compact";
  number_style?: "comma" | "point";
  reduce_motion?: boolean;
  shortcuts?: boolean;
}

export interface User {
  id: string;
  name: string;
  email: string;
  role: Role;
  timezone: string;
  created_at: Timestamp;
  settings: UserSettings;
}

export interface ManagedUser extends User {
  is_active: boolean;
  last_seen_at: Timestamp | null;
  bots_count: number;
}

export interface Session {
  id: string;
  created_at: Timestamp;
  last_seen_at: Timestamp | null;
  expires_at: Timestamp;
  ip: string | null;
  user_agent: string | null;
  current: boolean;
}

export interface Invite {
  id: string;
  email: string | null;
  role: Role;
  created_at: Timestamp;
  expires_at: Timestamp;
  used_at: Timestamp | null;
}

export interface AccessToken {
  id: string;
  name: string;
  scopes: ("read" | "trade")[];
  created_at: Timestamp;
  expires_at: Timestamp | null;
  last_used_at: Timestamp | null;
}

export interface Gate {
  name: string;
  value: Decimal | number | string | null;
  op: string;
  threshold: Decimal | number | string | null;
  passed: boolean;
}

export type Verdict = "buy" | "sell" | "hold" | "blocked" | "warming_up" | "stale";

export interface Decision {
  at: Timestamp;
  verdict: Verdict;
  reason: string;
  gates: Gate[];
  data_age_s: number | null;
}

export interface BotPosition {
  quantity: Decimal;
  average_price: Decimal;
  value: Decimal;
  mark_price: Decimal;
  marked_at: Timestamp;
}

export interface Bot {
  id: string;
  name: string;
  platform: Platform;
  pair: string;
  instrument_id: string;
  strategy: string;
  strategy_title: string;
  params: Record<string, number>;
  timeframe: string;
  risk_mode: RiskMode;
  trading_mode: TradingMode;
  status: BotStatus;
  lifecycle_stage: LifecycleStage;
  origin: Origin;
  capital_zar: Decimal;
  current_capital: Decimal | null;
  quote_asset: string;
  capital_quote: Decimal;
  realized_profit: Decimal;
  unrealized_profit: Decimal | null;
  unrealized_reason: string | null;
  profit_today: Decimal;
  total_profit: Decimal;
  total_fees: Decimal;
  total_trades: number;
  trades_today: number;
  winning_trades: number;
  losing_trades: number;
  win_rate: number | null;
  max_drawdown_percent: number | null;
  position: BotPosition | null;
  pause_reason: string | null;
  created_at: Timestamp;
  started_at: Timestamp | null;
  paused_at: Timestamp | null;
  stopped_at: Timestamp | null;
  last_trade_time: Timestamp | null;
  last_decision: Decision | null;
  next_decision_at: Timestamp | null;
  can_start: boolean;
  can_pause: boolean;
  can_resume: boolean;
  can_stop: boolean;
  can_delete: boolean;
  cannot_reason: string | null;
}

export interface NewBot {
  name: string;
  platform: Platform;
  pair: string;
  strategy: string;
  params?: Record<string, number>;
  timeframe?: string;
  risk_mode: RiskMode;
  capital_zar: Decimal;
  start?: boolean;
}

export interface BulkResult {
  changed: number;
  skipped: { bot_id: string; name: string; reason: string }[];
}

export interface StrategyParameter {
  name: string;
  description: string;
  type: "int" | "float";
  default: number;
  low: number;
  high: number;
  unit: string;
}

export interface Strategy {
  id: string;
  title: string;
  description: string;
  source: string;
  kind: "signals" | "events";
  default_timeframe: string;
  parameters: StrategyParameter[];
}

export interface EquityPoint {
  at: Timestamp;
  equity: Decimal;
  realized_profit: Decimal;
  unrealized_profit: Decimal | null;
}

export interface EquitySeries {
  items: EquityPoint[];
  currency: string;
  max_drawdown_percent: number | null;
}

export interface InstrumentFeed {
  state: FeedState;
  message: string;
  last_received_at: Timestamp | null;
  age_s: number | null;
  retry_at: Timestamp | null;
}

export interface Instrument {
  id: string;
  platform: Platform;
  pair: string;
  base: string;
  quote: string;
  tick_size: Decimal;
  lot_size: Decimal;
  min_quantity: Decimal;
  min_notional: Decimal;
  maker_fee_percent: number;
  taker_fee_percent: number;
  fee_source: string;
  origin: Origin;
  feed: InstrumentFeed;
  price: Decimal | null;
  price_at: Timestamp | null;
}

export interface Candle {
  ts_open: Timestamp;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

export interface Candles {
  items: Candle[];
  instrument_id: string;
  timeframe: string;
  origin: Origin;
  gaps: number;
}

export interface Feed {
  platform: Platform;
  origin: Origin;
  state: FeedState;
  message: string;
  last_received_at: Timestamp | null;
  retry_at: Timestamp | null;
  instruments: number;
}

export interface WalletAsset {
  asset: string;
  available: Decimal;
  allocated: Decimal;
  value_zar: Decimal | null;
  rate: Decimal | null;
  rate_source: string | null;
  rate_at: Timestamp | null;
  value_reason: string | null;
}

export interface Conversion {
  at: Timestamp;
  bot_id: string | null;
  from_asset: string;
  from_amount: Decimal;
  to_asset: string;
  to_amount: Decimal;
  rate: Decimal;
  rate_source: string;
  rate_at: Timestamp;
}

export interface Wallet {
  mode: TradingMode;
  currency: string;
  total: Decimal | null;
  available: Decimal;
  allocated: Decimal;
  reserved: Decimal;
  assets: WalletAsset[];
  conversions: Conversion[];
}

export interface Trade {
  id: string;
  bot_id: string;
  bot_name: string;
  platform: Platform;
  pair: string;
  side: "long";
  mode: TradingMode;
  status: "open" | "closed";
  origin: Origin;
  quantity: Decimal;
  entry_price: Decimal;
  exit_price: Decimal | null;
  opened_at: Timestamp;
  closed_at: Timestamp | null;
  profit_loss: Decimal | null;
  profit_percent: number | null;
  gross_profit: Decimal | null;
  fees: Decimal;
  quote_asset: string;
  profit_loss_quote: Decimal | null;
  zar_rate: Decimal | null;
  zar_rate_source: string | null;
  zar_rate_at: Timestamp | null;
  zar_reason: string | null;
  exit_reason: string | null;
  strategy: string;
}

export interface TradePage extends Page<Trade> {
  total: number;
}

export interface Fill {
  id: string;
  order_id: string;
  trade_id: string | null;
  side: "buy" | "sell";
  quantity: Decimal;
  price: Decimal;
  notional: Decimal;
  fee_amount: Decimal;
  fee_asset: string;
  liquidity: string;
  executed_at: Timestamp;
  recorded_at: Timestamp;
  zar_rate: Decimal | null;
  zar_rate_source: string | null;
  zar_rate_at: Timestamp | null;
  ledger_entry_id: string | null;
  origin: Origin;
  venue_trade_id: string | null;
}

export interface Order {
  id: string;
  client_order_id: string;
  bot_id: string;
  bot_name: string;
  platform: Platform;
  pair: string;
  mode: TradingMode;
  tag: string;
  side: "buy" | "sell";
  type: string;
  state: string;
  quantity: Decimal;
  filled_quantity: Decimal;
  price: Decimal | null;
  stop_price: Decimal | null;
  average_price: Decimal | null;
  post_only: boolean;
  reduce_only: boolean;
  reason: string;
  reject_reason: string | null;
  reserved_asset: string;
  reserved_amount: Decimal;
  created_at: Timestamp;
  updated_at: Timestamp;
  closed_at: Timestamp | null;
}

export interface OrderEvent {
  at: Timestamp;
  from_state: string | null;
  to_state: string;
  event: string;
  detail: string;
}

export interface OrderDetail {
  order: Order;
  events: OrderEvent[];
  fills: Fill[];
}

export interface LedgerPosting {
  account: string;
  asset: string;
  amount: Decimal;
}

export interface LedgerEntry {
  id: string;
  seq: number;
  kind: string;
  book: string;
  effective_at: Timestamp;
  recorded_at: Timestamp;
  description: string;
  reference: Record<string, string | null>;
  postings: LedgerPosting[];
  hash: string;
  prev_hash: string;
}

export interface LedgerVerification {
  ok: boolean;
  entries_checked: number;
  first_difference: string | null;
  checked_at: Timestamp;
  imbalance: Record<string, Decimal>;
}

/** A bar of the profit chart: `label` is the day, the week or the month, as the API names it. */
export interface ProfitBar {
  label: string;
  start: string;
  profit: Decimal;
}

export interface ProfitDaily {
  period: "daily";
  mode: TradingMode;
  items: { date: string; profit: Decimal }[];
  total: Decimal;
  currency: string;
  timestamp: Timestamp;
  timezone: string;
}

export interface ProfitWeekly {
  items: { week: string; profit: Decimal; period: string }[];
}

export interface ProfitMonthly {
  items: { month: string; profit: Decimal; period: string }[];
}

export interface ProfitShare {
  realized_profit: Decimal;
  fees: Decimal;
  trades: number;
}

export interface ProfitSummary {
  mode: TradingMode;
  realized_profit: Decimal;
  unrealized_profit: Decimal | null;
  unrealized_reason: string | null;
  total_profit: Decimal | null;
  profit_today: Decimal;
  profit_yesterday: Decimal;
  best_day: { date: string; profit: Decimal } | null;
  avg_daily: Decimal;
  total_trades: number;
  winning_trades: number;
  losing_trades: number;
  win_rate: number | null;
  total_fees: Decimal;
  fx_profit: Decimal | null;
  equity: Decimal | null;
  deposits: Decimal;
  currency: string;
  timestamp: Timestamp;
  timezone: string;
  marked_at: Timestamp | null;
  by_bot: (ProfitShare & { bot_id: string; bot_name: string })[];
  by_platform: (ProfitShare & { platform: Platform })[];
  by_pair: (ProfitShare & { pair: string })[];
}

export interface PlatformSummary {
  platform: Platform;
  display_name: string;
  connected: boolean;
  status_message: string;
  origin: Origin | null;
  bots_count_total: number;
  bots_active: number;
  bot_limit: number;
  profit_today: Decimal;
  profit_total: Decimal;
  trades_today: number;
  win_rate: number | null;
  feed_state: FeedState | null;
  feed_age_s: number | null;
}

export interface PlatformsSummary {
  mode: TradingMode;
  platforms: PlatformSummary[];
  total_platforms: number;
  timestamp: Timestamp;
}

export interface PlatformBots {
  platform: Platform;
  display_name: string;
  mode: TradingMode;
  bots: Bot[];
  total_bots: number;
  timestamp: Timestamp;
}

export interface SystemMode {
  mode: TradingMode;
  paperTrading: boolean;
  liveTrading: boolean;
  autopilot: boolean;
  updated_at: Timestamp | null;
  updated_by: string | null;
}

export interface SystemBuild {
  backend: { sha: string; branch: string | null; build_time: string | null; python_version: string };
  frontend: { expected_sha: string | null; note: string | null };
  deployment: { environment: string; host: string };
}

export interface AlertItem {
  id: string;
  type: string;
  severity: "info" | "warning" | "critical";
  message: string;
  bot_id: string | null;
  created_at: Timestamp;
  acknowledged_at: Timestamp | null;
}

export interface ActivityItem {
  seq: number;
  type: string;
  payload: { message: string; bot_id?: string; bot?: { id: string }; trade?: { id: string } } & Record<
    string,
    unknown
  >;
  created_at: Timestamp;
}
