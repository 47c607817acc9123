//! The figures that give a generated history its shape. `docs/generator.md` says where each comes from, and a test compares
//! what comes out with that page.

/// How the days from registration to a win are spread: the 0th, 5th, 25th, 50th, 75th, 95th and 100th of a hundred.
pub(super) const DAYS_TO_WIN: [f64; 7] = [1.0, 2.0, 9.0, 57.0, 88.0, 116.0, 138.0];
/// The same for a loss.
pub(super) const DAYS_TO_LOSS: [f64; 7] = [1.0, 1.0, 7.0, 14.0, 79.0, 110.0, 138.0];
/// Of a hundred wins that would fall into the first month of a quarter, how many wait for its last.
pub(super) const WAITS_FOR_QUARTER_END: f64 = 0.25;
/// And how many for the second.
pub(super) const WAITS_A_MONTH: f64 = 0.045;

/// What comes of an approved deal; the rest is never closed.
pub(super) const WON: f64 = 0.55;
pub(super) const LOST: f64 = 0.32;
pub(super) const WITHDRAWN: f64 = 0.045;
pub(super) const REVOKED: f64 = 0.01;

/// A program has so many times the registrations of the year before.
pub(super) const GROWTH_A_YEAR: f64 = 1.2;
/// Registrations on a day of the weekend, to those on any other.
pub(super) const WEEKEND: f64 = 0.15;
/// Registrations in the first, second and third month of a quarter.
pub(super) const QUARTER: [f64; 3] = [0.9, 1.0, 1.1];

/// Deals to one account of the market.
pub(super) const DEALS_AN_ACCOUNT: u64 = 3;
/// How unequal the accounts are: the share of the first part `x` of them is `x` to the power of this.
pub(super) const ACCOUNT_POWER: f64 = 0.35;
/// Registrations with customers of the partner's own country.
pub(super) const AT_HOME: f64 = 0.97;

/// Registrations that begin as a draft.
pub(super) const DRAFTS: f64 = 0.12;
/// Drafts that are taken back.
pub(super) const DRAFTS_DROPPED: f64 = 0.2;
/// Deals that were brought in from the system before.
pub(super) const IMPORTED: f64 = 0.03;
/// Windows that would end before the deal does, which are extended.
pub(super) const EXTENDED: f64 = 0.35;
/// Open deals of which the amount or the day changes.
pub(super) const AMENDED: f64 = 0.25;
/// Open deals of which the vendor changes the scope.
pub(super) const RESCOPED: f64 = 0.01;
/// Open deals that a dispute gives to another partner.
pub(super) const DISPUTED: f64 = 0.004;
/// Closed deals that are opened again.
pub(super) const REOPENED: f64 = 0.02;
/// Closings that the vendor's CRM tells, some days late.
pub(super) const TOLD_BY_CRM: f64 = 0.15;
/// Refused registrations that are tried again.
pub(super) const RETRIED: f64 = 0.15;
/// Opportunities of the vendor's own for each registration.
pub(super) const OPPORTUNITIES: f64 = 0.03;

/// Partners that are there from the first day.
pub(super) const FOUNDING: f64 = 0.4;
/// Later applicants that are refused.
pub(super) const APPLICANTS_REFUSED: f64 = 0.08;
/// Partners that are suspended once.
pub(super) const SUSPENDED: f64 = 0.12;
/// Suspensions that end the contract.
pub(super) const TERMINATED: f64 = 0.3;
/// Partners that rise by a tier.
pub(super) const PROMOTED: f64 = 0.3;
/// Partners that change what they tell of themselves.
pub(super) const UPDATED: f64 = 0.4;

/// Deals in another currency than dollars, where the country has one.
pub(super) const OWN_CURRENCY: f64 = 0.2;
/// The least amount of a deal, in minor units, and how many times it the largest is, as an exponent.
pub(super) const LEAST_AMOUNT: f64 = 100_000.0;
pub(super) const AMOUNT_EXPONENT: f64 = 5.5;

/// Customers told without a domain: by a D-U-N-S number.
pub(super) const WITHOUT_DOMAIN: f64 = 0.002;
/// Customers told by their name alone.
pub(super) const BY_NAME: f64 = 0.002;
/// Customers told with the domain of another one.
pub(super) const WRONG_DOMAIN: f64 = 0.003;
/// Customers whose name is told with a slip.
pub(super) const MISSPELT: f64 = 0.05;
