//! `docs/API.md` names every route, and every error with its status.

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

#[test]
fn every_parameter_is_described_where_it_is() {
    let description = serde_json::to_value(adapters::http::router::openapi()).expect("a description is JSON");
    let mut complaints = Vec::new();
    for (path, methods) in description["paths"].as_object().expect("paths by address") {
        for (method, operation) in methods.as_object().expect("operations by method") {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a parameter has a name");
                let expected = match name {
                    "Idempotency-Key" | "webhook-id" | "webhook-timestamp" | "webhook-signature" => "header",
                    _ if path.contains(&format!("{{{name}}}")) => "path",
                    _ => "query",
                };
                if parameter["in"] != expected {
                    complaints.push(format!("{method} {path}: {name} is in the {expected}, not in the {}", parameter["in"]));
                }
            }
        }
    }
    expect_none(complaints);
}

/// What the helpers of the error table and the names of statuses stand for.
const STATUSES: [(&str, u16); 22] = [
    ("bad(", 400),
    ("BAD_REQUEST,", 400),
    ("unauthorized(", 401),
    ("UNAUTHORIZED,", 401),
    ("forbidden(", 403),
    ("FORBIDDEN,", 403),
    ("NOT_FOUND,", 404),
    ("METHOD_NOT_ALLOWED,", 405),
    ("conflict(", 409),
    ("CONFLICT,", 409),
    ("GONE,", 410),
    ("PAYLOAD_TOO_LARGE,", 413),
    ("UNSUPPORTED_MEDIA_TYPE,", 415),
    ("unprocessable(", 422),
    ("RANGE_NOT_SATISFIABLE,", 416),
    ("UNPROCESSABLE_ENTITY,", 422),
    ("TOO_MANY_REQUESTS,", 429),
    ("INTERNAL_SERVER_ERROR,", 500),
    ("BAD_GATEWAY,", 502),
    ("SERVICE_UNAVAILABLE,", 503),
    ("GATEWAY_TIMEOUT,", 504),
    ("INSUFFICIENT_STORAGE,", 507),
];

/// Status and code of every verdict in the error table: `conflict("merged")`, `later(StatusCode::GONE, "erased")`.
fn verdicts() -> BTreeSet<(u16, String)> {
    let mut verdicts = BTreeSet::new();
    for file in ["adapters/src/http/error.rs", "adapters/src/http/error_refusals.rs"] {
        for line in text(file).lines() {
            let parts: Vec<&str> = line.split('"').collect();
            for pair in parts.windows(2).step_by(2) {
                let status = STATUSES.iter().find(|(mark, _)| pair[0].trim_end().ends_with(mark));
                verdicts.extend(status.map(|(_, status)| (*status, pair[1].to_owned())));
            }
        }
    }
    verdicts
}

#[test]
fn the_page_explains_every_error_with_its_status_and_no_other() {
    let rows = super::table(&text("docs/API.md"), "## Errors");
    let of_row = |row: &Vec<String>| {
        let status: u16 = row[0].parse().unwrap_or_else(|_| panic!("a status: {row:?}"));
        quoted(&row[1]).into_iter().map(move |code| (status, code)).collect::<Vec<_>>()
    };
    let explained: BTreeSet<(u16, String)> = rows.iter().flat_map(of_row).collect();
    let verdicts = verdicts();
    for known in [(409, "not_yours_any_more"), (503, "behind"), (400, "invalid_utf8"), (401, "expired")] {
        assert!(verdicts.contains(&(known.0, known.1.to_owned())), "the table is read wrongly: {known:?}");
    }
    let missing = verdicts.difference(&explained).map(|(status, code)| format!("docs/API.md: explain {status} {code}"));
    let extra = explained.difference(&verdicts).map(|(status, code)| format!("docs/API.md: no such error {status} {code}"));
    expect_none(missing.chain(extra).collect());
}
