//! What each role may do: (resource, action) pairs, in one table.

use std::sync::Arc;

use entity::value::Role;

/// Something that a role may do to a kind of thing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Right {
    RegistryReadDraft,
    RegistryWrite,
    RegistryPublish,
    /// To take a facility out of the sight of others than the organisation's staff, and to show it again.
    FacilityHide,
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
    /// A woman's code, stays and consent; not who she is.
    ParticipantRead,
    /// Who she is: names, birth date, documents and notes; and to look for her by these.
    ParticipantIdentify,
    ParticipantWrite,
    ParticipantErase,
    ParticipantMerge,
    /// To take everything that is held about a woman away in a file, for herself, and to see who has used her record.
    ParticipantExport,
    ConsentRecord,
    MaternityRead,
    MaternityWrite,
    /// To take a right that one does not hold, on one woman's record, for a stated reason and a short time.
    BreakGlassTake,
    BreakGlassReview,
    /// To write down what a woman asks about her data.
    RightsRequestRecord,
    /// To see the register of what women ask, and to answer it.
    RightsRequestAnswer,
    /// To say how long data are kept.
    RetentionSet,
    /// To read who did what when, and the head of the chain. It shows no content of any row.
    AuditRead,
    /// To write in the log that stewards look into.
    SafeguardingRecord,
    /// To read that log and close what is in it.
    SafeguardingRead,
    WorkshopWrite,
    /// Workshops and sessions, which name no woman.
    SessionRead,
    SessionRecord,
    /// A woman's enrolments, attendance and skills.
    EnrolmentRead,
    EnrolmentWrite,
    AttendanceRecord,
    SkillAttest,
    ProductWrite,
    ProductionRead,
    ProductionRecord,
    SaleRead,
    SaleRecord,
    PayoutRead,
    PayoutPolicyWrite,
    /// To work out runs, to pay them, and to record what women sign and take out of their savings.
    PayoutRun,
    /// To approve a run that somebody else has made.
    PayoutApprove,
    LegalRead,
    LegalWrite,
    /// Instruments and rounds of surveys.
    SurveyRead,
    SurveyWrite,
    /// To send in what women said in a round.
    ResponseRecord,
    /// To read what a woman said in a round.
    ResponseRead,
    /// How outcomes are defined, risk classes included.
    IndicatorRead,
    IndicatorWrite,
    /// To approve an indicator that somebody else has defined.
    IndicatorApprove,
    /// To see releases before they are published, and what reviewers said.
    ReleaseRead,
    /// To freeze women's data for a release, and to prepare it.
    ReleasePrepare,
    /// To read the report of a release, and to approve or reject it.
    ReleaseReview,
    /// To publish and to retract.
    ReleasePublish,
    /// To see who is a member of the organisation.
    MemberRead,
    /// To invite members, change what they may do, and end it.
    MemberWrite,
    /// To make service accounts and their keys, and end them.
    KeyWrite,
}

impl Right {
    pub const ALL: [Self; 71] = [
        Self::RegistryReadDraft,
        Self::RegistryWrite,
        Self::RegistryPublish,
        Self::FacilityHide,
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
        Self::ParticipantRead,
        Self::ParticipantIdentify,
        Self::ParticipantWrite,
        Self::ParticipantErase,
        Self::ParticipantMerge,
        Self::ParticipantExport,
        Self::ConsentRecord,
        Self::MaternityRead,
        Self::MaternityWrite,
        Self::BreakGlassTake,
        Self::BreakGlassReview,
        Self::RightsRequestRecord,
        Self::RightsRequestAnswer,
        Self::RetentionSet,
        Self::AuditRead,
        Self::SafeguardingRecord,
        Self::SafeguardingRead,
        Self::WorkshopWrite,
        Self::SessionRead,
        Self::SessionRecord,
        Self::EnrolmentRead,
        Self::EnrolmentWrite,
        Self::AttendanceRecord,
        Self::SkillAttest,
        Self::ProductWrite,
        Self::ProductionRead,
        Self::ProductionRecord,
        Self::SaleRead,
        Self::SaleRecord,
        Self::PayoutRead,
        Self::PayoutPolicyWrite,
        Self::PayoutRun,
        Self::PayoutApprove,
        Self::LegalRead,
        Self::LegalWrite,
        Self::SurveyRead,
        Self::SurveyWrite,
        Self::ResponseRecord,
        Self::ResponseRead,
        Self::IndicatorRead,
        Self::IndicatorWrite,
        Self::IndicatorApprove,
        Self::ReleaseRead,
        Self::ReleasePrepare,
        Self::ReleaseReview,
        Self::ReleasePublish,
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
            Self::FacilityHide => "FACILITY:HIDE",
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
            Self::ParticipantRead => "PARTICIPANT:READ",
            Self::ParticipantIdentify => "PARTICIPANT:IDENTIFY",
            Self::ParticipantWrite => "PARTICIPANT:WRITE",
            Self::ParticipantErase => "PARTICIPANT:ERASE",
            Self::ParticipantMerge => "PARTICIPANT:MERGE",
            Self::ParticipantExport => "PARTICIPANT:EXPORT",
            Self::ConsentRecord => "CONSENT:RECORD",
            Self::MaternityRead => "MATERNITY:READ",
            Self::MaternityWrite => "MATERNITY:WRITE",
            Self::BreakGlassTake => "BREAK_GLASS:TAKE",
            Self::BreakGlassReview => "BREAK_GLASS:REVIEW",
            Self::RightsRequestRecord => "RIGHTS_REQUEST:RECORD",
            Self::RightsRequestAnswer => "RIGHTS_REQUEST:ANSWER",
            Self::RetentionSet => "RETENTION:SET",
            Self::AuditRead => "AUDIT:READ",
            Self::SafeguardingRecord => "SAFEGUARDING:RECORD",
            Self::SafeguardingRead => "SAFEGUARDING:READ",
            Self::WorkshopWrite => "WORKSHOP:WRITE",
            Self::SessionRead => "SESSION:READ",
            Self::SessionRecord => "SESSION:RECORD",
            Self::EnrolmentRead => "ENROLMENT:READ",
            Self::EnrolmentWrite => "ENROLMENT:WRITE",
            Self::AttendanceRecord => "ATTENDANCE:RECORD",
            Self::SkillAttest => "SKILL:ATTEST",
            Self::ProductWrite => "PRODUCT:WRITE",
            Self::ProductionRead => "PRODUCTION:READ",
            Self::ProductionRecord => "PRODUCTION:RECORD",
            Self::SaleRead => "SALE:READ",
            Self::SaleRecord => "SALE:RECORD",
            Self::PayoutRead => "PAYOUT:READ",
            Self::PayoutPolicyWrite => "PAYOUT:SET_POLICY",
            Self::PayoutRun => "PAYOUT:RUN",
            Self::PayoutApprove => "PAYOUT:APPROVE",
            Self::LegalRead => "LEGAL:READ",
            Self::LegalWrite => "LEGAL:WRITE",
            Self::SurveyRead => "SURVEY:READ",
            Self::SurveyWrite => "SURVEY:WRITE",
            Self::ResponseRecord => "RESPONSE:RECORD",
            Self::ResponseRead => "RESPONSE:READ",
            Self::IndicatorRead => "INDICATOR:READ",
            Self::IndicatorWrite => "INDICATOR:WRITE",
            Self::IndicatorApprove => "INDICATOR:APPROVE",
            Self::ReleaseRead => "RELEASE:READ",
            Self::ReleasePrepare => "RELEASE:PREPARE",
            Self::ReleaseReview => "RELEASE:REVIEW",
            Self::ReleasePublish => "RELEASE:PUBLISH",
            Self::MemberRead => "MEMBER:READ",
            Self::MemberWrite => "MEMBER:WRITE",
            Self::KeyWrite => "KEY:WRITE",
        }
    }

    /// Whether it reaches women's records. No key of a service account holds such a right.
    pub fn is_of_records(self) -> bool {
        matches!(
            self,
            Self::ParticipantRead
                | Self::ParticipantIdentify
                | Self::ParticipantWrite
                | Self::ParticipantErase
                | Self::ParticipantMerge
                | Self::ParticipantExport
                | Self::ConsentRecord
                | Self::MaternityRead
                | Self::MaternityWrite
                | Self::BreakGlassTake
                | Self::BreakGlassReview
                | Self::RightsRequestRecord
                | Self::RightsRequestAnswer
                | Self::RetentionSet
                | Self::SafeguardingRead
                | Self::EnrolmentRead
                | Self::EnrolmentWrite
                | Self::AttendanceRecord
                | Self::SkillAttest
                | Self::ProductionRead
                | Self::ProductionRecord
                | Self::PayoutRead
                | Self::PayoutRun
                | Self::PayoutApprove
                | Self::LegalRead
                | Self::LegalWrite
                | Self::ResponseRecord
                | Self::ResponseRead
                | Self::ReleasePrepare
                | Self::ReleaseReview
                | Self::ReleasePublish
        )
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
                        | Self::ParticipantRead
                        | Self::ParticipantIdentify
                        | Self::ParticipantWrite
                        | Self::ConsentRecord
                        | Self::BreakGlassTake
                        | Self::RightsRequestRecord
                        | Self::SafeguardingRecord
                        | Self::SessionRead
                        | Self::SessionRecord
                        | Self::EnrolmentRead
                        | Self::EnrolmentWrite
                        | Self::AttendanceRecord
                        | Self::ProductionRead
                        | Self::ProductionRecord
                        | Self::SurveyRead
                        | Self::ResponseRecord
                )
            }
            Coordinator => matches!(
                self,
                Self::RegistryReadDraft
                    | Self::RegistryWrite
                    | Self::RegistryPublish
                    | Self::FacilityHide
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
                    | Self::ParticipantRead
                    | Self::ParticipantIdentify
                    | Self::ParticipantWrite
                    | Self::ParticipantMerge
                    | Self::ConsentRecord
                    | Self::MaternityRead
                    | Self::MaternityWrite
                    | Self::BreakGlassTake
                    | Self::RightsRequestRecord
                    | Self::SafeguardingRecord
                    | Self::WorkshopWrite
                    | Self::SessionRead
                    | Self::SessionRecord
                    | Self::EnrolmentRead
                    | Self::EnrolmentWrite
                    | Self::AttendanceRecord
                    | Self::SkillAttest
                    | Self::ProductWrite
                    | Self::ProductionRead
                    | Self::ProductionRecord
                    | Self::SaleRead
                    | Self::SaleRecord
                    | Self::PayoutRead
                    | Self::PayoutPolicyWrite
                    | Self::PayoutRun
                    | Self::PayoutApprove
                    | Self::LegalRead
                    | Self::LegalWrite
                    | Self::SurveyRead
                    | Self::SurveyWrite
                    | Self::ResponseRecord
                    | Self::ResponseRead
                    | Self::IndicatorRead
                    | Self::IndicatorWrite
                    | Self::IndicatorApprove
                    | Self::ReleaseRead
                    | Self::ReleasePrepare
                    | Self::ReleaseReview
            ),
            Steward => matches!(
                self,
                Self::RegistryReadDraft
                    | Self::RegistryPublish
                    | Self::FacilityHide
                    | Self::AgreementRead
                    | Self::AwardRead
                    | Self::DistributionRead
                    | Self::DistributionVerify
                    | Self::StockRead
                    | Self::GiftFollow
                    | Self::GiftAccount
                    | Self::ParticipantRead
                    | Self::ParticipantIdentify
                    | Self::ParticipantErase
                    | Self::ParticipantMerge
                    | Self::ParticipantExport
                    | Self::RightsRequestRecord
                    | Self::RightsRequestAnswer
                    | Self::RetentionSet
                    | Self::ConsentRecord
                    | Self::BreakGlassTake
                    | Self::BreakGlassReview
                    | Self::AuditRead
                    | Self::SafeguardingRecord
                    | Self::SafeguardingRead
                    | Self::SessionRead
                    | Self::EnrolmentRead
                    | Self::ProductionRead
                    | Self::SaleRead
                    | Self::PayoutRead
                    | Self::PayoutApprove
                    | Self::SurveyRead
                    | Self::IndicatorRead
                    | Self::IndicatorWrite
                    | Self::IndicatorApprove
                    | Self::ReleaseRead
                    | Self::ReleasePrepare
                    | Self::ReleaseReview
                    | Self::ReleasePublish
            ),
            Admin => matches!(
                self,
                Self::RegistryReadDraft
                    | Self::FacilityHide
                    | Self::AgreementRead
                    | Self::AgreementWrite
                    | Self::MemberRead
                    | Self::MemberWrite
                    | Self::KeyWrite
            ),
            Auditor => matches!(self, Self::AuditRead),
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
