//! The mutations of programs at work and of pay-outs.

use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{
    error::Error,
    graphql::mutation::{Done, Input, Subject},
    id::Kind,
    store::{
        Access,
        input::{At, Once, Written},
        payout::{
            acknowledge::AcknowledgePayout,
            policy::CreatePayoutPolicy,
            run::{CreatePayoutRun, PayPayoutRun},
            savings::RecordSavingsWithdrawal,
        },
        work::{
            enrolment::{ChangeEnrolment, Enrol},
            legal::{ChangeLegalMatter, OpenLegalMatter},
            production::{CreateProduct, RecordProduction},
            sale::{RecordSale, ReverseSale},
            session::{CreateSession, UpdateSession},
            skill::AttestSkill,
            workshop::{CreateWorkshop, UpdateWorkshop},
        },
    },
};

/// Reads an input that makes something.
fn new<T: DeserializeOwned>(input: &Input, name: &str, with: impl FnOnce(T, Once) -> T) -> Result<T, Error> {
    Ok(with(input.read()?, input.once(name)?))
}

/// Reads an input that changes something.
fn change<T: DeserializeOwned>(input: &Input, with: impl FnOnce(T, At) -> T) -> Result<T, Error> {
    Ok(with(input.read()?, input.at("id")?))
}

/// Runs one of the mutations.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    if let Some((kind, made)) = make(access, name, input).await? {
        return Ok(made.map(|id| Subject::Work(kind, id)));
    }
    let validate_only = input.validate_only();
    match name {
        "updateWorkshop" => {
            access.update_workshop(change(input, |one, at| UpdateWorkshop { at, ..one })?).await?
        }
        "cancelWorkshop" => access.cancel_workshop(input.at("id")?, validate_only).await?,
        "updateSession" => {
            access.update_session(change(input, |one, at| UpdateSession { at, ..one })?).await?
        }
        "cancelSession" => access.cancel_session(input.at("id")?, validate_only).await?,
        "changeEnrolment" => {
            access.change_enrolment(change(input, |one, at| ChangeEnrolment { at, ..one })?).await?
        }
        "changeLegalMatter" => {
            access.change_legal_matter(change(input, |one, at| ChangeLegalMatter { at, ..one })?).await?
        }
        "approvePayoutRun" => access.approve_payout_run(input.at("id")?, validate_only).await?,
        "payPayoutRun" => access.pay_payout_run(change(input, |one, at| PayPayoutRun { at, ..one })?).await?,
        "voidPayoutRun" => access.void_payout_run(input.at("id")?, validate_only).await?,
        "acknowledgePayout" => {
            access.acknowledge_payout(change(input, |one, at| AcknowledgePayout { at, ..one })?).await?
        }
        _ => return Err(Error::Internal(format!("no mutation {name}")).into()),
    }
    Ok(input.subject())
}

/// Those that make something; none for all others.
pub(super) async fn make(
    access: &Access,
    name: &str,
    input: &Input,
) -> Written<Option<(Kind, Option<Uuid>)>> {
    Ok(Some(match name {
        "createWorkshop" => {
            let made = access.create_workshop(new(input, name, |one, once| CreateWorkshop { once, ..one })?);
            (Kind::Workshop, made.await?)
        }
        "createSession" => {
            let made = access.create_session(new(input, name, |one, once| CreateSession { once, ..one })?);
            (Kind::Session, made.await?)
        }
        "enrol" => {
            let made = access.enrol(new(input, name, |one, once| Enrol { once, ..one })?);
            (Kind::Enrolment, made.await?)
        }
        "attestSkill" => {
            let made = access.attest_skill(new(input, name, |one, once| AttestSkill { once, ..one })?);
            (Kind::Skill, made.await?)
        }
        "createProduct" => {
            let made = access.create_product(new(input, name, |one, once| CreateProduct { once, ..one })?);
            (Kind::Product, made.await?)
        }
        "recordProduction" => {
            let made =
                access.record_production(new(input, name, |one, once| RecordProduction { once, ..one })?);
            (Kind::ProductionBatch, made.await?)
        }
        "recordSale" => {
            let made = access.record_sale(new(input, name, |one, once| RecordSale { once, ..one })?);
            (Kind::Sale, made.await?)
        }
        "reverseSale" => {
            let made = access.reverse_sale(new(input, name, |one, once| ReverseSale { once, ..one })?);
            (Kind::Sale, made.await?)
        }
        "openLegalMatter" => {
            let made =
                access.open_legal_matter(new(input, name, |one, once| OpenLegalMatter { once, ..one })?);
            (Kind::LegalMatter, made.await?)
        }
        "createPayoutPolicy" => {
            let made = access
                .create_payout_policy(new(input, name, |one, once| CreatePayoutPolicy { once, ..one })?);
            (Kind::PayoutPolicy, made.await?)
        }
        "createPayoutRun" => {
            let made =
                access.create_payout_run(new(input, name, |one, once| CreatePayoutRun { once, ..one })?);
            (Kind::PayoutRun, made.await?)
        }
        "recordSavingsWithdrawal" => {
            let input = new(input, name, |one, once| RecordSavingsWithdrawal { once, ..one })?;
            (Kind::SavingsWithdrawal, access.record_savings_withdrawal(input).await?)
        }
        _ => return Ok(None),
    }))
}
