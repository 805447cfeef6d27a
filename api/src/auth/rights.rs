//! What each role may do: (resource, action) pairs, in one table.

use std::sync::Arc;

use entity::value::Role;

/// Something that a role may do to a kind of thing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Right {
    RegistryReadDraft,
    RegistryWrite,
    RegistryPublish,
    AgreementRead,
    AgreementWrite,
    AwardRead,
    AwardWrite,
    DistributionRead,
    /// To plan deliveries and send goods for them.
    DistributionPlan,
    DistributionRecord,
    DistributionCorrect,
    DistributionVerify,
    DistributionVoid,
    /// To take all deliveries that one may read away in a file. A right of its own, because a file is no longer
    /// under any rule of ours: coordinators have it for their reports and partners for the operations rows that
    /// their agreements share with them. Field workers do not, whose devices get lost, nor stewards, who work on
    /// single rows; auditors read no deliveries at all.
    DistributionExport,
    /// To take the organisation's own registry away in files, drafts included.
    RegistryExport,
    StockRead,
    StockRecord,
    StockCorrect,
    StockSetUp,
    GiftFollow,
    GiftAccount,
    /// To see who is a member of the organisation.
    MemberRead,
    /// To invite members, change what they may do, and end it.
    MemberWrite,
    /// To make service accounts and their keys, and end them.
    KeyWrite,
}

impl Right {
    pub const ALL: [Self; 24] = [
        Self::RegistryReadDraft,
        Self::RegistryWrite,
        Self::RegistryPublish,
        Self::AgreementRead,
        Self::AgreementWrite,
        Self::AwardRead,
        Self::AwardWrite,
        Self::DistributionRead,
        Self::DistributionPlan,
        Self::DistributionRecord,
        Self::DistributionCorrect,
        Self::DistributionVerify,
        Self::DistributionVoid,
        Self::DistributionExport,
        Self::RegistryExport,
        Self::StockRead,
        Self::StockRecord,
        Self::StockCorrect,
        Self::StockSetUp,
        Self::GiftFollow,
        Self::GiftAccount,
        Self::MemberRead,
        Self::MemberWrite,
        Self::KeyWrite,
    ];

    /// As `RESOURCE:ACTION`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RegistryReadDraft => "REGISTRY:READ_DRAFT",
            Self::RegistryWrite => "REGISTRY:WRITE",
            Self::RegistryPublish => "REGISTRY:PUBLISH",
            Self::AgreementRead => "AGREEMENT:READ",
            Self::AgreementWrite => "AGREEMENT:WRITE",
            Self::AwardRead => "AWARD:READ",
            Self::AwardWrite => "AWARD:WRITE",
            Self::DistributionRead => "DISTRIBUTION:READ",
            Self::DistributionPlan => "DISTRIBUTION:PLAN",
            Self::DistributionRecord => "DISTRIBUTION:RECORD",
            Self::DistributionCorrect => "DISTRIBUTION:CORRECT",
            Self::DistributionVerify => "DISTRIBUTION:VERIFY",
            Self::DistributionVoid => "DISTRIBUTION:VOID",
            Self::DistributionExport => "DISTRIBUTION:EXPORT",
            Self::RegistryExport => "REGISTRY:EXPORT",
            Self::StockRead => "STOCK:READ",
            Self::StockRecord => "STOCK:RECORD",
            Self::StockCorrect => "STOCK:CORRECT",
            Self::StockSetUp => "STOCK:SET_UP",
            Self::GiftFollow => "GIFT:FOLLOW",
            Self::GiftAccount => "GIFT:ACCOUNT",
            Self::MemberRead => "MEMBER:READ",
            Self::MemberWrite => "MEMBER:WRITE",
            Self::KeyWrite => "KEY:WRITE",
        }
    }

    /// The table. A new role or right has to say yes or no here: nobody has a right by default.
    pub fn held_by(self, role: Role) -> bool {
        use Role::{Admin, Auditor, Coordinator, Donor, Field, Partner, Steward};
        match role {
            Donor => matches!(self, Self::AwardRead | Self::GiftFollow),
            Partner => matches!(
                self,
                Self::AgreementRead | Self::DistributionRead | Self::DistributionExport | Self::GiftFollow
            ),
            Field => {
                matches!(
                    self,
                    Self::RegistryReadDraft
                        | Self::DistributionRead
                        | Self::DistributionRecord
                        | Self::StockRead
                        | Self::StockRecord
                )
            }
            Coordinator => matches!(
                self,
                Self::RegistryReadDraft
                    | Self::RegistryWrite
                    | Self::RegistryPublish
                    | Self::AgreementRead
                    | Self::AwardRead
                    | Self::AwardWrite
                    | Self::DistributionRead
                    | Self::DistributionPlan
                    | Self::DistributionRecord
                    | Self::DistributionCorrect
                    | Self::DistributionVerify
                    | Self::DistributionVoid
                    | Self::DistributionExport
                    | Self::RegistryExport
                    | Self::StockRead
                    | Self::StockRecord
                    | Self::StockCorrect
                    | Self::StockSetUp
                    | Self::GiftFollow
            ),
            Steward => matches!(
                self,
                Self::RegistryReadDraft
                    | Self::RegistryPublish
                    | Self::AgreementRead
                    | Self::AwardRead
                    | Self::DistributionRead
                    | Self::DistributionVerify
                    | Self::StockRead
                    | Self::GiftFollow
                    | Self::GiftAccount
            ),
            Admin => matches!(
                self,
                Self::RegistryReadDraft
                    | Self::AgreementRead
                    | Self::AgreementWrite
                    | Self::MemberRead
                    | Self::MemberWrite
                    | Self::KeyWrite
            ),
            Auditor => false,
        }
    }
}

/// In the order in which they act: an account with several roles in one organisation has the last of them.
pub const ROLES: [Role; 7] =
    [Role::Auditor, Role::Donor, Role::Partner, Role::Field, Role::Admin, Role::Steward, Role::Coordinator];

/// The name of a role as the command line and the database write it.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Donor => "DONOR",
        Role::Partner => "PARTNER",
        Role::Field => "FIELD",
        Role::Coordinator => "COORDINATOR",
        Role::Steward => "STEWARD",
        Role::Admin => "ADMIN",
        Role::Auditor => "AUDITOR",
    }
}

/// The rights of these names. One that there is no more gives nothing.
pub fn named(names: &[String]) -> Arc<[Right]> {
    Right::ALL.into_iter().filter(|right| names.iter().any(|name| name == right.name())).collect()
}

/// The table as a person reads it: a line per right, a column per role.
pub fn table() -> String {
    let mut text = format!("{:<24}", "");
    for role in ROLES {
        text.push_str(&format!("{:<13}", role_name(role)));
    }
    for right in Right::ALL {
        text.push_str(&format!("\n{:<24}", right.name()));
        for role in ROLES {
            text.push_str(&format!("{:<13}", if right.held_by(role) { "yes" } else { "-" }));
        }
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
