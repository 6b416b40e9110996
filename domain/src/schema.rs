//! How texts with rules appear in the JSON Schemas of documents that people write.

/// Describes a type that is written as text: its pattern, and what it is.
macro_rules! text_schema {
    ($name:ident, $pattern:expr, $about:expr) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $about })
            }
        }
    };
}

pub(crate) use text_schema;
