//! Policies, runs, pay-outs and savings as objects.

use entity::{payout_deduction, payout_part, payout_rate, savings_withdrawal};

use super::{
    draw::{program, word},
    one,
};
use crate::{
    graphql::{
        award::Money,
        node::Node,
        participant,
        render::{Object, Writer, Written},
    },
    id::Kind,
    store::payout::{
        policy::Policy,
        read::{Payout, Run},
        savings,
    },
};

pub(super) fn policy(policy: &Policy, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let row = &policy.row;
    let currency = row.currency.as_str();
    match node.name {
        "id" => w.id(Kind::PayoutPolicy, row.id),
        "program" => program(node, w, row.program_id),
        "number" => w.int(row.number.into()),
        "validFrom" => w.date(row.valid_from),
        "currency" => w.str(currency),
        "basis" => w.word(&row.basis),
        "shareBasisPoints" => w.optional_int(row.share_basis_points.map(Into::into)),
        "paidFor" => word(w, row.paid_for.as_ref()),
        "rates" => w.list(node, &policy.rates, |w, rate| w.object(node, &Rate(rate, currency))),
        "deductions" => w.list(node, &policy.deductions, |w, one| w.object(node, &Deduction(one, currency))),
        "rounding" => w.word(&row.rounding),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

struct Rate<'a>(&'a payout_rate::Model, &'a str);

impl Object for Rate<'_> {
    fn type_name(&self) -> &str {
        "PayoutRate"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "product" => one(node, w, Kind::Product, self.0.product_id),
            "rate" => w.object(node, &Money { minor: self.0.rate_minor, currency: self.1 }),
            _ => w.absent(node),
        }
    }
}

struct Deduction<'a>(&'a payout_deduction::Model, &'a str);

impl Object for Deduction<'_> {
    fn type_name(&self) -> &str {
        "PayoutDeduction"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "kind" => w.word(&self.0.kind),
            "basisPoints" => w.optional_int(self.0.basis_points.map(Into::into)),
            "amount" => match self.0.amount_minor {
                Some(minor) => w.object(node, &Money { minor, currency: self.1 }),
                None => w.null(),
            },
            _ => w.absent(node),
        }
    }
}

pub(super) fn run(run: &Run, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let row = &run.row;
    let money = |w: &mut Writer<'_>, minor| w.object(node, &Money { minor, currency: &row.currency });
    match node.name {
        "id" => w.id(Kind::PayoutRun, row.id),
        "program" => program(node, w, row.program_id),
        "policy" => one(node, w, Kind::PayoutPolicy, row.policy_id),
        "currency" => w.str(&row.currency),
        "startsOn" => w.date(row.starts_on),
        "endsOn" => w.date(row.ends_on),
        "status" => w.word(&row.status),
        "sold" => money(w, row.sold_minor),
        "gross" => money(w, run.gross),
        "deductions" => money(w, run.deductions),
        "net" => money(w, run.net),
        "remainder" => money(w, row.remainder_minor),
        "women" => w.count(node, run.women),
        "acknowledged" => w.count(node, run.acknowledged),
        "reconciles" => w.bool(run.reconciles()),
        "paidOn" => w.optional_date(row.paid_on),
        "version" => w.int(row.version.into()),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

pub(super) fn payout(payout: &Payout, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let row = &payout.row;
    let currency = payout.currency.as_str();
    match node.name {
        "id" => w.id(Kind::Payout, row.id),
        "participant" => participant::one(node, w, row.participant_id),
        "participantCode" => w.str(&payout.code),
        "run" => one(node, w, Kind::PayoutRun, row.run_id),
        "gross" => w.object(node, &Money { minor: row.gross_minor, currency }),
        "deductions" => w.list(node, &payout.parts, |w, part| w.object(node, &Part(part, currency))),
        "net" => w.object(node, &Money { minor: row.net_minor, currency }),
        "acknowledgedOn" => w.optional_date(row.acknowledged_on),
        "method" => word(w, row.method.as_ref()),
        "version" => w.int(row.version.into()),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

struct Part<'a>(&'a payout_part::Model, &'a str);

impl Object for Part<'_> {
    fn type_name(&self) -> &str {
        "PayoutPart"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "kind" => w.word(&self.0.kind),
            "amount" => w.object(node, &Money { minor: self.0.amount_minor, currency: self.1 }),
            _ => w.absent(node),
        }
    }
}

pub(super) fn withdrawal(
    row: &savings_withdrawal::Model,
    code: &str,
    node: &Node<'_>,
    w: &mut Writer<'_>,
) -> Written {
    match node.name {
        "id" => w.id(Kind::SavingsWithdrawal, row.id),
        "participant" => participant::one(node, w, row.participant_id),
        "participantCode" => w.str(code),
        "amount" => w.object(node, &Money { minor: row.amount_minor, currency: &row.currency }),
        "withdrawnOn" => w.date(row.withdrawn_on),
        "reason" => w.word(&row.reason),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

/// What is kept for a woman in one currency.
pub(super) struct Savings<'a>(pub &'a savings::Savings);

impl Object for Savings<'_> {
    fn type_name(&self) -> &str {
        "Savings"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let minor = match node.name {
            "saved" => self.0.saved,
            "withdrawn" => self.0.withdrawn,
            "balance" => self.0.balance(),
            _ => return w.absent(node),
        };
        w.object(node, &Money { minor, currency: &self.0.currency })
    }
}
