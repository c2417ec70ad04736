//! Configurations and frames out of a seed: the same seed gives the same ones.

use plumbline_plugin_api::{Detections, Overlay, PixelFormat};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde_json::{Value, json};

use super::{
    library::{Made, make},
    work::{Bench, Outcome},
};
use crate::plugin::{Disc, Picture, schema};

const CONFIGS: u32 = 200;
const FRAMES: u64 = 200;
const LARGEST: u64 = 300;

struct Dice(ChaCha8Rng);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n.max(1)
    }

    /// Uniform in [0, 1].
    fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / f64::from(u32::MAX)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Some value for `property`; not always one that the schema allows.
    fn value(&mut self, property: &Value, default: &Value) -> Value {
        let choices = schema::choices(property);
        if !choices.is_empty() {
            return choices[self.below(choices.len() as u64) as usize].clone();
        }
        let limit = |inclusive, exclusive, otherwise| {
            property[inclusive].as_f64().or(property[exclusive].as_f64()).unwrap_or(otherwise)
        };
        let low = limit("minimum", "exclusiveMinimum", -1000.0);
        let high = limit("maximum", "exclusiveMaximum", low.max(0.0) + 1000.0);
        let of = |name: &str| match &property["type"] {
            Value::String(t) => t == name,
            Value::Array(types) => types.iter().any(|t| t == name),
            _ => false,
        };
        // The ends are where mistakes are.
        let number = match self.below(6) {
            0 => low,
            1 => high,
            _ => self.between(low, high),
        };
        if of("null") && self.below(3) == 0 {
            return Value::Null;
        }
        if of("integer") {
            return json!(number.round() as i64);
        }
        if of("number") {
            return json!(number);
        }
        if of("boolean") {
            return json!(self.below(2) == 1);
        }
        default.clone()
    }

    fn picture(&mut self) -> Picture {
        let format = if self.below(2) == 0 { PixelFormat::GRAY8 } else { PixelFormat::BGR8 };
        let (width, height) = (self.below(LARGEST) as u32, self.below(LARGEST) as u32);
        let picture = match self.below(3) {
            0 => Picture::of(width, height, format, || self.0.next_u32() as u8),
            1 => {
                let (a, b) = (self.below(256) as u8, self.below(256) as u8);
                let period = 1 + self.below(40);
                let mut n = 0;
                Picture::of(width, height, format, || {
                    n += 1;
                    if (n / period).is_multiple_of(2) { a } else { b }
                })
            }
            _ => Picture::disc(
                width,
                height,
                format,
                Disc {
                    x: self.between(-20.0, 320.0),
                    y: self.between(-20.0, 320.0),
                    radius: self.between(0.1, 200.0),
                    inside: self.below(256) as u8,
                    outside: self.below(256) as u8,
                },
            ),
        };
        picture.padded(self.below(4) as usize, 99)
    }
}

pub(super) fn config(bench: &mut Bench) -> Outcome {
    let descriptor = bench.plugin.descriptor().clone();
    let properties = descriptor.schema["properties"].as_object().cloned().unwrap_or_default();
    let mut dice = Dice::new(bench.seed);
    let mut made = 0;
    for i in 0..CONFIGS {
        let mut config = descriptor.default_config.clone();
        for (name, property) in &properties {
            if dice.below(2) == 0 {
                let default = config.get(name).cloned().unwrap_or(Value::Null);
                let property = schema::resolve(&descriptor.schema, property);
                config.insert(name.clone(), dice.value(property, &default));
            }
        }
        let text = Value::Object(config.clone()).to_string();
        bench.step(format!("configuration {i}: {text}"))?;
        match make(bench, &config)? {
            Made::Yes => made += 1,
            Made::Refused => {}
            Made::Panicked(message) => return Err(format!("{text} panicked: {message}").into()),
        }
    }
    Ok(format!("{made} of {CONFIGS} made instances"))
}

pub(super) fn detector_frames(bench: &mut Bench) -> Outcome {
    let mut detector = bench.detector()?;
    let mut dice = Dice::new(bench.seed);
    let mut found = Detections::new();
    for i in 0..FRAMES {
        let picture = dice.picture();
        let frame = picture.frame(i);
        bench.step(format!("frame {i}, {frame:?}"))?;
        match detector.detect(&frame, &mut found) {
            Err(fault) if fault.is_panic() => return Err(fault.into()),
            _ if detector.nonsense() > 0 => {
                return Err(format!("frame {i}: {}", detector.last_nonsense()).into());
            }
            _ => {}
        }
    }
    Ok(format!("{FRAMES} frames"))
}

pub(super) fn display_frames(bench: &mut Bench) -> Outcome {
    let mut display = bench.display()?;
    let mut dice = Dice::new(bench.seed);
    for i in 0..FRAMES {
        let picture = dice.picture();
        bench.step(format!("frame {i}, {:?}", picture.frame(i)))?;
        display.show_frame(&picture.frame(i), &Overlay::new(&[]))?;
    }
    Ok(format!("{FRAMES} frames"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_pictures_and_values() {
        let property = json!({"type": "number", "minimum": 1.0, "maximum": 2.0});
        let draw = |seed| {
            let mut dice = Dice::new(seed);
            (dice.picture().data().to_vec(), dice.value(&property, &Value::Null))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn values_follow_the_schema_where_it_has_ranges() {
        let property = json!({"type": "integer", "minimum": 3, "maximum": 9});
        let mut dice = Dice::new(1);
        for _ in 0..100 {
            let value = dice.value(&property, &Value::Null).as_i64().unwrap();
            assert!((3..=9).contains(&value));
        }
    }
}
