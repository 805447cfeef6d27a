//! Gathers the rows about a woman from all tables that name her.

use std::collections::HashMap;

use entity::{
    attendance, break_glass, consent, custody_stay, dependant, distribution, distribution_recipient,
    enrolment, enrolment_step, instrument_version, legal_matter, maternity, payout, payout_part, payout_run,
    product, production_batch, production_maker, rights_request, savings_withdrawal, session, skill,
    survey_response, survey_round, value::Question, workshop,
};
use sea_orm::{
    DatabaseTransaction, EntityTrait, QueryFilter,
    sea_query::{Alias, Expr, ExprTrait},
};
use serde_json::Value;
use uuid::Uuid;

use super::{Cell, Section, amount, maybe, maybe_word, text, uses_of, word};
use crate::{
    error::Result,
    store::{Access, distribution::among_expr, survey::answer::Answer},
};

/// Gathers the rows about some women, which are one person.
pub(super) struct Gather<'a> {
    pub access: &'a Access,
    pub tx: &'a DatabaseTransaction,
    pub own: Uuid,
    pub women: Vec<Uuid>,
    pub language: &'a str,
}

impl Gather<'_> {
    /// All rows of a table that name her.
    async fn of_her<E: EntityTrait>(&self) -> Result<Vec<E::Model>> {
        self.named::<E>("participant_id", self.women.iter().copied()).await
    }

    /// Rows of the own organisation by their key.
    async fn by_id<E: EntityTrait>(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<E::Model>> {
        self.named::<E>("id", ids).await
    }

    /// Rows of the own organisation by the column that names something.
    #[expect(
        clippy::disallowed_methods,
        reason = "of a woman whom the caller has found in scope: her request is the right to it"
    )]
    async fn named<E: EntityTrait>(
        &self,
        name: &'static str,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<Vec<E::Model>> {
        let column = |name: &'static str| Expr::col((E::default(), Alias::new(name)));
        let rows =
            E::find().filter(column("organization_id").eq(self.own)).filter(among_expr(column(name), ids));
        Ok(rows.all(self.tx).await?)
    }

    fn facility(&self, id: Uuid) -> Cell {
        maybe(self.access.catalog.facilities.get(id).map(|entry| entry.row.name.clone()))
    }

    fn program(&self, id: Uuid) -> Cell {
        maybe(self.access.catalog.programs.get(id).map(|entry| entry.row.name.text(self.language)))
    }

    /// What is recorded of her person.
    pub async fn person(&self) -> Result<Vec<Section>> {
        let mut stays = self.of_her::<custody_stay::Entity>().await?;
        stays.sort_by_key(|row| row.starts_on);
        let stays = stays.iter().map(|row| {
            [
                self.facility(row.facility_id),
                text(row.starts_on),
                maybe(row.ends_on),
                maybe_word(row.ending.as_ref()),
            ]
        });
        let mut dependants = self.of_her::<dependant::Entity>().await?;
        dependants.sort_by_key(|row| row.position);
        let dependants = dependants.iter().map(|row| [word(&row.relation), word(&row.age_band)]);
        let mut maternity = self.of_her::<maternity::Entity>().await?;
        maternity.sort_by_key(|row| row.starts_on);
        let maternity =
            maternity.iter().map(|row| [word(&row.state), text(row.starts_on), maybe(row.ends_on)]);
        let mut consents = self.of_her::<consent::Entity>().await?;
        consents.sort_by_key(|row| (row.decided_on, row.recorded_at));
        let consents = consents.iter().map(|row| {
            [
                word(&row.purpose),
                word(&row.decision),
                text(row.decided_on),
                text(&row.notice_version),
                text(&row.language),
                word(&row.method),
            ]
        });
        let mut requests = self.of_her::<rights_request::Entity>().await?;
        requests.sort_by_key(|row| row.received_on);
        let requests = requests.iter().map(|row| {
            [
                word(&row.kind),
                maybe_word(row.purpose.as_ref()),
                word(&row.channel),
                text(row.received_on),
                text(row.answer_by),
                word(&row.status),
                maybe_word(row.ground.as_ref()),
                maybe(row.answered_on),
                maybe(row.fulfilled_on),
            ]
        });
        Ok(vec![
            Section::new("stays", ["facility", "startsOn", "endsOn", "ending"], stays),
            Section::new("dependants", ["relation", "ageBand"], dependants),
            Section::new("maternity", ["state", "startsOn", "endsOn"], maternity),
            Section::new(
                "consents",
                ["purpose", "decision", "decidedOn", "noticeVersion", "language", "method"],
                consents,
            ),
            Section::new(
                "rightsRequests",
                [
                    "kind",
                    "purpose",
                    "channel",
                    "receivedOn",
                    "answerBy",
                    "status",
                    "ground",
                    "answeredOn",
                    "fulfilledOn",
                ],
                requests,
            ),
        ])
    }

    /// What she takes part in, and what she was given.
    pub async fn work(&self) -> Result<Vec<Section>> {
        let mut enrolments = self.of_her::<enrolment::Entity>().await?;
        enrolments.sort_by_key(|row| row.starts_on);
        let steps =
            self.named::<enrolment_step::Entity>("enrolment_id", enrolments.iter().map(|row| row.id)).await?;
        let mut sessions_of = self.of_her::<attendance::Entity>().await?;
        let sessions = self.by_id::<session::Entity>(sessions_of.iter().map(|row| row.session_id)).await?;
        let sessions: HashMap<Uuid, &session::Model> = sessions.iter().map(|row| (row.id, row)).collect();
        sessions_of.sort_by_key(|row| sessions.get(&row.session_id).map(|session| session.starts_at));
        let named = enrolments.iter().filter_map(|row| row.workshop_id);
        let workshops = self.by_id::<workshop::Entity>(named).await?;
        let title = |id: Option<Uuid>| {
            let row = workshops.iter().find(|row| Some(row.id) == id);
            maybe(row.map(|row| row.title.text(self.language)))
        };
        let enrolled = enrolments.iter().flat_map(|row| {
            let of = steps.iter().filter(|step| step.enrolment_id == row.id);
            let mut of: Vec<_> = of.collect();
            of.sort_by_key(|step| step.position);
            let step = |step: &&enrolment_step::Model| {
                [self.program(row.program_id), title(row.workshop_id), word(&step.status), text(step.since)]
            };
            of.iter().map(step).collect::<Vec<_>>()
        });
        let attended = sessions_of.iter().map(|row| {
            let session = sessions.get(&row.session_id);
            [
                maybe(session.map(|session| session.starts_at.to_rfc3339())),
                session.map_or(Cell::Empty, |session| self.program(session.program_id)),
                session.map_or(Cell::Empty, |session| self.facility(session.facility_id)),
                word(&row.mark),
                maybe_word(row.reason.as_ref()),
                row.minutes.map_or(Cell::Empty, |minutes| Cell::Number(minutes.into())),
            ]
        });
        let mut skills = self.of_her::<skill::Entity>().await?;
        skills.sort_by_key(|row| row.attested_on);
        let skills = skills.iter().map(|row| [text(&row.technique), word(&row.level), text(row.attested_on)]);
        let mut matters = self.of_her::<legal_matter::Entity>().await?;
        matters.sort_by_key(|row| row.opened_on);
        let matters = matters.iter().map(|row| [text(row.opened_on), word(&row.stage), word(&row.outcome)]);
        let given = self.of_her::<distribution_recipient::Entity>().await?;
        let mut given =
            self.by_id::<distribution::Entity>(given.iter().map(|row| row.distribution_id)).await?;
        given.sort_by_key(|row| row.occurred_on);
        let given = given.iter().map(|row| {
            [
                text(row.occurred_on),
                self.facility(row.facility_id),
                self.program(row.program_id),
                maybe(row.voided_at.map(|at| at.to_rfc3339())),
            ]
        });
        Ok(vec![
            Section::new("enrolments", ["program", "workshop", "status", "since"], enrolled),
            Section::new(
                "attendance",
                ["startsAt", "program", "facility", "mark", "reason", "minutes"],
                attended,
            ),
            Section::new("skills", ["technique", "level", "attestedOn"], skills),
            Section::new("legalMatters", ["openedOn", "stage", "outcome"], matters),
            Section::new("deliveries", ["occurredOn", "facility", "program", "voidedAt"], given),
        ])
    }

    /// What she made, what she was paid for it and what is kept for her.
    pub async fn money(&self) -> Result<Vec<Section>> {
        let mut makers = self.of_her::<production_maker::Entity>().await?;
        let batches = self.by_id::<production_batch::Entity>(makers.iter().map(|row| row.batch_id)).await?;
        let products = self.by_id::<product::Entity>(batches.iter().map(|row| row.product_id)).await?;
        makers.sort_by_key(|maker| {
            batches.iter().find(|batch| batch.id == maker.batch_id).map(|batch| batch.made_on)
        });
        makers.sort_by_key(|maker| {
            batches.iter().find(|batch| batch.id == maker.batch_id).map(|batch| batch.made_on)
        });
        let made = makers.iter().filter_map(|maker| {
            let batch = batches.iter().find(|batch| batch.id == maker.batch_id)?;
            let product = products.iter().find(|product| product.id == batch.product_id);
            Some([
                text(batch.made_on),
                maybe(product.map(|product| product.name.text(self.language))),
                Cell::Number(batch.quantity.into()),
                Cell::Number(batch.rejected.into()),
                Cell::Number(maker.parts.into()),
            ])
        });
        let mut payouts = self.of_her::<payout::Entity>().await?;
        let runs = self.by_id::<payout_run::Entity>(payouts.iter().map(|row| row.run_id)).await?;
        let parts = self.named::<payout_part::Entity>("payout_id", payouts.iter().map(|row| row.id)).await?;
        let run_of = |row: &payout::Model| runs.iter().find(|run| run.id == row.run_id);
        payouts.sort_by_key(|row| run_of(row).map(|run| run.starts_on));
        let paid = payouts.iter().filter_map(|row| {
            let run = run_of(row)?;
            Some([
                self.program(run.program_id),
                text(run.starts_on),
                text(run.ends_on),
                word(&run.status),
                amount(row.gross_minor, &run.currency),
                amount(row.net_minor, &run.currency),
                text(&run.currency),
                maybe(run.paid_on),
                maybe(row.acknowledged_on),
                maybe_word(row.method.as_ref()),
            ])
        });
        let taken_off = parts.iter().filter_map(|part| {
            let run = run_of(payouts.iter().find(|row| row.id == part.payout_id)?)?;
            let sum = amount(part.amount_minor, &run.currency);
            Some([text(run.starts_on), text(run.ends_on), word(&part.kind), sum, text(&run.currency)])
        });
        let mut withdrawals = self.of_her::<savings_withdrawal::Entity>().await?;
        withdrawals.sort_by_key(|row| row.withdrawn_on);
        let withdrawn = withdrawals.iter().map(|row| {
            [
                text(row.withdrawn_on),
                amount(row.amount_minor, &row.currency),
                text(&row.currency),
                word(&row.reason),
            ]
        });
        Ok(vec![
            Section::new("production", ["madeOn", "product", "quantity", "rejected", "parts"], made),
            Section::new(
                "payouts",
                [
                    "program",
                    "startsOn",
                    "endsOn",
                    "status",
                    "gross",
                    "net",
                    "currency",
                    "paidOn",
                    "acknowledgedOn",
                    "method",
                ],
                paid,
            ),
            Section::new("deductions", ["startsOn", "endsOn", "kind", "amount", "currency"], taken_off),
            Section::new("savingsWithdrawals", ["withdrawnOn", "amount", "currency", "reason"], withdrawn),
        ])
    }

    /// What she said in surveys.
    pub async fn said(&self) -> Result<Vec<Section>> {
        let mut rows = self.of_her::<survey_response::Entity>().await?;
        rows.sort_by_key(|row| (row.answered_on, row.id));
        let rounds = self.by_id::<survey_round::Entity>(rows.iter().map(|row| row.round_id)).await?;
        let instruments = rounds.iter().map(|round| round.instrument_id);
        let versions = self.named::<instrument_version::Entity>("instrument_id", instruments).await?;
        let round_of = |id: Uuid| rounds.iter().find(|round| round.id == id);
        let (mut responses, mut said) = (Vec::new(), Vec::new());
        for (row, _, answers) in self.access.opened_answers(self.tx, rows, true).await? {
            let round = round_of(row.round_id);
            let name = maybe(round.map(|round| &round.code));
            let day = text(row.answered_on);
            let facility = self.facility(row.facility_id);
            responses.push([name.clone(), facility, day, word(&row.outcome), word(&row.channel)]);
            let asked = round.and_then(|round| {
                let of_round = |version: &&instrument_version::Model| {
                    version.instrument_id == round.instrument_id && version.number == round.instrument_version
                };
                versions.iter().find(of_round)
            });
            for answer in answers.transpose()?.into_iter().flatten() {
                let mut questions = asked.iter().flat_map(|version| &version.questions.0);
                let question = questions.find(|question| question.code == answer.question);
                let put =
                    question.map_or(answer.question.as_str(), |question| question.text.text(self.language));
                said.push([name.clone(), text(put), self.answer(question, &answer)]);
            }
        }
        Ok(vec![
            Section::new(
                "surveyResponses",
                ["round", "facility", "answeredOn", "outcome", "channel"],
                responses,
            ),
            Section::new("surveyAnswers", ["round", "question", "answer"], said),
        ])
    }

    /// An answer as she would say it.
    fn answer(&self, question: Option<&Question>, answer: &Answer) -> Cell {
        if let Some(missing) = answer.missing {
            return word(&missing);
        }
        if let Some(yes) = answer.yes {
            return Cell::Word(if yes { "YES" } else { "NO" }.to_owned());
        }
        if let Some(number) = answer.number {
            let unit = question.and_then(|question| question.unit.as_deref());
            return text(unit.map_or(number.to_string(), |unit| format!("{number} {unit}")));
        }
        let chosen = |code: &String| {
            let mut options = question.iter().flat_map(|question| &question.options);
            let option = options.find(|option| option.code == *code);
            option.map_or(code.clone(), |option| option.text.text(self.language).to_owned())
        };
        text(answer.options.iter().map(chosen).collect::<Vec<_>>().join("; "))
    }

    /// Who has used her record, by role: staff are not named to anybody.
    pub async fn uses(&self) -> Result<Vec<Section>> {
        let mut uses = uses_of(self.access, self.tx, self.women.iter().copied(), None).await?;
        // One reading can reach several records of hers.
        uses.dedup_by_key(|used| used.id);
        let uses = uses.into_iter().map(|used| {
            let fields = used.fields.as_ref().and_then(Value::as_array);
            let fields =
                fields.map(|fields| fields.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
            [
                text(used.recorded_at.to_rfc3339()),
                Cell::Word(used.role),
                Cell::Word(used.action),
                Cell::Word(used.entity),
                used.purpose.map_or(Cell::Empty, Cell::Word),
                maybe(fields),
            ]
        });
        let columns = ["recordedAt", "role", "action", "entity", "purpose", "fields"];
        let uses = Section::new("uses", columns, uses);
        let mut taken = self.of_her::<break_glass::Entity>().await?;
        taken.sort_by_key(|row| row.recorded_at);
        let taken = self.access.opened_reasons(self.tx, taken).await?.into_iter().map(|taken| {
            let (row, reason) = (taken.row, taken.reason.transpose()?);
            Ok([text(row.recorded_at.to_rfc3339()), text(row.ends_at.to_rfc3339()), maybe(reason)])
        });
        let taken = taken.collect::<Result<Vec<_>>>()?;
        Ok(vec![uses, Section::new("brokenGlass", ["takenAt", "endsAt", "reason"], taken)])
    }
}
