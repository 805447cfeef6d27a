//! The schema as text: the whole of it with its audiences, and what each audience has of it.

use std::fmt::Write;

use indexmap::IndexMap;

use super::{
    audience::Audience,
    types::{BUILT_IN, FieldDef, InputDef, Kind, Types},
};

const HEAD: &str = "\"For everyone.\"
directive @public on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
\"For donors, and for staff.\"
directive @donor on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
\"For partners, and for staff.\"
directive @partner on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
\"For staff.\"
directive @staff on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
";

/// The whole schema, every element with its audiences.
pub fn whole(types: &Types) -> String {
    let mut text = String::from(HEAD);
    print(types, None, &mut text);
    text
}

/// What an audience has of the schema.
pub fn of(types: &Types, audience: Audience) -> String {
    let mut text = format!("# The schema as the audience {} has it.\n", audience.name());
    print(types, Some(audience), &mut text);
    text
}

fn print(types: &Types, audience: Option<Audience>, out: &mut String) {
    let shown =
        |audiences: super::audience::Audiences| audience.is_none_or(|audience| audiences.holds(audience));
    for def in types.iter().filter(|def| shown(def.audiences) && !BUILT_IN.contains(&def.name.as_str())) {
        out.push('\n');
        describe(out, "", def.description.as_deref());
        match &def.kind {
            Kind::Scalar(_) => line(out, format_args!("scalar {}", def.name)),
            Kind::Object { fields, implements } => {
                let implements = if implements.is_empty() {
                    String::new()
                } else {
                    format!(" implements {}", implements.join(" & "))
                };
                line(out, format_args!("type {}{implements} {{", def.name));
                print_fields(fields, audience, out);
            }
            Kind::Interface { fields, .. } => {
                line(out, format_args!("interface {} {{", def.name));
                print_fields(fields, audience, out);
            }
            Kind::Union { possible, .. } => {
                let seen = |name: &&String| types.get(name).is_some_and(|def| shown(def.audiences));
                let possible: Vec<&str> = possible.iter().filter(seen).map(String::as_str).collect();
                line(out, format_args!("union {} = {}", def.name, possible.join(" | ")));
            }
            Kind::Enum(values) => {
                line(out, format_args!("enum {} {{", def.name));
                for value in values.values().filter(|value| shown(value.audiences)) {
                    describe(out, "  ", value.description.as_deref());
                    let directives = directives(audience, value.audiences);
                    line(out, format_args!("  {}{directives}", value.name));
                }
                out.push_str("}\n");
            }
            Kind::Input { fields, one_of } => {
                let one_of = if *one_of { " @oneOf" } else { "" };
                line(out, format_args!("input {}{one_of} {{", def.name));
                for field in fields.values().filter(|field| shown(field.audiences)) {
                    describe(out, "  ", field.description.as_deref());
                    line(out, format_args!("  {}", input(field, audience)));
                }
                out.push_str("}\n");
            }
        }
    }
}

fn print_fields(fields: &IndexMap<String, FieldDef>, audience: Option<Audience>, out: &mut String) {
    for field in fields.values() {
        if !audience.is_none_or(|audience| field.audiences.holds(audience)) {
            continue;
        }
        describe(out, "  ", field.description.as_deref());
        let args: Vec<String> = field
            .args
            .values()
            .filter(|arg| audience.is_none_or(|audience| arg.audiences.holds(audience)))
            .map(|arg| input(arg, audience))
            .collect();
        let args = if args.is_empty() { String::new() } else { format!("({})", args.join(", ")) };
        let directives = directives(audience, field.audiences);
        line(out, format_args!("  {}{args}: {}{directives}", field.name, field.ty));
    }
    out.push_str("}\n");
}

fn input(def: &InputDef, audience: Option<Audience>) -> String {
    format!("{}: {}{}", def.name, def.ty, directives(audience, def.audiences))
}

fn directives(audience: Option<Audience>, audiences: super::audience::Audiences) -> String {
    if audience.is_some() { String::new() } else { format!(" {}", audiences.directives()) }
}

fn describe(out: &mut String, indent: &str, description: Option<&str>) {
    let Some(description) = description else { return };
    if description.contains('\n') {
        line(out, format_args!("{indent}\"\"\""));
        for text in description.lines() {
            line(out, format_args!("{indent}{text}"));
        }
        line(out, format_args!("{indent}\"\"\""));
    } else {
        line(out, format_args!("{indent}\"{}\"", description.replace('"', "\\\"")));
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}
