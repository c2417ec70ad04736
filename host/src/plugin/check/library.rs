//! Checks of the descriptor, the schema and the configuration.

use serde_json::{Map, Value, json};

use super::work::{Bench, Outcome, Trouble};
use crate::plugin::{FaultCause, Kind, PluginFault, Role, schema};

/// Instances made before memory is measured, and after.
const WARM_UP: usize = 100;
const INSTANCES: usize = 1000;
/// Growth over a thousand instances or frames that is put down to the allocator.
pub(super) const GROWTH: u64 = 4 << 20;

/// How making an instance went.
pub(super) enum Made {
    Yes,
    /// By the schema or by the plugin.
    Refused,
    Panicked(String),
}

/// Makes an instance the way a host would: what the schema refuses never
/// reaches the plugin.
pub(super) fn make(bench: &Bench, config: &Map<String, Value>) -> Result<Made, Trouble> {
    let validator = jsonschema::validator_for(&bench.plugin.descriptor().schema)
        .map_err(|e| format!("its schema is broken: {e}"))?;
    if !validator.is_valid(&Value::Object(config.clone())) {
        return Ok(Made::Refused);
    }
    Ok(match instance(bench, config) {
        Ok(()) => Made::Yes,
        Err(PluginFault { cause: FaultCause::Panicked(message), .. }) => Made::Panicked(message),
        Err(_) => Made::Refused,
    })
}

fn instance(bench: &Bench, config: &Map<String, Value>) -> Result<(), PluginFault> {
    let plugin = &bench.plugin;
    match plugin.descriptor().kind {
        Kind::Detector => plugin.detector(Some(config), Role::Tool).map(drop),
        Kind::Display => plugin.display(Some(config), Role::Tool).map(drop),
    }
}

pub(super) fn describes_itself(bench: &mut Bench) -> Outcome {
    let descriptor = bench.plugin.descriptor();
    if descriptor.version.trim().is_empty() {
        return Err("its version is empty".to_owned().into());
    }
    if descriptor.description.trim().is_empty() {
        return Err("its description is empty".to_owned().into());
    }
    Ok(format!("{} {}", descriptor.name, descriptor.version))
}

pub(super) fn schema_is_valid(bench: &mut Bench) -> Outcome {
    let schema = &bench.plugin.descriptor().schema;
    jsonschema::meta::validate(schema).map_err(|e| e.to_string())?;
    if schema["type"] != json!("object") {
        return Err("it does not describe a table (\"type\": \"object\")".to_owned().into());
    }
    if schema["additionalProperties"] != json!(false) {
        return Err("it allows unknown keys, so a misspelt one would be ignored \
             (#[serde(deny_unknown_fields)] is missing)"
            .to_owned()
            .into());
    }
    let keys = schema::keys(schema, &bench.plugin.descriptor().default_config);
    match keys.iter().find(|key| key.description.is_empty()) {
        Some(key) => Err(format!("the key {:?} has no description", key.name).into()),
        None => Ok(format!("{} keys", keys.len())),
    }
}

pub(super) fn defaults_fit_schema(bench: &mut Bench) -> Outcome {
    fits(bench, &Value::Object(bench.plugin.descriptor().default_config.clone()))
}

pub(super) fn empty_table_fits_schema(bench: &mut Bench) -> Outcome {
    fits(bench, &json!({}))
}

fn fits(bench: &Bench, config: &Value) -> Outcome {
    jsonschema::validate(&bench.plugin.descriptor().schema, config).map_err(|e| e.to_string())?;
    Ok(String::new())
}

pub(super) fn defaults_work(bench: &mut Bench) -> Outcome {
    instance(bench, &bench.table)?;
    Ok(String::new())
}

pub(super) fn unknown_key_refused(bench: &mut Bench) -> Outcome {
    let mut config = bench.plugin.descriptor().default_config.clone();
    config.insert("no-such-key".into(), json!(1));
    match make(bench, &config)? {
        Made::Refused => Ok(String::new()),
        Made::Yes => Err("it was accepted".to_owned().into()),
        Made::Panicked(message) => Err(format!("panicked: {message}").into()),
    }
}

pub(super) fn wrong_types_refused(bench: &mut Bench) -> Outcome {
    let descriptor = bench.plugin.descriptor().clone();
    let keys = schema::keys(&descriptor.schema, &descriptor.default_config);
    let wrong = [json!("text"), json!(true), json!([1]), json!({"a": 1}), json!(0.5), json!(null)];
    let mut tried = 0;
    for key in keys {
        let ours = bench.plugin.descriptor().default_config.get(&key.name).map(type_of);
        for value in wrong.iter().filter(|value| Some(type_of(value)) != ours) {
            bench.step(format!("{} = {value}", key.name))?;
            let mut config = descriptor.default_config.clone();
            config.insert(key.name.clone(), value.clone());
            if let Made::Panicked(message) = make(bench, &config)? {
                return Err(format!("{} = {value} panicked: {message}", key.name).into());
            }
            tried += 1;
        }
    }
    Ok(format!("{tried} values"))
}

fn type_of(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

pub(super) fn range_ends_survived(bench: &mut Bench) -> Outcome {
    let descriptor = bench.plugin.descriptor().clone();
    let properties = descriptor.schema["properties"].as_object().cloned().unwrap_or_default();
    let mut tried = 0;
    for (name, property) in &properties {
        let property = schema::resolve(&descriptor.schema, property);
        let mut ends: Vec<Value> = schema::choices(property);
        for end in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
            ends.extend(property.get(end).cloned());
        }
        if ends.is_empty() && property["type"] == json!("integer") {
            ends.extend([json!(0), json!(-1), json!(u32::MAX), json!(i64::MAX)]);
        } else if ends.is_empty() && property["type"] == json!("number") {
            ends.extend([json!(0.0), json!(-1e300), json!(1e300), json!(1e-300)]);
        }
        for value in ends {
            bench.step(format!("{name} = {value}"))?;
            let mut config = descriptor.default_config.clone();
            config.insert(name.clone(), value.clone());
            if let Made::Panicked(message) = make(bench, &config)? {
                return Err(format!("{name} = {value} panicked: {message}").into());
            }
            tried += 1;
        }
    }
    Ok(format!("{tried} values"))
}

pub(super) fn create_destroy(bench: &mut Bench) -> Outcome {
    if bench.plugin.descriptor().kind == Kind::Display {
        bench.display()?;
    }
    let mut before = 0;
    for i in 0..WARM_UP + INSTANCES {
        if i == WARM_UP {
            before = resident()?;
        }
        if i % 50 == 0 {
            bench.step(format!("instance {i}"))?;
        }
        instance(bench, &bench.table)?;
    }
    growth(before, INSTANCES, "instances")
}

/// The verdict on the growth of this process since `before`.
pub(super) fn growth(before: u64, count: usize, what: &str) -> Outcome {
    let grown = resident()?.saturating_sub(before);
    let text = format!("{} KiB more after {count} {what}", grown >> 10);
    if grown > GROWTH { Err(text.into()) } else { Ok(text) }
}

/// Resident memory of this process, bytes (`/proc/self/status`, proc(5)).
pub(super) fn resident() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|number| number.trim().parse::<u64>().ok())
        .ok_or_else(|| std::io::Error::other("/proc/self/status has no VmRSS"))?;
    Ok(kib << 10)
}
