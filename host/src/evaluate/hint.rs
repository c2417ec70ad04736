//! The radius range that a detector is told.

use serde_json::{Map, Value, json};

use crate::scene::SceneConfig;

/// Room below the smallest and above the largest radius. Distractors keep a
/// quarter away from the ball's: a fit of one that is slightly off is still out of the room.
const ROOM: (f64, f64) = (0.8, 1.2);

/// The least and the largest radius of the balls of a scene, in pixels.
pub fn radii(config: &SceneConfig) -> [f64; 2] {
    let ball = &config.ball;
    let mut least = ball.radius * (1.0 - ball.pulse);
    let mut most = ball.radius * (1.0 + ball.pulse);
    if ball.count > 1 {
        least = least.min(ball.other_radius[0] * (1.0 - ball.pulse));
        most = most.max(ball.other_radius[1] * (1.0 + ball.pulse));
    }
    [least, most]
}

/// `min_radius` and `max_radius` for balls with radii from `least` to `most`, as a user
/// who knows them would set these: the keys that are in the plugin's `schema` and not
/// in the user's `table`, within the schema's range, whole numbers where it
/// asks for them. Nothing where the plugin's range leaves the balls no room.
pub fn radius_hint(
    schema: &Value,
    table: &Map<String, Value>,
    [least, most]: [f64; 2],
) -> Map<String, Value> {
    let keys = [("min_radius", least * ROOM.0, true), ("max_radius", most * ROOM.1, false)];
    let mut hint = Map::new();
    for (key, radius, down) in keys {
        let property = &schema["properties"][key];
        let integer = match property["type"].as_str() {
            Some("integer") => true,
            Some("number") => false,
            _ => continue,
        };
        if table.contains_key(key) {
            continue;
        }
        let low = property["minimum"].as_f64().unwrap_or(f64::MIN);
        let high = property["maximum"].as_f64().unwrap_or(f64::MAX);
        if if down { most < low } else { least > high } {
            return Map::new();
        }
        let radius = radius.clamp(low, high.max(low));
        // What the user says of the other end is right; a largest radius of 0 is none.
        let other = table.get(if down { "max_radius" } else { "min_radius" });
        let contradicts =
            |other: f64| if down { other > 0.0 && radius > other } else { radius < other };
        if other.and_then(Value::as_f64).is_some_and(contradicts) {
            continue;
        }
        let value = match (integer, down) {
            (true, true) => json!(radius.floor().max(low.ceil()) as i64),
            (true, false) => json!(radius.ceil() as i64),
            // Tenths are enough, and readable.
            (false, true) => json!(((radius * 10.0).floor() / 10.0).max(low)),
            (false, false) => json!(((radius * 10.0).ceil() / 10.0).min(high)),
        };
        hint.insert(key.to_owned(), value);
    }
    // Balls that are too small or too large for the plugin: it is better told nothing.
    let end = |key: &str| hint.get(key).and_then(Value::as_f64);
    if end("min_radius").zip(end("max_radius")).is_some_and(|(low, high)| low >= high) {
        hint.clear();
    }
    hint
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(kind: &str) -> Value {
        json!({"properties": {
            "min_radius": {"type": kind, "minimum": 4},
            "max_radius": {"type": kind, "minimum": 0, "maximum": 100},
        }})
    }

    #[test]
    fn the_range_covers_all_balls_and_stays_within_the_schema() {
        let mut config = SceneConfig::default();
        config.ball.radius = 24.0;
        config.ball.pulse = 0.5;
        let hint = radius_hint(&schema("number"), &Map::new(), radii(&config));
        assert_eq!(Value::from(hint), json!({"min_radius": 9.6, "max_radius": 43.2}));
        config.ball.count = 3;
        config.ball.other_radius = [5.0, 90.0];
        let hint = radius_hint(&schema("integer"), &Map::new(), radii(&config));
        assert_eq!(Value::from(hint), json!({"min_radius": 4, "max_radius": 100}));
    }

    #[test]
    fn what_the_user_set_stays_and_other_schemas_get_nothing() {
        let config = SceneConfig::default();
        let table = json!({"min_radius": 7}).as_object().unwrap().clone();
        let hint = radius_hint(&schema("number"), &table, radii(&config));
        assert_eq!(hint.keys().collect::<Vec<_>>(), ["max_radius"]);
        // One that leaves no room for the other end, and one that means any.
        let table = |max: f64| json!({"max_radius": max}).as_object().unwrap().clone();
        assert!(radius_hint(&schema("number"), &table(10.0), radii(&config)).is_empty());
        let hint = radius_hint(&schema("number"), &table(0.0), radii(&config));
        assert_eq!(hint.keys().collect::<Vec<_>>(), ["min_radius"]);
        assert!(radius_hint(&json!({"properties": {}}), &Map::new(), radii(&config)).is_empty());
        assert!(radius_hint(&json!(true), &Map::new(), radii(&config)).is_empty());
    }

    #[test]
    fn balls_that_the_plugin_cannot_look_for_give_no_hint() {
        let mut config = SceneConfig::default();
        for radius in [1.0, 3.9, 100.1, 200.0] {
            config.ball.radius = radius;
            assert!(radius_hint(&schema("number"), &Map::new(), radii(&config)).is_empty());
        }
    }
}
