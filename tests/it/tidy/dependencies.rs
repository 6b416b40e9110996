//! The arrows: domain <- application <- projections <- adapters, and tests point at all of them.

use std::collections::BTreeMap;

use super::{expect_none, text};

/// Which members of the workspace each member may know.
const ARROWS: [(&str, &[&str]); 6] = [
    ("domain", &[]),
    ("application", &["domain"]),
    ("projections", &["application", "domain"]),
    ("faq", &[]),
    ("adapters", &["application", "domain", "faq", "projections"]),
    ("tests", &["adapters", "application", "domain", "faq", "projections"]),
];
/// All that the pure core stands on: data (the rules of time zones among it), its serialization and schemas, its errors.
const DOMAIN_STANDS_ON: [&str; 7] = ["chrono", "chrono-tz", "imbl", "schemars", "serde", "thiserror", "uuid"];
/// Runtimes, engines and sockets, which reach the application through its ports only.
const NOT_IN_APPLICATION: [&str; 6] = ["axum", "reqwest", "rusqlite", "tokio", "tokio-tungstenite", "tower"];

/// The dependencies of a manifest, by section: name, and what stands after it.
fn dependencies(manifest: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut section = String::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else if section.ends_with("dependencies")
            && let Some((key, value)) = line.split_once('=')
        {
            let name = key.trim().split('.').next().expect("split gives at least one part");
            sections.entry(section.clone()).or_default().insert(name.to_owned(), value.trim().to_owned());
        }
    }
    sections
}

fn of_member(member: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    dependencies(&text(format!("{member}/Cargo.toml")))
}

#[test]
fn members_know_each_other_in_one_direction_only() {
    let mut complaints = Vec::new();
    for (member, may_know) in ARROWS {
        for (section, names) in of_member(member) {
            for name in names.keys().filter(|name| ARROWS.iter().any(|(other, _)| other == name) && !may_know.contains(&name.as_str())) {
                complaints.push(format!("{member}/Cargo.toml [{section}]: {member} must not know {name}"));
            }
        }
    }
    expect_none(complaints);
}

#[test]
fn every_member_of_the_workspace_has_its_arrows() {
    let manifest = text("Cargo.toml");
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = ")).expect("the workspace lists its members");
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    assert_eq!(members, ARROWS.map(|(member, _)| member));
}

#[test]
fn the_core_stands_on_data_and_errors_alone() {
    let of_domain = of_member("domain");
    assert_eq!(of_domain["dependencies"].keys().map(String::as_str).collect::<Vec<_>>(), DOMAIN_STANDS_ON);
    let features_of = |name: &str| match of_domain["dependencies"][name].as_str() {
        "true" => dependencies(&text("Cargo.toml"))["workspace.dependencies"][name].clone(),
        own => own.to_owned(),
    };
    for (name, banned) in [("chrono", ["\"clock\"", "\"now\""]), ("uuid", ["\"v4\"", "\"v7\""])] {
        let features = features_of(name);
        assert!(features.contains("default-features = false"), "{name}: {features}");
        assert!(banned.iter().all(|feature| !features.contains(feature)), "{name} must not have {banned:?}: {features}");
    }
}

#[test]
fn the_application_knows_no_runtime_engine_or_socket() {
    let of_application = of_member("application");
    let known = of_application.values().flat_map(BTreeMap::keys).filter(|name| NOT_IN_APPLICATION.contains(&name.as_str()));
    expect_none(known.map(|name| format!("application/Cargo.toml: {name}")).collect());
}

#[test]
fn dependencies_of_every_section_and_notation_are_found() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\n# b = 1\nc = { version = \"1\", features = [] }\n[dev-dependencies]\nd = \"1\"\n";
    let found = dependencies(manifest);
    assert_eq!(found["dependencies"].keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(found["dev-dependencies"].keys().collect::<Vec<_>>(), ["d"]);
}
