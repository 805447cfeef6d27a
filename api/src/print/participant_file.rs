//! A woman's file as a page that she can read, on a screen or on paper.

use super::{
    Language, begin, element, escape,
    file_words::{NOTHING, RIGHTS, STAFF, TITLE, WHAT, of_section},
    list,
};
use crate::store::participant::{Cell, File, Section};

/// A table with more columns than this does not fit on a sheet: its rows stand one below the other.
const WIDE: usize = 6;

/// The file as a page.
pub fn participant_file(language: Language, file: &File) -> String {
    let mut out = String::with_capacity(32 * 1024);
    begin(&mut out, language, language.of(TITLE), language.of(TITLE), &file.organization);
    escape(&mut out, &file.made_at.format("%Y-%m-%d %H:%M UTC").to_string());
    out.push_str("</p>\n</header>\n<main>\n");
    element(&mut out, "p", language.of(WHAT));
    for section in &file.sections {
        write(&mut out, language, section);
    }
    out.push_str("</main>\n<footer>\n");
    element(&mut out, "p", language.of(RIGHTS));
    element(&mut out, "p", language.of(STAFF));
    out.push_str("</footer>\n</body>\n</html>\n");
    out
}

fn write(out: &mut String, language: Language, section: &Section) {
    let say = |key: &str| language.of(of_section(section.name, key));
    out.push_str("<section>\n");
    element(out, "h2", say(""));
    if section.rows.is_empty() {
        element(out, "p", language.of(NOTHING));
    } else if section.columns.len() > WIDE || section.name == "identity" {
        for row in &section.rows {
            let facts: Vec<(&str, String)> = section
                .columns
                .iter()
                .zip(row)
                .map(|(name, cell)| (say(name), text(name, cell, &say)))
                .collect();
            list(out, &facts);
        }
    } else {
        out.push_str("<table class=\"file\">\n<thead><tr>");
        for column in &section.columns {
            out.push_str("<th scope=\"col\">");
            escape(out, say(column));
            out.push_str("</th>");
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in &section.rows {
            out.push_str("<tr>");
            for (column, cell) in section.columns.iter().zip(row) {
                out.push_str("<td>");
                escape(out, &text(column, cell, &say));
                out.push_str("</td>");
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table>\n");
    }
    out.push_str("</section>\n");
}

fn text(column: &str, cell: &Cell, say: &impl Fn(&str) -> &'static str) -> String {
    match cell {
        Cell::Empty => "—".to_owned(),
        Cell::Number(number) => number.to_string(),
        // A moment, as people write it.
        Cell::Text(text) if column.ends_with("At") => match text.get(..16) {
            Some(minute) => format!("{} UTC", minute.replace('T', " ")),
            None => text.clone(),
        },
        // The names of fields, as far as they have words: "identity.givenNames" is "Given names".
        Cell::Text(text) if column == "fields" => {
            let field = |field: &'_ str| match say(field.rsplit('.').next().unwrap_or(field)) {
                "" => field.to_owned(),
                said => said.to_owned(),
            };
            text.split(", ").map(field).collect::<Vec<_>>().join(", ")
        }
        Cell::Text(text) => text.clone(),
        Cell::Word(word) => match say(word) {
            "" => word.clone(),
            said => said.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use entity::value;
    use sea_orm::{ActiveEnum, Iterable};

    use super::*;

    fn said<E: ActiveEnum<Value = String> + Iterable>(section: &str) {
        for word in E::iter().map(|word| word.to_value()) {
            let message = of_section(section, &word);
            assert!(!message.es.is_empty() && !message.en.is_empty(), "{section}: {word}");
        }
    }

    #[test]
    fn every_word_of_a_list_has_words() {
        said::<value::StayEnding>("stays");
        said::<value::DependantRelation>("dependants");
        said::<value::AgeBand>("dependants");
        said::<value::MaternityState>("maternity");
        said::<value::ConsentPurpose>("consents");
        said::<value::ConsentDecision>("consents");
        said::<value::ConsentMethod>("consents");
        said::<value::RightsRequestKind>("rightsRequests");
        said::<value::RightsRequestChannel>("rightsRequests");
        said::<value::RightsRequestStatus>("rightsRequests");
        said::<value::RefusalGround>("rightsRequests");
        said::<value::EnrolmentStatus>("enrolments");
        said::<value::AttendanceMark>("attendance");
        said::<value::AbsenceReason>("attendance");
        said::<value::SkillLevel>("skills");
        said::<value::LegalStage>("legalMatters");
        said::<value::LegalOutcome>("legalMatters");
        said::<value::PayoutRunStatus>("payouts");
        said::<value::AcknowledgementMethod>("payouts");
        said::<value::DeductionKind>("deductions");
        said::<value::WithdrawalReason>("savingsWithdrawals");
        said::<value::ResponseOutcome>("surveyResponses");
        said::<value::ResponseChannel>("surveyResponses");
        said::<value::MissingAnswer>("surveyAnswers");
        for purpose in crate::store::record::Purpose::names() {
            assert!(!of_section("uses", purpose).es.is_empty(), "{purpose}");
        }
    }
}
