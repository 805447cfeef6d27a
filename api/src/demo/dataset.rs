//! The rows of the demonstration, deliveries aside, table by table.

use entity::*;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// One list for each table, in an order in which they can be written: a row only points to lists before it.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    pub regions: Vec<region::Model>,
    pub techniques: Vec<technique::Model>,
    pub organizations: Vec<organization::Model>,
    pub statements: Vec<statement::Model>,
    pub claims: Vec<claim::Model>,
    pub facilities: Vec<facility::Model>,
    pub presences: Vec<presence::Model>,
    pub programs: Vec<program::Model>,
    pub program_sites: Vec<program_site::Model>,
    pub items: Vec<item::Model>,
    pub kits: Vec<kit::Model>,
    pub kit_versions: Vec<kit_version::Model>,
    pub kit_lines: Vec<kit_line::Model>,
    pub agreements: Vec<agreement::Model>,
    pub agreement_parties: Vec<agreement_party::Model>,
    pub agreement_facilities: Vec<agreement_facility::Model>,
    pub agreement_programs: Vec<agreement_program::Model>,
    pub awards: Vec<award::Model>,
    pub award_programs: Vec<award_program::Model>,
    pub gifts: Vec<gift::Model>,
    pub gift_programs: Vec<gift_program::Model>,
    pub gift_lines: Vec<gift_line::Model>,
    pub accounts: Vec<account::Model>,
    pub identities: Vec<identity::Model>,
    pub memberships: Vec<membership::Model>,
    pub membership_facilities: Vec<membership_facility::Model>,
}

/// The id of a demonstration row, which follows from its name: the same on every machine, so that examples
/// in documents can quote it. It has the form of a random one.
pub fn id_of(table: &str, key: &str) -> Uuid {
    let digest = Sha256::digest(format!("{table}:{key}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_random_bytes(bytes).into_uuid()
}
