//! The configuration keys that a plugin's JSON Schema describes, for people.

use serde::Serialize;
use serde_json::{Map, Value};

/// A key of `[plugin.<name>]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Key {
    /// The key.
    pub name: String,
    /// `integer`, `number`, `boolean`, `string`, `array`, `table` or `any`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its value where the configuration says nothing.
    pub default: Value,
    /// What values it may have; empty when all of its type.
    pub allowed: String,
    /// What it does.
    pub description: String,
}

/// The keys at the top level of `schema`, in the schema's order.
pub fn keys(schema: &Value, defaults: &Map<String, Value>) -> Vec<Key> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    properties
        .iter()
        .map(|(name, property)| {
            let target = resolve(schema, property);
            let own = property["description"].as_str();
            let description = own.or_else(|| target["description"].as_str()).unwrap_or_default();
            Key {
                name: name.clone(),
                kind: type_name(target),
                default: defaults.get(name).cloned().unwrap_or(Value::Null),
                allowed: allowed(target),
                description: description.split_whitespace().collect::<Vec<_>>().join(" "),
            }
        })
        .collect()
}

/// `property`, or what its `$ref` points at. Nested references are followed a few steps.
pub(super) fn resolve<'a>(schema: &'a Value, property: &'a Value) -> &'a Value {
    let mut at = property;
    for _ in 0..8 {
        let Some(pointer) = at["$ref"].as_str().and_then(|r| r.strip_prefix('#')) else { break };
        let Some(target) = schema.pointer(pointer) else { break };
        at = target;
    }
    at
}

fn type_name(property: &Value) -> String {
    let plain = |t: &str| if t == "object" { "table".to_owned() } else { t.to_owned() };
    match &property["type"] {
        Value::String(t) => plain(t),
        Value::Array(types) => {
            let names: Vec<_> = types
                .iter()
                .filter_map(Value::as_str)
                .filter(|t| *t != "null")
                .map(plain)
                .collect();
            names.join(" or ")
        }
        _ if !choices(property).is_empty() => "string".to_owned(),
        _ => "any".to_owned(),
    }
}

/// The values of an enumeration, however the schema spells it.
pub(super) fn choices(property: &Value) -> Vec<Value> {
    if let Some(list) = property["enum"].as_array() {
        return list.clone();
    }
    let alternatives = property["oneOf"].as_array().or_else(|| property["anyOf"].as_array());
    alternatives
        .into_iter()
        .flatten()
        .flat_map(|one| match one.get("const") {
            Some(value) => vec![value.clone()],
            None => one["enum"].as_array().cloned().unwrap_or_default(),
        })
        .collect()
}

fn allowed(property: &Value) -> String {
    let choices = choices(property);
    if !choices.is_empty() {
        return choices.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
    }
    let bound = |inclusive: &str, exclusive: &str, sign: &str| {
        property
            .get(inclusive)
            .map(|v| format!("{sign}= {v}"))
            .or_else(|| property.get(exclusive).map(|v| format!("{sign} {v}")))
    };
    let bounds = [
        bound("minimum", "exclusiveMinimum", ">"),
        bound("maximum", "exclusiveMaximum", "<"),
        property.get("multipleOf").map(|v| format!("multiple of {v}")),
    ];
    bounds.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_come_with_type_default_range_and_description() {
        let schema = json!({
            "properties": {
                "threshold": {"type": "integer", "minimum": 0, "maximum": 255, "description": "Grey\nlevel."},
                "factor": {"type": "number", "exclusiveMinimum": 0.0},
                "method": {"$ref": "#/$defs/Method"},
                "radius": {"type": ["number", "null"]},
                "inner": {"type": "object"},
            },
            "$defs": {"Method": {"description": "Which way.", "oneOf": [
                {"const": "fast", "type": "string"}, {"enum": ["exact", "best"], "type": "string"}]}},
        });
        let defaults = json!({"threshold": 128, "method": "fast"});
        let found = keys(&schema, defaults.as_object().unwrap());
        let key = |name: &str| found.iter().find(|k| k.name == name).unwrap();
        assert_eq!(key("threshold").allowed, ">= 0, <= 255");
        assert_eq!(key("threshold").default, json!(128));
        assert_eq!(key("threshold").description, "Grey level.");
        assert_eq!(key("factor").allowed, "> 0.0");
        assert_eq!(key("method").kind, "string");
        assert_eq!(key("method").allowed, r#""fast", "exact", "best""#);
        assert_eq!(key("method").description, "Which way.");
        assert_eq!(key("radius").kind, "number");
        assert_eq!(key("inner").kind, "table");
    }

    #[test]
    fn a_schema_that_refers_to_itself_does_not_hang() {
        let schema = json!({
            "properties": {"a": {"$ref": "#/$defs/A"}},
            "$defs": {"A": {"$ref": "#/$defs/A"}},
        });
        assert_eq!(keys(&schema, &Map::new())[0].kind, "any");
    }
}
