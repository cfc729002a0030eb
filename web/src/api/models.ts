/**
 * The API's nouns by the names that the dashboard uses. All of them are generated: `schema.d.ts` is
 * written from the API's own OpenAPI document. Money is a decimal string, an unknown value is
 * `null` with a reason beside it, and a time is ISO-8601 in UTC.
 */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type TradingMode = Schemas["TradingMode"];
export type Origin = Schemas["Origin"];
export type Role = Schemas["Role"];
export type RiskMode = Schemas["RiskMode"];
export type BotStatus = Schemas["BotStatus"];
export type LifecycleStage = Schemas["LifecycleStage"];
export type FeedState = Schemas["FeedState"];
export type Platform = Schemas["Platform"];
export type OrderState = Schemas["OrderState"];
export type Range = "day" | "week" | "month" | "year" | "all";
export type Period = "daily" | "weekly" | "monthly";

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export type UserSettings = Schemas["UserSettings"];
export type User = Schemas["UserView"];
export type ManagedUser = Schemas["AdminUserView"];
export type Session = Schemas["SessionView"];
export type Invite = Schemas["InviteView"];
export type AccessToken = Schemas["TokenView"];
export type Factors = Schemas["FactorsView"];
export type Enrolment = Schemas["EnrolmentView"];
export type MarketChoice = Schemas["MarketChoice"];
export type Provider = Schemas["ProviderView"];
export type ApiKey = Schemas["KeyView"];
export type ApiKeyList = Schemas["KeyList"];
export type KeyTest = Schemas["KeyTestAnswer"];
export type LiveAccounts = Schemas["AccountsView"];
export type LiveAccount = Schemas["LiveAccountView"];
export type TieOut = Schemas["TieOutView"];
export type Difference = Schemas["DifferenceView"];
export type DoubtfulOrder = Schemas["DoubtfulOrderView"];
export type ExternalOrder = Schemas["ExternalOrderView"];

export type StopStatus = Schemas["StopStatus"];
export type Bot = Schemas["BotView"];
export type NewBot = Schemas["NewBotBody"];
export type BulkResult = Schemas["AllBotsAnswer"];
export type Decision = Schemas["DecisionView"];
export type Gate = Schemas["Gate"];
export type Verdict = Decision["verdict"];
export type Strategy = Schemas["StrategyView"];
export type EquitySeries = Schemas["EquityCurve"];

export type Instrument = Schemas["InstrumentView"];
export type Candles = Schemas["CandleList"];
export type Feed = Schemas["FeedView"];

export type Wallet = Schemas["WalletView"];
export type Trade = Schemas["TradeView"];
export type TradePage = Schemas["TradePage"];
export type Fill = Schemas["FillView"];
export type Order = Schemas["OrderView"];
export type OrderDetail = Schemas["OrderAnswer"];
export type LedgerEntry = Schemas["EntryView"];
export type LedgerVerification = Schemas["LedgerCheck"];

export type LedgerAccount = Schemas["AccountView"];
export type StatementLine = Schemas["StatementLine"];
export type Benchmark = Schemas["Benchmark"];
export type ProfitReport = Schemas["ProfitReport"];
export type ProfitSpan = ProfitReport["span"];
export type Sparklines = Schemas["BotSparklines"];
export type BotListView = Schemas["BotListView"];
export type AuditFact = Schemas["AuditFactView"];
export type AuditCheck = Schemas["AuditCheckView"];

export type ProfitDaily = Schemas["DailyProfits"];
export type ProfitWeekly = Schemas["WeeklyProfits"];
export type ProfitMonthly = Schemas["MonthlyProfits"];
export type ProfitSummary = Schemas["ProfitSummary"];

/** A bar of the profit chart: `label` is the day, the week or the month, as the API names it. */
export interface ProfitBar {
  label: string;
  start: string;
  profit: string;
}

/** Realised profit of one bot, platform or pair. */
export type ProfitShare = Omit<Schemas["BotProfit"], "bot_id" | "bot_name">;

export type PlatformSummary = Schemas["PlatformView"];
export type PlatformsSummary = Schemas["PlatformSummary"];
export type PlatformBots = Schemas["PlatformBots"];
export type SystemMode = Schemas["ModeView"];
export type ModeName = SystemMode["mode"];
export type LiveReadiness = Schemas["LiveReadiness"];
export type Risk = Schemas["RiskView"];
export type LimitRow = Schemas["LimitView"];
export type Breakers = Schemas["BreakersView"];
export type Breaker = Schemas["BreakerView"];
export type LimitKind = LimitRow["kind"];
export type SystemBuild = Schemas["BuildView"];
export type AlertItem = Schemas["AlertView"];
export type ActivityItem = Schemas["EventView"];
