//! Robots that a tenant has elsewhere.

use super::*;
use crate::flow::Flow;
use crate::flow::assignment::AssignmentFlow;
use crate::flow::check::{Fault, Path, Problem};
use crate::flow::reception::ReceptionFlow;
use crate::labels::Label;
use crate::message::URL_BYTES_MAX;
use crate::tenant::command::RobotConnection;
use crate::tenant::event::{FlowText, RobotConnected, RobotDisconnected, RobotProtocol, RobotSecretSet, RobotSettings, RobotUse};
use crate::tenant::robots::{MODEL_BYTES_MAX, ROBOT_KEY_BYTES_MAX, ROBOT_TIME_OUT_MAX, ROBOTS_MAX, SYSTEM_BYTES_MAX};
use crate::time::Millis;

fn robot(name: &str) -> Label {
    name.parse().unwrap()
}

fn secret(letter: &str) -> SharedSecret {
    SharedSecret { secret: letter.repeat(44) }
}

fn over_http() -> RobotConnection {
    RobotConnection {
        protocol: RobotProtocol::Http,
        uses: vec![RobotUse::Seat],
        time_out: Millis::seconds(10),
        settings: RobotSettings { url: "https://robots.example/".into(), model: None, system: None },
        secret: Some(secret("A")),
        rotate: false,
    }
}

fn language_model() -> RobotConnection {
    let settings = RobotSettings { model: Some("guide-7b".into()), system: Some("Be kind.".into()), ..over_http().settings };
    RobotConnection { protocol: RobotProtocol::ChatCompletions, settings, secret: None, ..over_http() }
}

fn connect(name: &str, connection: RobotConnection) -> TenantCommand {
    TenantCommand::ConnectRobot { robot: robot(name), connection: connection.into() }
}

fn connected(name: &str, connection: RobotConnection) -> TenantEvent {
    let RobotConnection { protocol, uses, time_out, settings, .. } = connection;
    RobotConnected { robot: robot(name), protocol, uses, time_out, private: Private::Known(settings) }.into()
}

fn secret_set(name: &str, secret: SharedSecret) -> TenantEvent {
    RobotSecretSet { robot: robot(name), private: Private::Known(secret) }.into()
}

fn disconnect(name: &str) -> TenantCommand {
    TenantCommand::DisconnectRobot { robot: robot(name) }
}

fn disconnected(name: &str) -> TenantEvent {
    RobotDisconnected { robot: robot(name) }.into()
}

#[test]
fn a_new_robot_gets_its_secret_and_keeps_it_until_it_is_rotated_or_talked_with_otherwise() {
    let with = |letter| RobotConnection { secret: Some(secret(letter)), ..over_http() };
    let key = SharedSecret { secret: "sk-1".into() };
    given_created()
        .when(connect("r", with("A")))
        .then([connected("r", over_http()), secret_set("r", secret("A"))])
        .when(connect("r", with("B")))
        .then([connected("r", over_http())])
        .when(connect("r", RobotConnection { rotate: true, ..with("C") }))
        .then([connected("r", over_http()), secret_set("r", secret("C"))])
        .when(connect("r", language_model()))
        .then([connected("r", language_model())])
        .when(connect("r", RobotConnection { secret: Some(key.clone()), rotate: true, ..language_model() }))
        .then([connected("r", language_model()), secret_set("r", key)])
        .when(connect("r", language_model()))
        .then([connected("r", language_model())])
        .when(connect("r", with("D")))
        .then([connected("r", over_http()), secret_set("r", secret("D"))]);
}

#[test]
fn one_that_goes_is_gone_once_and_comes_back_with_another_secret() {
    given_created()
        .when(disconnect("r"))
        .then_nothing()
        .when(connect("r", over_http()))
        .then_accepted()
        .when(disconnect("r"))
        .then([disconnected("r")])
        .when(disconnect("r"))
        .then_nothing()
        .when(connect("r", over_http()))
        .then([connected("r", over_http()), secret_set("r", secret("A"))]);
}

#[test]
fn what_it_is_there_for_counts_once_each() {
    let uses = vec![RobotUse::Assist, RobotUse::Seat, RobotUse::Assist];
    let both = RobotConnection { uses: vec![RobotUse::Seat, RobotUse::Assist], secret: None, ..over_http() };
    let given = given_created().when(connect("r", RobotConnection { uses, secret: None, ..over_http() }));
    given.then([connected("r", both)]);
    given_created().when(connect("r", RobotConnection { uses: vec![], ..over_http() })).then_refused(TenantError::RobotWithoutUse);
}

#[test]
fn the_names_that_flows_give_to_something_else_are_taken() {
    for name in ["faq", "none"] {
        given_created().when(connect(name, over_http())).then_refused(TenantError::RobotNameTaken { robot: robot(name) });
    }
}

#[test]
fn it_has_a_time_an_address_and_a_model_where_one_is_talked_with() {
    let refused = |connection, error: TenantError| given_created().when(connect("r", connection)).then_refused(error);
    let max = ROBOT_TIME_OUT_MAX;
    given_created().when(connect("r", RobotConnection { time_out: max, ..over_http() })).then_accepted();
    for value in [Millis(0), Millis(max.0 + 1)] {
        let out_of_range = TenantError::LimitOutOfRange { limit: "timeout_ms", value, max };
        let _ = refused(RobotConnection { time_out: value, ..over_http() }, out_of_range);
    }
    let too_long = |field, bytes_max| TenantError::TextTooLong { field, bytes_max };
    let model = |settings| RobotConnection { settings, ..language_model() };
    let said = language_model().settings;
    let of = |bytes: usize| "x".repeat(bytes);
    let _ = refused(model(RobotSettings { url: String::new(), ..said.clone() }), TenantError::RobotAddressEmpty);
    let _ = refused(model(RobotSettings { url: of(URL_BYTES_MAX + 1), ..said.clone() }), too_long("url", URL_BYTES_MAX));
    let _ = refused(model(RobotSettings { model: Some(of(MODEL_BYTES_MAX + 1)), ..said.clone() }), too_long("model", MODEL_BYTES_MAX));
    let _ = refused(model(RobotSettings { system: Some(of(SYSTEM_BYTES_MAX + 1)), ..said.clone() }), too_long("system", SYSTEM_BYTES_MAX));
    let _ = refused(model(RobotSettings { model: None, ..said.clone() }), TenantError::RobotWithoutModel);
    let _ = refused(model(RobotSettings { model: Some(String::new()), ..said.clone() }), TenantError::RobotWithoutModel);
    let _ = refused(RobotConnection { settings: said, ..over_http() }, TenantError::RobotTakesNoModel);
}

#[test]
fn a_key_fits_a_header_and_a_secret_cannot_be_guessed() {
    let key = |text: &str| RobotConnection { secret: Some(SharedSecret { secret: text.into() }), ..language_model() };
    for bad in ["", "two words", "sk-1\r\nx: y", "钥匙", &"x".repeat(ROBOT_KEY_BYTES_MAX + 1)] {
        given_created().when(connect("r", key(bad))).then_refused(TenantError::InvalidRobotKey { bytes_max: ROBOT_KEY_BYTES_MAX });
    }
    given_created().when(connect("r", key(&"x".repeat(ROBOT_KEY_BYTES_MAX)))).then_accepted();
    let short = RobotConnection { secret: Some(SharedSecret { secret: "A".repeat(42) }), ..over_http() };
    given_created().when(connect("r", short)).then_refused(TenantError::IdentitySecretTooShort { characters_min: 43 });
}

#[test]
fn robots_are_limited_and_one_that_goes_makes_room() {
    given_created()
        .and((0..ROBOTS_MAX).map(|number| connected(&format!("r{number}"), over_http())))
        .when(connect("more", over_http()))
        .then_refused(TenantError::TooManyRobots { robots_max: ROBOTS_MAX })
        .when(connect("r1", over_http()))
        .then_accepted()
        .when(disconnect("r1"))
        .then([disconnected("r1")])
        .when(connect("more", over_http()))
        .then_accepted();
}

#[test]
fn a_flow_names_the_robots_that_are_seats_and_no_others() {
    let text = r#"{"flow": "reception", "languages": ["en"], "robot": [{"seat": "guide"}], "destinations": {"us": {"group": "main"}}, "route": [{"to": "us"}]}"#;
    let flow: ReceptionFlow = serde_json::from_str(text).unwrap();
    let publish =
        || TenantCommand::PublishFlow { flow: Flow::Reception(flow.clone().into()), shop: None, text: FlowText { text: "…".into() } };
    let assist = RobotConnection { uses: vec![RobotUse::Assist], ..over_http() };
    let unknown = || {
        let problem = Problem::UnknownRobot { seat: robot("guide"), known: vec![robot("faq")] };
        TenantError::FlowFaulty { fault: Fault { path: Path::default().key("robot").index(0).key("seat"), problem }.into() }
    };
    given_created().when(publish()).then_refused(unknown());
    given_created().and([connected("guide", assist)]).when(publish()).then_refused(unknown());
    given_created().and([connected("guide", over_http())]).when(publish()).then_accepted();
    given_created().and([connected("guide", over_http()), disconnected("guide")]).when(publish()).then_refused(unknown());
}

#[test]
fn a_flow_names_the_robots_that_score_and_no_others() {
    let text = r#"{"flow": "assignment", "default": {"choose": [{"scorer": {"name": "model"}}]}}"#;
    let flow: AssignmentFlow = serde_json::from_str(text).unwrap();
    let publish =
        || TenantCommand::PublishFlow { flow: Flow::Assignment(flow.clone().into()), shop: None, text: FlowText { text: "…".into() } };
    let scorer = || RobotConnection { uses: vec![RobotUse::Scorer], ..over_http() };
    let unknown = || {
        let problem = Problem::UnknownScorer { name: robot("model"), known: vec![] };
        let path = Path::default().key("default").key("choose").index(0).key("scorer").key("name");
        TenantError::FlowFaulty { fault: Fault { path, problem }.into() }
    };
    given_created().when(publish()).then_refused(unknown());
    given_created().and([connected("model", over_http())]).when(publish()).then_refused(unknown());
    given_created().and([connected("model", scorer())]).when(publish()).then_accepted();
}

#[test]
fn neither_address_nor_secret_is_in_the_state() {
    let given = given_created().when(connect("r", over_http())).then_accepted();
    let state = serde_json::to_string(given.state()).unwrap();
    assert!(!state.contains("example") && !state.contains("AAAA"));
    testing::assert_survives_a_snapshot(given.state());
}
