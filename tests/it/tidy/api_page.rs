//! `docs/API.md` names every route and every error code.

use std::collections::BTreeSet;

use super::{expect_none, quoted, text};

/// `GET /v1/tenants`, as the description of the API has them.
fn routes() -> BTreeSet<String> {
    let description = serde_json::to_value(adapters::http::router::openapi()).expect("a description is JSON");
    let paths = description["paths"].as_object().expect("paths by address");
    let methods = |(path, methods): (&String, &serde_json::Value)| {
        let methods = methods.as_object().expect("operations by method").keys();
        let methods = methods.filter(|method| ["get", "post", "put", "patch", "delete"].contains(&method.as_str()));
        methods.map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(methods).collect()
}

#[test]
fn the_page_names_every_route_and_no_other() {
    let page = text("docs/API.md");
    let is_route = |words: &String| words.split_once(" /").is_some_and(|(method, _)| method.bytes().all(|byte| byte.is_ascii_uppercase()));
    let named: BTreeSet<String> = page.lines().filter(|line| line.starts_with('|')).flat_map(quoted).filter(is_route).collect();
    let routes = routes();
    assert!(!routes.is_empty(), "the description has no routes");
    let missing = routes.difference(&named).map(|route| format!("docs/API.md: add {route}"));
    // The description does not describe itself.
    let extra = named.difference(&routes).filter(|route| *route != "GET /v1/openapi.json");
    expect_none(missing.chain(extra.map(|route| format!("docs/API.md: no such route {route}"))).collect());
}

/// Codes are the only texts of small letters and underscores in the functions of the error table.
fn codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for file in ["adapters/src/http/error.rs", "adapters/src/http/error_refusals.rs"] {
        for line in text(file).lines().filter(|line| line.contains("=>") || line.contains("verdict(")) {
            let texts = line.split('"').skip(1).step_by(2);
            codes.extend(
                texts.filter(|text| text.bytes().all(|byte| byte.is_ascii_lowercase() || b"_8".contains(&byte))).map(str::to_owned),
            );
        }
    }
    codes
}

#[test]
fn the_page_explains_every_error_code_and_no_other() {
    let page = super::table(&text("docs/API.md"), "## Errors");
    let explained: BTreeSet<String> = page.iter().flat_map(|row| quoted(&row[1])).collect();
    let codes = codes();
    assert!(codes.contains("invalid_utf8") && codes.contains("not_yours_any_more"), "{codes:?}");
    let missing = codes.difference(&explained).map(|code| format!("docs/API.md: explain {code}"));
    let extra = explained.difference(&codes).map(|code| format!("docs/API.md: no such code {code}"));
    expect_none(missing.chain(extra).collect());
}
