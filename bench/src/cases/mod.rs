//! What is asked: of Umbral as GraphQL, of the servers written by hand at a path of its own.

mod documents;
mod samples;

use clap::ValueEnum;

pub use self::samples::{Device, ORGANIZATION, PARTNER, Samples};

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Name {
    /// The first 50 deliveries of a facility, with facility, program and lines with items.
    Page,
    /// 20 facilities with programs, and the first 10 deliveries of each with lines.
    Nested,
    /// Units by facility and month over a year.
    Stats,
    /// The same of one item, also inside kits.
    StatsItem,
    /// One delivery by id, with lines.
    One,
    /// What lies at the store of a facility: each lot that is not used up.
    Stock,
    /// 50 women with who they are and their enrolments.
    Women,
    /// Who was at a session: 40 women.
    Attendance,
    /// 100 changes with what they are of, from the midst of a device's first walk.
    Changes,
    /// A device asks again, and nothing has changed.
    Unchanged,
    /// A delivery recorded, with three lines.
    Record,
    /// What a device sends that was away: 500 deliveries with three lines each.
    Sync,
}

/// How many rows a device sends at once.
pub const SYNCED: usize = 500;
/// More devices than that do not come back at the same moment.
const MOST_DEVICES: usize = 4;

impl Name {
    /// What writes comes last, so that all else reads the same rows in every run.
    pub const ALL: [Self; 12] = [
        Self::Page,
        Self::Nested,
        Self::Stats,
        Self::StatsItem,
        Self::One,
        Self::Stock,
        Self::Women,
        Self::Attendance,
        Self::Changes,
        Self::Unchanged,
        Self::Record,
        Self::Sync,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Self::Page => "first page",
            Self::Nested => "nested",
            Self::Stats => "statistics",
            Self::StatsItem => "statistics of an item",
            Self::One => "single row",
            Self::Stock => "stock on hand",
            Self::Women => "women, a page",
            Self::Attendance => "attendance",
            Self::Changes => "changes, a page",
            Self::Unchanged => "changes, none",
            Self::Record => "mutation",
            Self::Sync => "sync, each row",
        }
    }

    /// How many of the servers answer it: Umbral, then the best by hand, then the usual by hand.
    pub fn servers(self) -> usize {
        match self {
            Self::Changes | Self::Unchanged => 1,
            Self::Stock | Self::Women | Self::Attendance | Self::Sync => 2,
            _ => 3,
        }
    }

    /// How many rows a request is about, where figures are for each of them.
    pub fn rows(self) -> usize {
        if self == Self::Sync { SYNCED } else { 1 }
    }

    /// How many connections it is asked on, of those that were wished for.
    pub fn connections(self, wished: &[usize]) -> Vec<usize> {
        let most = if self == Self::Sync { MOST_DEVICES } else { usize::MAX };
        let mut connections: Vec<usize> = wished.iter().map(|wished| (*wished).min(most)).collect();
        connections.dedup();
        connections
    }

    /// Whether it is about women, for which Umbral wants to be told a purpose.
    pub fn of_women(self) -> bool {
        matches!(self, Self::Women | Self::Attendance)
    }

    pub fn writes(self) -> bool {
        matches!(self, Self::Record | Self::Sync)
    }

    fn path(self) -> &'static str {
        match self {
            Self::Page => "/page",
            Self::Nested => "/nested",
            Self::Stats | Self::StatsItem => "/stats",
            Self::One => "/one",
            Self::Stock => "/stock",
            Self::Women => "/women",
            Self::Attendance => "/attendance",
            // Umbral alone answers these.
            Self::Changes | Self::Unchanged => "/",
            Self::Record => "/record",
            Self::Sync => "/sync",
        }
    }

    fn document(self) -> &'static str {
        match self {
            Self::Page => documents::PAGE,
            Self::Nested => documents::NESTED,
            Self::Stats | Self::StatsItem => documents::STATS,
            Self::One => documents::ONE,
            Self::Stock => documents::STOCK,
            Self::Women => documents::WOMEN,
            Self::Attendance => documents::ATTENDANCE,
            Self::Changes | Self::Unchanged => documents::CHANGES,
            Self::Record => documents::RECORD,
            Self::Sync => documents::SYNC,
        }
    }
}

/// Which of the servers is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    Umbral,
    Hand,
}
