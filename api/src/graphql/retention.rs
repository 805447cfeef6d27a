//! How long data are kept, for stewards.

use entity::value::RetentionSubject;

use super::{
    mutation::{Done, Input, Subject},
    node::Node,
    render::{Need, Object, Writer, Written},
};
use crate::{
    error::Error,
    store::{
        Access,
        retention::{KeptFor, Rule},
    },
};

struct RetentionRule<'a>(&'a Rule);
struct RetentionHold<'a>(&'a KeptFor, &'a i64);

/// `Query.retentionRules`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match &fetched.retention_rules {
        Some(Ok(rules)) => w.list(node, rules, |w, rule| w.object(node, &RetentionRule(rule))),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::RetentionRules),
    }
}

/// The rule of a subject; null when there is none.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, subject: RetentionSubject) -> Written {
    let fetched = w.fetched;
    match &fetched.retention_rules {
        Some(Ok(rules)) => match rules.iter().find(|rule| rule.row.subject == subject) {
            Some(rule) => w.object(node, &RetentionRule(rule)),
            None => w.null(),
        },
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::RetentionRules),
    }
}

impl Object for RetentionRule<'_> {
    fn type_name(&self) -> &str {
        "RetentionRule"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Rule { row, due, held } = self.0;
        match node.name {
            "subject" => w.word(&row.subject),
            "event" => w.word(&row.event),
            "months" => w.int(row.months.into()),
            "action" => w.word(&row.action),
            "version" => w.int(row.version.into()),
            "recordedAt" => w.moment(row.recorded_at),
            "due" => w.int(*due),
            "held" => w.list(node, held, |w, (hold, count)| w.object(node, &RetentionHold(hold, count))),
            _ => w.absent(node),
        }
    }
}

impl Object for RetentionHold<'_> {
    fn type_name(&self) -> &str {
        "RetentionHold"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "reason" => w.str(self.0.name()),
            "count" => w.int(*self.1),
            _ => w.absent(node),
        }
    }
}

/// The mutations of rules.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "setRetentionRule" => {
            let subject = access.set_retention_rule(input.read()?).await?;
            Ok(Some(Subject::RetentionRule(subject)))
        }
        "removeRetentionRule" => {
            access.remove_retention_rule(input.read()?).await?;
            Ok(None)
        }
        _ => Err(Error::Internal(format!("no mutation {name}")).into()),
    }
}
