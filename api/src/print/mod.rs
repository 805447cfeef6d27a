//! Forms for paper: HTML that prints on A4 and on Letter, with a number by which the entry later names the sheet.
//!
//! A form holds what was delivered and never who received it: names are written by hand, in the prison, and stay on
//! the paper.

mod file_words;
mod forms;
mod participant_file;
mod words;

// Writing to a string cannot fail.
use std::fmt::Write;

pub use forms::{Filled, Good, write};
pub use participant_file::participant_file;
pub use words::Language;

/// The style of all forms; a page carries it, so that it can be printed from anywhere.
pub const STYLE: &str = include_str!("print.css");

/// Which form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// What was handed over, signed by both sides.
    DeliveryAct,
    /// Who was there, signed by each.
    AttendanceSheet,
    /// What goes through the gate.
    GoodsList,
}

impl Form {
    pub const ALL: [Self; 3] = [Self::DeliveryAct, Self::AttendanceSheet, Self::GoodsList];

    /// As an address spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DeliveryAct => "delivery-act",
            Self::AttendanceSheet => "attendance-sheet",
            Self::GoodsList => "goods-list",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// The letters that the numbers of such sheets begin with.
    pub fn letters(self) -> &'static str {
        match self {
            Self::DeliveryAct => "AE",
            Self::AttendanceSheet => "AS",
            Self::GoodsList => "LA",
        }
    }
}

/// A text as it may stand in HTML, between tags or in quotes.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
}

/// The beginning of a page, up to what stands beside its heading.
fn begin(out: &mut String, language: Language, title: &str, heading: &str, organization: &str) {
    let tag = language.tag();
    let _ = write!(out, "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width\">\n");
    element(out, "title", title);
    let _ = write!(out, "<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<div>\n");
    element(out, "h1", heading);
    element(out, "p", organization);
    out.push_str("</div>\n<p class=\"number\">");
}

/// An element of one line of text.
fn element(out: &mut String, tag: &str, text: &str) {
    let _ = write!(out, "<{tag}>");
    escape(out, text);
    let _ = writeln!(out, "</{tag}>");
}

/// Facts, each with its name.
fn list(out: &mut String, facts: &[(&str, impl AsRef<str>)]) {
    out.push_str("<dl>\n");
    for (name, value) in facts {
        element(out, "dt", name);
        element(out, "dd", value.as_ref());
    }
    out.push_str("</dl>\n");
}
