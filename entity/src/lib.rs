//! One file per table: rows, and nothing else. Who may see a row is decided in `api::store`.
#![expect(clippy::disallowed_methods, reason = "made by sea-orm's macro")]

pub mod value;

pub mod account;
pub mod adequacy_norm;
pub mod agreement;
pub mod agreement_facility;
pub mod agreement_party;
pub mod agreement_program;
pub mod audit_event;
pub mod award;
pub mod award_program;
pub mod catalog_version;
pub mod claim;
pub mod distribution;
pub mod distribution_line;
pub mod facility;
pub mod facility_population;
pub mod gift;
pub mod gift_line;
pub mod gift_program;
pub mod idempotency;
pub mod identity;
pub mod instance;
pub mod item;
pub mod item_permission;
pub mod kit;
pub mod kit_line;
pub mod kit_version;
pub mod membership;
pub mod membership_facility;
pub mod organization;
pub mod outbox;
pub mod presence;
pub mod program;
pub mod program_site;
pub mod region;
pub mod statement;
pub mod stock_balance;
pub mod stock_day;
pub mod stock_entry;
pub mod stock_lot;
pub mod stock_lot_part;
pub mod stock_movement;
pub mod stock_place;
pub mod technique;
