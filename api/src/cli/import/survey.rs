//! Questionnaires and responses of surveys.

use std::{path::PathBuf, sync::Arc, time::Instant};

use clap::Args;

use super::{
    Counts, EncodingName, How, Language, bar, digest, owner, read_file, refused, refused_at, stopped_by,
};
use crate::{
    auth::Right,
    cli::{Failed, tool_config},
    config::{Config, Settings},
    import::{Asked, Faults, Format, Names, Renamed, read_form, read_responses, reason, responses_template},
    serve,
    store::{
        Access, Store,
        record::Purpose,
        survey::import::{AskedIn, Imported},
    },
};

#[derive(Args, Debug)]
pub struct InstrumentOptions {
    /// The XLSForm workbook (.xlsx). In its sheet survey, the column umbral_risk says of each question MEMBERSHIP,
    /// SELF_REPORTED or RETALIATION.
    file: PathBuf,
    #[command(flatten)]
    how: How,
}

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct ResponsesOptions {
    /// The CSV, XLSX or JSON file.
    #[arg(required_unless_present = "template")]
    file: Option<PathBuf>,
    /// Code of the round.
    #[arg(long)]
    round: String,
    #[command(flatten)]
    how: How,
    /// How the text of a CSV file is encoded.
    #[arg(long, value_enum, default_value_t = EncodingName::Utf8)]
    encoding: EncodingName,
    /// Print the first row of a table for the round, and nothing else.
    #[arg(long)]
    template: bool,
    /// The column of the woman's code, where it is called otherwise.
    #[arg(long, value_name = "NAME")]
    participant_column: Option<String>,
    /// The column of the facility's slug, where it is called otherwise.
    #[arg(long, value_name = "NAME")]
    facility_column: Option<String>,
    /// The column of the outcome, where it is called otherwise.
    #[arg(long, value_name = "NAME")]
    outcome_column: Option<String>,
    /// Leave a column out; may be said several times.
    #[arg(long, value_name = "NAME")]
    pass_over: Vec<String>,
}

const AFTER_HELP: &str = "\
Columns of a table, in any order: client_id, a UUID that stays the same whenever a response is imported; participant_code, \
not in an anonymous round; facility; answered_on; outcome: ANSWERED, REFUSED, ABSENT, UNABLE or LEFT; form_number, not in \
an anonymous round, if any; and a column for each question, by its code. Yes and no, numbers, codes of options, with | \
between where there are several; REFUSED or DOES_NOT_KNOW where there is no answer.

Of JSON, _uuid or meta/instanceID is the id, today or _submission_time says the day, and umbral_participant, \
umbral_facility, umbral_outcome and umbral_form_number are questions of the form.

No report holds anything that stands in a cell.

Exit codes: 0 done, 1 refused or failed and nothing written, 2 wrong usage.";

impl InstrumentOptions {
    pub async fn run(self, settings: Settings) -> Result<(), Failed> {
        let began = Instant::now();
        let lang = self.how.lang;
        let bytes = read_file(&self.file, lang)?;
        let mut faults = Faults::default();
        let Some(form) = read_form(&bytes, &mut faults) else { return Err(refused(faults, lang)) };
        let config = tool_config(settings)?;
        let store = serve::open(&config).await?;
        let done = async {
            let rights = [Right::SurveyRead, Right::SurveyWrite];
            let access = acting(&store, &config, &self.how, &rights).await?;
            let file = digest(&bytes);
            Ok(access.import_instrument(&form, &file, self.how.dry_run, &mut faults).await?)
        };
        let done: Result<Imported, Failed> = done.await;
        store.close().await;
        let (created, unchanged) = match done? {
            Imported::Written => (1, 0),
            Imported::Unchanged => (0, 1),
            Imported::Refused => return Err(refused(faults, lang)),
        };
        Counts { rows: form.questions.len(), created, unchanged }.report(&self.how, began);
        Ok(())
    }
}

impl ResponsesOptions {
    pub async fn run(self, settings: Settings) -> Result<(), Failed> {
        let began = Instant::now();
        let path = self.file.as_ref().filter(|_| !self.template);
        let bytes = path.map(|path| read_file(path, self.how.lang)).transpose()?;
        let config = tool_config(settings)?;
        let store = serve::open(&config).await?;
        let done = self.done(&store, &config, bytes.as_deref()).await;
        store.close().await;
        if let Some(counts) = done? {
            counts.report(&self.how, began);
        }
        Ok(())
    }

    /// Imports the file, or prints the template.
    async fn done(
        &self,
        store: &Arc<Store>,
        config: &Config,
        bytes: Option<&[u8]>,
    ) -> Result<Option<Counts>, Failed> {
        // What it takes to send responses; not to read any.
        let rights = [Right::SurveyRead, Right::ResponseRecord, Right::ParticipantRead];
        let access = acting(store, config, &self.how, &rights).await?.asking(Some(Purpose::Service));
        let round = &self.round;
        let asked_in = access.asked_in(round).await?.ok_or_else(|| {
            self.how.lang.failed(&reason!(
                "there is no round \"{round}\"; nothing was written",
                "no existe la ronda «{round}»; no se escribió nada"
            ))
        })?;
        let named = asked_in.is_named();
        let asked = Asked { questions: &asked_in.questions, named, pass_over: &self.pass_over };
        let Some(bytes) = bytes else {
            print!("{}", responses_template(&asked));
            return Ok(None);
        };
        store.keep_records_with(Arc::new(serve::vault(config)?));
        self.import(&access, &asked_in, &asked, bytes).await.map(Some)
    }

    async fn import(
        &self,
        access: &Access,
        asked_in: &AskedIn,
        asked: &Asked<'_>,
        bytes: &[u8],
    ) -> Result<Counts, Failed> {
        let How { lang, dry_run, .. } = self.how;
        let format = Format::of(bytes);
        let renamed = Renamed {
            participant: self.participant_column.as_deref(),
            facility: self.facility_column.as_deref(),
            outcome: self.outcome_column.as_deref(),
        };
        let names = Names::of(format, renamed);
        let word = match (format, lang) {
            (Format::Table, Language::En) => "line",
            (Format::Table, Language::Es) => "línea",
            (Format::Json, Language::En) => "submission",
            (Format::Json, Language::Es) => "envío",
        };
        let mut faults = Faults::default();
        let found = read_responses(bytes, self.encoding.into(), asked, &names, &mut faults);
        let Some(found) = found else { return Err(refused_at(word, faults, lang)) };
        let checked = dry_run || !faults.is_empty();
        let plan = access.try_responses(asked_in, &found, &names, checked, &mut faults).await?;
        if !faults.is_empty() {
            return Err(refused_at(word, faults, lang));
        }
        let counts = Counts { rows: found.len(), created: plan.created(), unchanged: plan.unchanged };
        if !dry_run && counts.created > 0 {
            let bar = bar(counts.created);
            let done = access.write_responses(asked_in, plan, |done| bar.set_position(done as u64)).await;
            bar.finish_and_clear();
            done.map_err(|stopped| stopped_by(stopped, lang))?;
        }
        Ok(counts)
    }
}

/// The program, for the organisation that it is told and with what an import takes.
async fn acting(store: &Arc<Store>, config: &Config, how: &How, rights: &[Right]) -> Result<Access, Failed> {
    let owner = owner(&*store.catalog().await?, config, how)?;
    Ok(store.system_with(owner, rights).await?)
}
