//! `umbral import` beside a running server, as an operator runs it.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Command, Output},
};

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tests::{DemoApp, Folder, Socket, both, catalogue, program};

const OPERATOR: &str = "red-de-accion-carcelaria";

const DELIVERIES: &str = "key,facility,program,occurred_on,people_reached,reach_method,item,kit,kit_version,quantity,line_people_reached\n";

/// Two deliveries that outsiders may see, the first with two lines, and one that is too small for them.
const GOOD: &str = "\
acta-1,cpf-talca,kits-de-higiene,2024-03-08,60,COUNTED,,hygiene-kit,,60,
acta-1,cpf-talca,kits-de-higiene,2024-03-08,60,COUNTED,soap,,,120,40
acta-2,cpf-temuco,kits-de-higiene,2024-03-09,30,ESTIMATED_PER_KIT,,hygiene-kit,1,30,
acta-3,cpf-temuco,insumos-basicos,2024-03-10,4,COUNTED,blanket,,,4,
";

/// The program, which the operator runs, next to the tests.
/// What an operator has at hand: the program, the address of the database and some files.
struct Operator<'a> {
    app: &'a DemoApp,
    files: Folder,
}

impl<'a> Operator<'a> {
    fn of(app: &'a DemoApp) -> Self {
        Self { app, files: Folder::new() }
    }

    fn file(&self, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.files.path().join("file.csv");
        fs::write(&path, bytes).unwrap();
        path
    }

    /// `umbral import` with these arguments and a file with this content.
    async fn import(&self, arguments: &[&str], bytes: impl AsRef<[u8]>) -> Done {
        let path = self.file(bytes).display().to_string();
        self.umbral(&[arguments, &[path.as_str()]].concat()).await
    }

    async fn umbral(&self, arguments: &[&str]) -> Done {
        let mut command = Command::new(program());
        command
            .arg("import")
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", &self.app.database.url)
            .env("UMBRAL_MODE", "demo")
            .env("UMBRAL_DATA_DIR", self.files.path());
        Done::from(tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap())
    }

    /// How many rows each table has, and what the kits and the keys are.
    async fn everything(&self) -> Vec<(String, i64)> {
        let db = self.app.database.connect().await;
        let mut counts = Vec::new();
        for table in catalogue::tables(&db).await.into_keys() {
            counts.push((table.clone(), number(&db, &format!("SELECT count(*) AS n FROM {table}")).await));
        }
        let versions = "SELECT CAST(sum(version) AS bigint) AS n FROM kit";
        counts.push(("versions of kits".into(), number(&db, versions).await));
        db.close().await.unwrap();
        counts
    }

    async fn count(&self, of: &str) -> i64 {
        let db = self.app.database.connect().await;
        let count = number(&db, &format!("SELECT count(*) AS n FROM {of}")).await;
        db.close().await.unwrap();
        count
    }
}

async fn number(db: &sea_orm::DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

/// How the program ended, and what it said.
#[derive(Debug)]
struct Done {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    #[track_caller]
    fn says(&self, text: &str) {
        assert_eq!(self.code, 0, "{self:?}");
        assert!(self.out.contains(text), "{text:?} expected: {self:?}");
    }

    /// Refused, with this at the beginning of a line of what it said.
    #[track_caller]
    fn refuses(&self, fault: &str) {
        assert_eq!(self.code, 1, "{fault}: {self:?}");
        assert!(self.err.lines().any(|line| line.starts_with(fault)), "{fault:?} expected: {self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
    }
}

both!(
    async fn deliveries_are_told_to_those_who_listen(app: &DemoApp) {
        let mut staff = Socket::of(app.address, &app.token(&format!("demo:coordinator:{OPERATOR}"))).await;
        let document = "subscription { distributionRecorded { distribution { peopleReached } } }";
        staff.subscribe("s", document, Value::Null).await;
        let done = Operator::of(app).import(&["distributions"], format!("{DELIVERIES}{GOOD}")).await;
        done.says("4 rows read; 3 created, 0 unchanged;");
        for people in [60, 30, 4] {
            let event = staff.event("s").await;
            assert_eq!(event["distributionRecorded"]["distribution"]["peopleReached"], json!(people));
        }
    }
);

both!(
    async fn deliveries_are_in_the_next_answer(app: &DemoApp) {
        let operator = Operator::of(app);
        let staff = app.member("coordinator", OPERATOR);
        let partner = app.member("partner", "demo-partner-network");
        let question = "{ distributions(first: 10, filter: {occurredOn: {from: \"2024-03-08\", to: \"2024-03-10\"}}) {
            totalCount nodes { occurredOn status peopleReached facility { slug } lines { quantity item { code } kit { code } } } } }";
        let total = async |client: &tests::Client| {
            client.query(question, Value::Null).await.data()["distributions"]["totalCount"].as_i64().unwrap()
        };
        let (before, before_outside) = (total(&staff).await, total(&partner).await);

        let done = operator.import(&["distributions"], format!("{DELIVERIES}{GOOD}")).await;
        done.says("4 rows read; 3 created, 0 unchanged;");
        assert_eq!(total(&staff).await, before + 3);
        // The partner's agreement decides about facilities; the small delivery exists for no outsider.
        assert!(total(&partner).await <= before_outside + 2);
        let answer = staff.query(question, Value::Null).await;
        let nodes = answer.data()["distributions"]["nodes"].as_array().unwrap().clone();
        assert!(
            nodes.contains(&json!({
                "occurredOn": "2024-03-08", "status": "DELIVERED", "peopleReached": 60,
                "facility": { "slug": "cpf-talca" },
                "lines": [
                    { "quantity": 60, "item": null, "kit": { "code": "hygiene-kit" } },
                    { "quantity": 120, "item": { "code": "soap" }, "kit": null },
                ],
            })),
            "{answer}"
        );
        assert_eq!(
            operator.count("distribution WHERE import_key = 'acta-1' AND class = 'OPERATIONS'").await,
            1
        );
        assert_eq!(operator.count("distribution WHERE import_key = 'acta-3' AND class = 'RECORDS'").await, 1);
        assert_eq!(
            operator.count("distribution WHERE import_key IS NOT NULL AND recorded_by IS NULL").await,
            3
        );
        assert_eq!(
            operator
                .count(
                    "audit_event WHERE action = 'IMPORT' AND entity = 'distribution' AND entity_version = 1"
                )
                .await,
            3
        );

        let all = operator.everything().await;
        // Lines in another order, and other marks between cells, are the same file to a person.
        let again = format!("\u{FEFF}{DELIVERIES}{GOOD}").replace(',', ";");
        operator.import(&["distributions"], again).await.says("0 created, 3 unchanged;");
        assert_eq!(operator.everything().await, all);
    }
);

both!(
    async fn a_registry_is_built_from_files(app: &DemoApp) {
        let operator = Operator::of(app);
        let staff = app.member("coordinator", OPERATOR);
        let facilities = "slug,name,aliases,region,municipality,kind\nlos-aromos,Los Aromos,Aromos|CPF Los Aromos,CL-RM,,WOMEN_PRISON\n";
        let items = "code,name_es,name_en,unit,sensitivity\npeine,Peine,Comb,piece,GENERAL\nvitaminas,Vitaminas prenatales,,box,SENSITIVE\n";
        let kits = "code,version,valid_from,name_es,item,quantity\n\
            aseo,1,2024-01-01,Kit de aseo,peine,1\naseo,1,2024-01-01,Kit de aseo,soap,2\n";
        let programs = "slug,name_es,areas,starts_on,facilities\n\
            bienvenida,Bienvenida,BASIC_SUPPLIES,2024-01-01,los-aromos|cpf-talca\n\
            primeros-pasos,Primeros pasos,MATERNITY,2024-01-01,los-aromos\n";
        let deliveries = format!(
            "{DELIVERIES}b-1,los-aromos,bienvenida,2024-05-02,50,COUNTED,,aseo,,50,\nb-2,los-aromos,primeros-pasos,2024-05-02,50,COUNTED,peine,,,50,\n"
        );

        operator.import(&["facilities", "--publish"], facilities).await.says("1 rows read; 1 created");
        operator.import(&["items", "--publish"], items).await.says("2 created");
        operator.import(&["kits", "--publish"], kits).await.says("2 rows read; 1 created");
        operator.import(&["programs", "--publish"], programs).await.says("2 created");
        operator.import(&["distributions"], &deliveries).await.says("2 created");

        let question = "{ facility(slug: \"los-aromos\") { name aliases region { iso }
            distributions(first: 5) { nodes { program { slug } lines { items { quantity item { code } } } } } }
            program(organization: \"red-de-accion-carcelaria\", slug: \"bienvenida\") { name { text } facilities { slug } } }";
        let answer = staff.query(question, Value::Null).await;
        assert_eq!(answer.data()["facility"]["name"], "Los Aromos", "{answer}");
        assert_eq!(answer.data()["program"]["name"]["text"], "Bienvenida", "{answer}");
        assert_eq!(operator.count("program WHERE slug = 'primeros-pasos' AND sensitivity = 'SENSITIVE' AND outside_from IS NOT NULL AND published_at IS NOT NULL").await, 1);
        assert_eq!(operator.count("item WHERE code = 'peine' AND outside_from IS NULL").await, 1);
        assert_eq!(operator.count("distribution WHERE import_key = 'b-1' AND class = 'OPERATIONS'").await, 1);
        assert_eq!(operator.count("distribution WHERE import_key = 'b-2' AND class = 'RECORDS'").await, 1);

        let all = operator.everything().await;
        for (kind, text) in
            [("facilities", facilities), ("items", items), ("kits", kits), ("programs", programs)]
        {
            operator.import(&[kind], text).await.says("0 created");
        }
        operator.import(&["distributions"], &deliveries).await.says("0 created, 2 unchanged");
        assert_eq!(operator.everything().await, all);

        // A version that is later is new, and the delivery that names none stays what it was.
        let second =
            "code,version,valid_from,name_es,item,quantity\naseo,2,2024-05-01,Kit de aseo,vitaminas,1\n";
        operator.import(&["kits"], second).await.says("1 created, 0 unchanged");
        assert_eq!(operator.count("kit WHERE code = 'aseo' AND version = 2 AND sensitivity = 'SENSITIVE' AND outside_face IS NOT NULL").await, 1);
        assert_eq!(
            operator
                .count("audit_event WHERE action = 'IMPORT' AND entity = 'kit' AND entity_version = 2")
                .await,
            1
        );
        operator.import(&["distributions"], &deliveries).await.says("0 created, 2 unchanged");
        operator.import(&["kits"], second).await.says("0 created, 1 unchanged");
    }
);

both!(
    async fn what_contradicts_is_refused(app: &DemoApp) {
        let operator = Operator::of(app);
        operator.import(&["distributions"], format!("{DELIVERIES}{GOOD}")).await.says("3 created");
        let all = operator.everything().await;
        let changed = format!("{DELIVERIES}{GOOD}")
            .replace("COUNTED,soap,,,120", "COUNTED,soap,,,121")
            .replace("2024-03-10,4", "2024-03-11,4");
        let done = operator.import(&["distributions"], &changed).await;
        done.refuses("line 3, quantity: CONFLICT: ");
        done.refuses("line 5, occurred_on: CONFLICT: ");
        assert!(done.err.contains("faults: 2; nothing was written"), "{done:?}");
        // A line less is another delivery too.
        let fewer = format!("{DELIVERIES}{}", GOOD.split_inclusive('\n').next().unwrap());
        operator.import(&["distributions"], fewer).await.refuses("line 2, key: CONFLICT: ");
        let spanish = operator.import(&["distributions", "--lang", "es"], &changed).await;
        spanish.refuses("línea 3, quantity: CONFLICT: “acta-1” ya existe");

        for (kind, text, fault) in [
            (
                "facilities",
                "slug,name,region,kind\ncpf-talca,Otra cárcel,CL-ML,WOMEN_PRISON\n",
                "line 2, name: CONFLICT: ",
            ),
            (
                "items",
                "code,name_es,name_en,unit,sensitivity\nsoap,Jabón,Soap,kilo,GENERAL\n",
                "line 2, unit: CONFLICT: ",
            ),
            (
                "kits",
                "code,version,valid_from,name_es,name_en,item,quantity\nhygiene-kit,2,2023-09-01,Kit de higiene,Hygiene kit,soap,9\n",
                "line 2, quantity: CONFLICT: ",
            ),
            (
                "kits",
                "code,version,valid_from,name_es,name_en,item,quantity\nhygiene-kit,3,2023-09-01,Kit de higiene,Hygiene kit,soap,9\n",
                "line 2, valid_from: CONFLICT: ",
            ),
            (
                "programs",
                "slug,name_es,name_en,areas,starts_on\nkits-de-higiene,Kits de higiene,Hygiene kits,BASIC_SUPPLIES,2020-05-01\n",
                "line 2, facilities: CONFLICT: ",
            ),
        ] {
            operator.import(&[kind], text).await.refuses(fault);
        }
        assert_eq!(operator.everything().await, all);
        // The draft of another organisation has the slug, and nothing more is said of it.
        let draft = "slug,name,region,kind\nen-obra,En obra,MX-MEX,OTHER\n";
        operator.import(&["facilities", "--organization", "la-cana"], draft).await.says("1 created");
        operator.import(&["facilities"], draft).await.refuses("line 2, slug: CONFLICT: “en-obra” is in use");
    }
);

both!(
    async fn a_dry_run_writes_nothing(app: &DemoApp) {
        let operator = Operator::of(app);
        let all = operator.everything().await;
        let done = operator.import(&["distributions", "--dry-run"], format!("{DELIVERIES}{GOOD}")).await;
        done.says("4 rows read; 3 would be created, 0 unchanged; nothing was written;");
        assert_eq!(operator.everything().await, all);
    }
);

both!(
    async fn bad_files_leave_everything_as_it_was(app: &DemoApp) {
        let operator = Operator::of(app);
        let row = |cells: &str| format!("{DELIVERIES}{cells}\n").into_bytes();
        let planned = "b-1,cpf-talca,kits-de-higiene,2024-05-02,50,COUNTED,soap,,,50,";
        let with = |from: &str, to: &str| row(&planned.replace(from, to));
        operator
            .import(
                &["programs", "--publish"],
                "slug,name_es,areas,status,starts_on,ends_on,facilities\n\
                por-venir,Por venir,BASIC_SUPPLIES,PLANNED,2024-01-01,,cpf-talca\n\
                terminado,Terminado,BASIC_SUPPLIES,COMPLETED,2023-01-01,2023-12-31,cpf-talca\n\
                lejos,Lejos,BASIC_SUPPLIES,ACTIVE,2023-01-01,,cpf-temuco\n",
            )
            .await
            .says("3 created");
        let latin1: Vec<u8> = [
            DELIVERIES.as_bytes(),
            b"entrega-\xF1,cpf-talca,kits-de-higiene,2024-05-02,50,COUNTED,soap,,,50,\n",
        ]
        .concat();
        let utf16: Vec<u8> =
            std::iter::once(0xFEFF).chain(DELIVERIES.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let all = operator.everything().await;
        for (bytes, fault) in [
            (b"clave,centro\n1,2\n".to_vec(), "line 1, clave: UNKNOWN_HEADER: "),
            (b"clave,centro\n1,2\n".to_vec(), "line 1, key: MISSING_HEADER: "),
            (DELIVERIES.replace("quantity,", "item,").into_bytes(), "line 1, item: DUPLICATE_HEADER: "),
            (with("cpf-talca", "\"cpf-talca"), "line 2: BAD_QUOTES: "),
            (with("cpf-talca", "cpf\"talca"), "line 2: BAD_QUOTES: "),
            (with("cpf-talca", "\"cpf\"-talca"), "line 2: BAD_QUOTES: "),
            (latin1.clone(), "line 2: BAD_ENCODING: "),
            (utf16, "line 1: BAD_ENCODING: "),
            (row("b-1,cpf-talca"), "line 2: RAGGED: "),
            (row(&format!("{planned},,")), "line 2: RAGGED: "),
            (with("cpf-talca", "cpf-luna"), "line 2, facility: NOT_FOUND: "),
            (with("kits-de-higiene", "cultura-y-artes"), "line 2, program: NOT_FOUND: "),
            (with("kits-de-higiene", "demo-borrador"), "line 2, program: NOT_FOUND: "),
            (with("soap", "oro"), "line 2, item: NOT_FOUND: "),
            (with("soap,,", ",nada,"), "line 2, kit: NOT_FOUND: "),
            (with("soap,,", ",hygiene-kit,9"), "line 2, kit_version: NOT_FOUND: "),
            (with("kits-de-higiene", "por-venir"), "line 2, program: PROGRAM_CLOSED: "),
            (with("kits-de-higiene", "terminado"), "line 2, occurred_on: OUTSIDE_DATES: "),
            (with("kits-de-higiene", "lejos"), "line 2, facility: NOT_A_SITE: "),
            (with("2024-05-02", "2199-01-01"), "line 2, occurred_on: OUTSIDE_DATES: "),
            (with("2024-05-02", "2024-02-30"), "line 2, occurred_on: BAD_DATE: "),
            (with(",,,50", ",,,-50"), "line 2, quantity: OUT_OF_RANGE: "),
            (with(",,,50", ",,,1.5"), "line 2, quantity: BAD_NUMBER: "),
            (with(",,,50", ",,,99999999999999999999"), "line 2, quantity: OUT_OF_RANGE: "),
            (with("soap,,", "soap,hygiene-kit,"), "line 2, kit: ITEM_OR_KIT: "),
            (with("soap", ""), "line 2, item: ITEM_OR_KIT: "),
            (with("COUNTED", "GUESSED"), "line 2, reach_method: BAD_CHOICE: "),
            (with("b-1", ""), "line 2, key: MISSING_VALUE: "),
            (row(&format!("{planned}\n{planned}")), "line 3, item: DUPLICATE: "),
            (
                row(&format!("{planned}\n{}", planned.replace("soap", "blanket").replace("talca", "temuco"))),
                "line 3, facility: DISAGREES: ",
            ),
            (
                row(
                    "b-1,cpf-talca,kits-de-higiene,2024-05-02,50,COUNTED,,hygiene-kit,,50,\nb-1,cpf-talca,kits-de-higiene,2024-05-02,50,COUNTED,,hygiene-kit,2,50,",
                ),
                "line 3, kit: DUPLICATE: ",
            ),
            (Vec::new(), "line 1: EMPTY: "),
            (DELIVERIES.as_bytes().to_vec(), "line 1: EMPTY: "),
            // What a row alone shows and what only the registry shows are reported together.
            (
                row(&format!(
                    "{}\n{}",
                    planned.replace("2024-05-02", "ayer"),
                    planned.replace("b-1", "b-2").replace("soap", "oro")
                )),
                "line 3, item: NOT_FOUND: ",
            ),
        ] {
            operator.import(&["distributions"], &bytes).await.refuses(fault);
        }
        let large = File::create(operator.files.path().join("large.csv")).unwrap();
        large.set_len(300 << 20).unwrap();
        let path = operator.files.path().join("large.csv").display().to_string();
        operator.umbral(&["distributions", &path]).await.refuses("line 1: TOO_LARGE: ");
        operator.umbral(&["distributions", "/nowhere/file.csv"]).await.refuses("umbral: /nowhere/file.csv: ");
        let unknown = operator.import(&["items", "--organization", "nadie"], "code\n").await;
        unknown.refuses("umbral: there is no organisation \"nadie\"");
        assert_eq!(operator.everything().await, all);

        operator.import(&["distributions", "--encoding", "latin1"], &latin1).await.says("1 created");
        assert_eq!(operator.count("distribution WHERE import_key = 'entrega-ñ'").await, 1);
    }
);

both!(
    async fn usage_and_templates(app: &DemoApp) {
        let operator = Operator::of(app);
        for arguments in [
            &[][..],
            &["people"],
            &["items"],
            &["items", "--lang", "de", "a.csv"],
            &["distributions", "--publish", "a.csv"],
        ] {
            assert_eq!(operator.umbral(arguments).await.code, 2, "{arguments:?}");
        }
        for kind in api::import::Kind::ALL {
            let done = operator.umbral(&[kind.name(), "--template"]).await;
            assert_eq!((done.code, done.out), (0, api::import::template(kind)));
            let help = operator.umbral(&[kind.name(), "--help"]).await;
            // Long lines are wrapped.
            let help = help.out.split_whitespace().collect::<Vec<_>>().join(" ");
            for header in api::import::headers(kind) {
                assert!(help.contains(header.hxl) && help.contains(header.meaning_es), "{}", header.name);
            }
        }
    }
);

both!(
    async fn drafts_stay_inside_and_other_codes_resolve(app: &DemoApp) {
        let operator = Operator::of(app);
        operator
            .import(
                &["items", "--organization", "la-cana"],
                "code,name_es,unit,sensitivity\npeineta,Peineta,pieza,GENERAL\n",
            )
            .await
            .says("1 created");
        let staff = app.member("coordinator", "la-cana");
        let question = "{ items(first: 5, filter: {search: \"peineta\"}) { nodes { code } } }";
        let answer = staff.query(question, Value::Null).await;
        assert_eq!(answer.data(), &json!({ "items": { "nodes": [{ "code": "peineta" }] } }));
        let answer = app.anonymous().query(question, Value::Null).await;
        assert_eq!(answer.data(), &json!({ "items": { "nodes": [] } }));

        // Another organisation's published item, and one's own draft, which cannot be handed over yet.
        let head = DELIVERIES;
        let soap = format!("{head}c-1,barrientos,talleres-productivos,2024-05-02,50,COUNTED,soap,,,50,\n");
        let draft = soap.replace("soap", "peineta");
        operator.import(&["distributions", "--organization", "la-cana"], &soap).await.says("1 created");
        operator
            .import(&["distributions", "--organization", "la-cana"], draft.replace("c-1", "c-2"))
            .await
            .refuses("line 2, item: NOT_FOUND: ");
    }
);

both!(
    async fn two_at_once_write_one(app: &DemoApp) {
        let operator = Operator::of(app);
        let path = operator.file(format!("{DELIVERIES}{GOOD}")).display().to_string();
        let arguments = ["distributions", path.as_str()];
        let (one, other) = tokio::join!(operator.umbral(&arguments), operator.umbral(&arguments));
        for done in [&one, &other] {
            assert!(done.code == 0 || done.err.contains("CONFLICT"), "{one:?} {other:?}");
        }
        assert!(one.code == 0 || other.code == 0, "{one:?} {other:?}");
        assert_eq!(operator.count("distribution WHERE import_key IS NOT NULL").await, 3);
        assert_eq!(operator.count("audit_event WHERE action = 'IMPORT'").await, 3);
    }
);

both!(
    async fn a_long_file(app: &DemoApp) {
        let operator = Operator::of(app);
        let mut text = DELIVERIES.to_owned();
        for number in 0..2_500 {
            let start = format!("lote-{number},cpf-talca,kits-de-higiene,2024-06-03,40,COUNTED");
            text += &format!("{start},soap,,,40,\n{start},,hygiene-kit,,40,\n");
        }
        let done = operator.import(&["distributions"], &text).await;
        done.says("5000 rows read; 2500 created, 0 unchanged;");
        println!("{:?}: {}", app.database.backend, done.out);
        assert_eq!(operator.count("audit_event WHERE action = 'IMPORT'").await, 2_500);
        let again = operator.import(&["distributions"], &text).await;
        again.says("0 created, 2500 unchanged;");
        println!("{:?}: {}", app.database.backend, again.out);
    }
);
