//! What an organisation shows of its outcomes: sections of a page, out of sealed files, claims and testimonies alone.

use std::sync::LazyLock;

use chrono::Datelike;
use entity::{
    claim,
    value::{ImpactSection, Localized, ReleaseStatus, Translation, TranslationStatus},
};
use uuid::Uuid;

use super::{
    Access,
    catalog::Organization,
    outcome::{Filter, Outcome, Release},
};

/// The totals of an organisation by section, with what it claims beside them.
pub struct Impact<'a> {
    pub organization: &'a Organization,
    /// Those that its figures are from, the newest first.
    pub releases: Vec<&'a Release>,
    outcomes: Vec<Outcome<'a>>,
    claims: Vec<&'a claim::Model>,
}

impl<'a> Impact<'a> {
    pub fn outcomes(&self, section: ImpactSection) -> impl Iterator<Item = &Outcome<'a>> {
        self.outcomes.iter().filter(move |of| of.indicator.section == Some(section))
    }

    pub fn claims(&self, section: ImpactSection) -> impl Iterator<Item = &'a claim::Model> {
        self.claims.iter().copied().filter(move |of| section_of(of) == section)
    }

    /// Whether there is anything in a section.
    pub fn has(&self, section: ImpactSection) -> bool {
        self.outcomes(section).next().is_some() || self.claims(section).next().is_some()
    }
}

impl Access {
    /// The newest figures of an organisation, or those of one release; none when there is no such release.
    pub fn impact<'a>(&'a self, organization: &'a Organization, release: Option<Uuid>) -> Option<Impact<'a>> {
        let own = organization.row.id;
        let shown =
            |of: &&Release| of.row.organization_id == own && of.row.status == ReleaseStatus::Published;
        let releases: Vec<&Release> = match release {
            Some(id) => vec![self.release(id).filter(shown)?],
            None => self.newest_release(own).into_iter().collect(),
        };
        let release = release.map(|id| vec![id]);
        Some(self.page(organization, releases, Filter { release, ..Filter::default() }))
    }

    /// The figures of releases whose period is in a year.
    pub fn year<'a>(&'a self, organization: &'a Organization, year: i32) -> Impact<'a> {
        let own = organization.row.id;
        let mut releases: Vec<&Release> = self
            .releases()
            .filter(|of| of.row.organization_id == own && of.row.status == ReleaseStatus::Published)
            .filter(|of| of.row.ends_on.year() == year && of.superseded_by.is_none())
            .collect();
        releases.sort_by_key(|of| std::cmp::Reverse(of.row.number));
        let ids = releases.iter().map(|of| of.row.id).collect();
        self.page(organization, releases, Filter { release: Some(ids), ..Filter::default() })
    }

    fn page<'a>(
        &'a self,
        organization: &'a Organization,
        releases: Vec<&'a Release>,
        filter: Filter,
    ) -> Impact<'a> {
        let filter =
            Filter { organization: Some(vec![organization.row.id]), total_only: Some(true), ..filter };
        let mut outcomes: Vec<Outcome<'a>> = self.outcomes(&filter).collect();
        outcomes.sort_by_key(|of| (of.indicator.position, Self::outcome_place(of).key));
        Impact { organization, releases, outcomes, claims: self.claims(organization).collect() }
    }
}

/// The section that a claim was published in.
fn section_of(claim: &claim::Model) -> ImpactSection {
    use ImpactSection::{Headline, Occupation, Skills, Support, Wellbeing};
    let named = |section: &ImpactSection| title(*section).texts.values().any(|of| of.text == claim.section);
    [Skills, Wellbeing, Occupation, Support].into_iter().find(named).unwrap_or(Headline)
}

/// What a section is called.
pub fn title(section: ImpactSection) -> &'static Localized {
    static TITLES: LazyLock<[Localized; 5]> = LazyLock::new(|| {
        [
            ("Nuestro impacto", "Our Impact"),
            ("Habilidades y aprendizaje", "Skills & Learning"),
            ("Bienestar emocional", "Emotional Wellbeing"),
            ("Ocupación dentro de prisión", "Occupation Inside Prison"),
            ("Apoyo económico externo", "External Economic Support"),
        ]
        .map(|(es, en)| {
            let text = |text: &str, status| Translation { text: text.to_owned(), status };
            Localized {
                original: "es".to_owned(),
                texts: [
                    ("es".to_owned(), text(es, TranslationStatus::Original)),
                    ("en".to_owned(), text(en, TranslationStatus::Human)),
                ]
                .into(),
            }
        })
    });
    &TITLES[section as usize]
}
