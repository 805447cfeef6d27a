//! `umbral import`: all rows of a file are checked, then all are written, or none.

mod survey;

use std::{
    fmt::Write,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::{Args, Subcommand, ValueEnum};
use entity::value::OrganizationKind;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Failed, tool_config};
use crate::{
    config::{Config, Mode, Settings},
    import::{
        Encoding, Fault, FaultCode, Faults, Kind, MAX_BYTES, Reason, Rows, headers, read_into, reason,
        resolve_into, template,
    },
    serve,
    store::{
        Access, Store,
        catalog::Catalog,
        import::{Entries, Stopped},
    },
};

/// Whose rows they are in demo mode, when nothing is said.
const DEMO_ORGANIZATION: &str = "red-de-accion-carcelaria";

#[derive(Args, Debug)]
pub struct Import {
    #[command(subcommand)]
    holds: Holds,
}

/// What the file holds.
#[derive(Debug, Subcommand)]
enum Holds {
    /// Deliveries: one row for each line; rows with the same key are one delivery.
    #[command(after_help = columns(Kind::Distributions))]
    Distributions(Options),
    /// Facilities.
    #[command(after_help = columns(Kind::Facilities))]
    Facilities(RegistryOptions),
    /// Programs and the facilities where they take place.
    #[command(after_help = columns(Kind::Programs))]
    Programs(RegistryOptions),
    /// Items.
    #[command(after_help = columns(Kind::Items))]
    Items(RegistryOptions),
    /// Kits: one row for each item of a version.
    #[command(after_help = columns(Kind::Kits))]
    Kits(RegistryOptions),
    /// Goods that came in: one row for each line; rows with the same form number are one receipt.
    #[command(after_help = columns(Kind::Receipts))]
    Receipts(Options),
    /// Transfers and their arrivals, issues, losses and adjustments of stock, from paper forms.
    #[command(after_help = columns(Kind::Movements))]
    Movements(Options),
    /// A questionnaire of surveys, from an XLSForm workbook.
    Instrument(survey::InstrumentOptions),
    /// What women said in a round, from a table or from JSON of KoboToolbox or ODK.
    Responses(survey::ResponsesOptions),
}

#[derive(Args, Debug)]
struct Options {
    /// The CSV or XLSX file.
    #[arg(required_unless_present = "template")]
    file: Option<PathBuf>,
    #[command(flatten)]
    how: How,
    /// How the text of a CSV file is encoded.
    #[arg(long, value_enum, default_value_t = EncodingName::Utf8)]
    encoding: EncodingName,
    /// Print an empty file to fill in, and nothing else.
    #[arg(long)]
    template: bool,
}

/// What all imports are told.
#[derive(Args, Debug)]
struct How {
    /// Slug of the organisation that the rows belong to; may be left out when there is one operator only.
    #[arg(long)]
    organization: Option<String>,
    /// Check everything and say what would happen, but write nothing.
    #[arg(long)]
    dry_run: bool,
    /// The language of the report.
    #[arg(long, value_enum, default_value_t = Language::En)]
    lang: Language,
}

#[derive(Args, Debug)]
struct RegistryOptions {
    #[command(flatten)]
    options: Options,
    /// Publish the new entries; otherwise they are drafts, which only the organisation's own staff see.
    #[arg(long)]
    publish: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EncodingName {
    Utf8,
    /// Windows-1252, as older spreadsheets write it.
    Latin1,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    En,
    Es,
}

impl From<EncodingName> for Encoding {
    fn from(name: EncodingName) -> Self {
        match name {
            EncodingName::Utf8 => Self::Utf8,
            EncodingName::Latin1 => Self::Latin1,
        }
    }
}

impl Language {
    fn of(self, reason: &Reason) -> &str {
        match self {
            Self::En => &reason.en,
            Self::Es => &reason.es,
        }
    }

    fn failed(self, reason: &Reason) -> Failed {
        Failed(self.of(reason).to_owned())
    }
}

impl Import {
    pub async fn run(self, settings: Settings) -> Result<(), Failed> {
        let (kind, options, publish) = match self.holds {
            Holds::Distributions(options) => (Kind::Distributions, options, false),
            Holds::Facilities(registry) => (Kind::Facilities, registry.options, registry.publish),
            Holds::Programs(registry) => (Kind::Programs, registry.options, registry.publish),
            Holds::Items(registry) => (Kind::Items, registry.options, registry.publish),
            Holds::Kits(registry) => (Kind::Kits, registry.options, registry.publish),
            Holds::Receipts(options) => (Kind::Receipts, options, false),
            Holds::Movements(options) => (Kind::Movements, options, false),
            Holds::Instrument(options) => return options.run(settings).await,
            Holds::Responses(options) => return options.run(settings).await,
        };
        let path = match (&options.file, options.template) {
            (Some(path), false) => path,
            _ => {
                print!("{}", template(kind));
                return Ok(());
            }
        };
        let how = &options.how;
        let began = Instant::now();
        let bytes = read_file(path, how.lang)?;
        let config = tool_config(settings)?;
        let store = serve::open(&config).await?;
        let entries = if publish { Entries::Published } else { Entries::Drafts };
        let done = import(&store, &config, kind, &options, &bytes, entries).await;
        store.close().await;
        done?.report(how, began);
        Ok(())
    }
}

/// What a report counts: rows of the file, and the entries that they make.
struct Counts {
    rows: usize,
    created: usize,
    unchanged: usize,
}

impl Counts {
    fn report(self, how: &How, began: Instant) {
        let Self { rows, created, unchanged } = self;
        let seconds = format!("{:.1}", began.elapsed().as_secs_f64());
        let report = if how.dry_run {
            reason!(
                "{rows} rows read; {created} would be created, {unchanged} unchanged; nothing was written; \
                 {seconds} s",
                "{rows} filas leídas; se crearían {created}, sin cambios {unchanged}; no se escribió nada; \
                 {seconds} s"
            )
        } else {
            reason!(
                "{rows} rows read; {created} created, {unchanged} unchanged; {seconds} s",
                "{rows} filas leídas; {created} creadas, {unchanged} sin cambios; {seconds} s"
            )
        };
        println!("{}", how.lang.of(&report));
    }
}

async fn import(
    store: &std::sync::Arc<Store>,
    config: &Config,
    kind: Kind,
    options: &Options,
    bytes: &[u8],
    entries: Entries,
) -> Result<Counts, Failed> {
    let How { lang, dry_run, .. } = options.how;
    let owner = owner(&*store.catalog().await?, config, &options.how)?;
    let access = store.system(owner).await?;
    let mut faults = Faults::default();
    let Some(table) = read_into(bytes, kind, options.encoding.into(), &mut faults) else {
        return Err(refused(faults, lang));
    };
    let rows = count(&table.rows);
    let resolved = resolve_into(table, &access.import_registry(kind)?, access.today(), &mut faults);
    let plan = access.import_plan(resolved, &mut faults).await?;
    if !faults.is_empty() {
        return Err(refused(faults, lang));
    }
    let counts = Counts { rows, created: plan.created(), unchanged: plan.unchanged };
    if !dry_run && counts.created > 0 {
        write(&access, plan, bytes, entries).await.map_err(|stopped| stopped_by(stopped, lang))?;
    }
    Ok(counts)
}

async fn write(
    access: &Access,
    plan: crate::store::import::Plan,
    bytes: &[u8],
    entries: Entries,
) -> Result<(), Stopped> {
    let bar = bar(plan.created());
    let done = access.import_write(plan, &digest(bytes), entries, |done| bar.set_position(done as u64)).await;
    bar.finish_and_clear();
    done
}

/// A bar that shows how many of some entries are done.
fn bar(all: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(all as u64), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar
}

/// The SHA-256 of a file, in hexadecimal.
fn digest(bytes: &[u8]) -> String {
    let mut file = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(file, "{byte:02x}");
    }
    file
}

/// The organisation that the rows belong to.
fn owner(catalog: &Catalog, config: &Config, how: &How) -> Result<Uuid, Failed> {
    let open = || catalog.organizations.iter().filter(|entry| entry.row.archived_at.is_none());
    let named = |slug: &str| open().find(|entry| entry.row.slug == slug).map(|entry| entry.row.id);
    if let Some(slug) = &how.organization {
        return named(slug).ok_or_else(|| {
            let reason = reason!(
                "there is no organisation \"{slug}\"; nothing was written",
                "no existe la organización «{slug}»; no se escribió nada"
            );
            how.lang.failed(&reason)
        });
    }
    if let Some(id) = named(DEMO_ORGANIZATION).filter(|_| config.mode == Mode::Demo) {
        return Ok(id);
    }
    let operators: Vec<_> = open().filter(|entry| entry.row.kind == OrganizationKind::Operator).collect();
    match operators.as_slice() {
        [only] => Ok(only.row.id),
        [] => Err(how.lang.failed(&reason!(
            "there is no operator organisation; give --organization",
            "no hay ninguna organización operadora; indique --organization"
        ))),
        several => {
            let slugs: Vec<&str> = several.iter().map(|entry| entry.row.slug.as_str()).collect();
            let slugs = slugs.join(", ");
            Err(how.lang.failed(&reason!(
                "there are several operator organisations; give --organization, one of: {slugs}",
                "hay varias organizaciones operadoras; indique --organization, una de: {slugs}"
            )))
        }
    }
}

/// The file's bytes. That it is too large is found before they are read.
fn read_file(path: &Path, lang: Language) -> Result<Vec<u8>, Failed> {
    let fail = |fault: std::io::Error| Failed(format!("{}: {fault}", path.display()));
    let file = File::open(path).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    let most = MAX_BYTES as u64;
    if length > most {
        let (size, most) = (length >> 20, most >> 20);
        let reason = reason!(
            "The file has {size} MiB, more than {most}; import it in parts.",
            "El archivo pesa {size} MiB, más de {most}; impórtelo por partes."
        );
        let mut faults = Faults::default();
        faults.put(Fault { line: 1, column: None, code: FaultCode::TooLarge, reason });
        return Err(refused(faults, lang));
    }
    // A pipe has no length, and a file may grow: the parser refuses the one byte too many.
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

/// Says everything that is wrong, one fault a line.
fn refused(faults: Faults, lang: Language) -> Failed {
    let word = match lang {
        Language::En => "line",
        Language::Es => "línea",
    };
    refused_at(word, faults, lang)
}

/// As [`refused`], for files whose parts are not called lines.
fn refused_at(word: &str, faults: Faults, lang: Language) -> Failed {
    let faults = faults.into_list();
    for Fault { line, column, code, reason } in &faults {
        // The name of an unknown column is the file's own, and goes to a terminal.
        let column: String = column.iter().flat_map(|name| name.chars().take(40)).collect();
        let column = column.replace(char::is_control, "\u{FFFD}");
        let comma = if column.is_empty() { "" } else { ", " };
        eprintln!("{word} {line}{comma}{column}: {}: {}", code.name(), lang.of(reason));
    }
    let count = faults.len();
    lang.failed(&reason!("faults: {count}; nothing was written", "errores: {count}; no se escribió nada"))
}

fn stopped_by(stopped: Stopped, lang: Language) -> Failed {
    match stopped {
        Stopped::Taken => lang.failed(&reason!(
            "CONFLICT: somebody else has written one of these entries meanwhile; nothing was written, run it \
             again",
            "CONFLICT: entretanto alguien más escribió una de estas entradas; no se escribió nada, repítalo"
        )),
        Stopped::Changed => lang.failed(&reason!(
            "CONFLICT: the registry has changed meanwhile; nothing was written, run it again",
            "CONFLICT: entretanto cambió el registro; no se escribió nada, repítalo"
        )),
        Stopped::Fault(fault) => fault.into(),
    }
}

/// Rows of the file, header aside.
fn count(rows: &Rows) -> usize {
    match rows {
        Rows::Distributions(rows) => rows.iter().map(|row| row.lines.len()).sum(),
        Rows::Kits(rows) => rows.iter().map(|row| row.lines.len()).sum(),
        Rows::Forms(rows) => rows.iter().map(|row| row.lines.len()).sum(),
        _ => rows.len(),
    }
}

/// The columns of a kind of file, for `--help`.
fn columns(kind: Kind) -> String {
    let mut text = String::from("Columns, in any order (* must be there):\n");
    for header in headers(kind) {
        let star = if header.required { "*" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n  {}{star}  {}\n      {}\n      {}\n",
            header.name, header.hxl, header.meaning, header.meaning_es
        );
    }
    text.push_str("\nExit codes: 0 done, 1 refused or failed and nothing written, 2 wrong usage.\n");
    text
}
