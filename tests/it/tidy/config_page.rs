//! `docs/CONFIG.md` names exactly the settings that there are, each with its variable and default.

use super::rust_text;
use super::{expect_none, table, text};

/// A setting as the code declares it: section, field, doc comment.
fn declared() -> Vec<(String, rust_text::Field)> {
    let sections = rust_text::fields(&text("adapters/src/config.rs"), "Config").expect("settings begin there");
    let fields_of = |section: &rust_text::Field| {
        let file = text(format!("adapters/src/config/{}.rs", section.name));
        let fields = rust_text::fields(&file, &section.kind).unwrap_or_else(|| panic!("no struct {}", section.kind));
        fields.into_iter().map(|field| (section.name.clone(), field)).collect::<Vec<_>>()
    };
    sections.iter().flat_map(fields_of).collect()
}

#[test]
fn the_page_lists_every_setting_with_its_variable_and_default() {
    let page = table(&text("docs/CONFIG.md"), "## Every setting");
    let mut complaints = Vec::new();
    for (section, field) in declared() {
        let name = format!("{section}.{}", field.name);
        let variable = format!("KEFU_{}__{}", section.to_uppercase(), field.name.to_uppercase());
        let Some(row) = page.iter().find(|row| row[0] == format!("`{name}`")) else {
            complaints.push(format!("docs/CONFIG.md: no row for {name} (`{variable}`)"));
            continue;
        };
        let [_, of_row, unit, default, why] = row.as_slice() else { panic!("a row has five cells: {row:?}") };
        if *of_row != format!("`{variable}`") {
            complaints.push(format!("{name}: the variable is {variable}, not {of_row}"));
        }
        if unit.is_empty() || why.is_empty() {
            complaints.push(format!("{name}: say the unit, and why the default is what it is"));
        }
        let says_so = field.doc.split("Default ").skip(1).any(|rest| rest.starts_with(default.as_str()));
        // A comment without a default is of a setting that goes together with another one.
        if !says_so && (field.doc.contains("Default ") || default != "none") {
            complaints.push(format!("{name}: default {default} in docs/CONFIG.md; the code says: {}", field.doc));
        }
    }
    let known: Vec<String> = declared().iter().map(|(section, field)| format!("`{section}.{}`", field.name)).collect();
    complaints.extend(page.iter().filter(|row| !known.contains(&row[0])).map(|row| format!("docs/CONFIG.md: no such setting {}", row[0])));
    expect_none(complaints);
}
