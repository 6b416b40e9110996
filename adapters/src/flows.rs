//! Flows as people write them: text in YAML or JSON, its faults with their lines, differences of two, and the JSON Schemas.
//!
//! What may be in a flow and what is wrong with one is the domain's to say.

pub mod command;
pub mod diff;
pub mod followed;
mod located;
mod publish;
pub mod published;
pub mod rehearse;
#[cfg(test)]
mod tests;
pub mod text;

use domain::flow::FlowKind;
use domain::flow::assignment::AssignmentFlow;
use domain::flow::reception::ReceptionFlow;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The JSON Schema of a flow (draft 2020-12), for editors and for those who generate documents.
///
/// # Panics
/// Never: a schema is JSON.
#[must_use]
pub fn schema(kind: FlowKind) -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = match kind {
        FlowKind::Reception => generator.into_root_schema_for::<ReceptionFlow>(),
        FlowKind::Assignment => generator.into_root_schema_for::<AssignmentFlow>(),
    };
    schema.insert("$id".into(), format!("urn:kefu:flow:{}:1", kind.as_str()).into());
    serde_json::to_value(schema).expect("a schema is JSON")
}
