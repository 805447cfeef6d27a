//! What a donor portal shows of an organisation, and a year of it.

use entity::value::ImpactSection;
use sea_orm::Iterable;

use super::{
    node::Node,
    organization::{Claim, Organization},
    outcome::Outcome,
    query::drawn,
    release::Release,
    render::{Object, Writer, Written},
    text::LocalizedText,
};
use crate::{
    id::{GlobalId, Kind},
    store::impact::{self, Impact as Page},
};

struct Impact<'a>(&'a Page<'a>);
struct Section<'a>(&'a Page<'a>, ImpactSection);
struct AnnualReport<'a>(&'a Page<'a>, i32);

/// `Query.impact`.
pub fn impact(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let access = w.access;
    let slug = node.required::<String>("organization").unwrap_or_default();
    let release = match node.argument::<String>("release") {
        Ok(None) => None,
        Ok(Some(text)) => match GlobalId::parse(&text) {
            Some(GlobalId { kind: Kind::Release, id }) => Some(id),
            _ => return w.fail(node, super::not_an_id()),
        },
        Err(error) => return w.fail(node, error),
    };
    let page = access.organization_by_slug(&slug).and_then(|of| access.impact(of, release));
    drawn(node, w, page.as_ref().map(Impact))
}

/// `Query.annualReport`.
pub fn annual_report(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let access = w.access;
    let slug = node.required::<String>("organization").unwrap_or_default();
    let year = node.required::<i32>("year").unwrap_or_default();
    let page = access.organization_by_slug(&slug).map(|of| access.year(of, year));
    drawn(node, w, page.as_ref().map(|page| AnnualReport(page, year)))
}

fn outcomes(node: &Node<'_>, w: &mut Writer<'_>, page: &Page<'_>, section: ImpactSection) -> Written {
    w.list(node, page.outcomes(section), |w, of| w.object(node, &Outcome(*of)))
}

fn listed(node: &Node<'_>, w: &mut Writer<'_>, page: &Page<'_>) -> Written {
    let of_pages = ImpactSection::iter().filter(|section| *section != ImpactSection::Headline);
    w.list(node, of_pages.filter(|of| page.has(*of)), |w, section| w.object(node, &Section(page, section)))
}

impl Object for Impact<'_> {
    fn type_name(&self) -> &str {
        "Impact"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let page = self.0;
        match node.name {
            "organization" => w.object(node, &Organization(page.organization)),
            "release" => drawn(node, w, page.releases.first().copied().map(Release)),
            "headline" => outcomes(node, w, page, ImpactSection::Headline),
            "sections" => listed(node, w, page),
            "claims" => {
                w.list(node, page.claims(ImpactSection::Headline), |w, of| w.object(node, &Claim(of)))
            }
            _ => w.absent(node),
        }
    }
}

impl Object for Section<'_> {
    fn type_name(&self) -> &str {
        "ImpactSection"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "code" => w.word(&self.1),
            "title" => w.object(node, &LocalizedText(impact::title(self.1))),
            "outcomes" => outcomes(node, w, self.0, self.1),
            "claims" => w.list(node, self.0.claims(self.1), |w, of| w.object(node, &Claim(of))),
            _ => w.absent(node),
        }
    }
}

impl Object for AnnualReport<'_> {
    fn type_name(&self) -> &str {
        "AnnualReport"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Self(page, year) = self;
        match node.name {
            "organization" => w.object(node, &Organization(page.organization)),
            "year" => w.int((*year).into()),
            "releases" => w.list(node, &page.releases, |w, of| w.object(node, &Release(of))),
            "headline" => outcomes(node, w, page, ImpactSection::Headline),
            "sections" => listed(node, w, page),
            _ => w.absent(node),
        }
    }
}
