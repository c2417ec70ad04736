//! Textured backgrounds: patterns t(p) between -1 and 1.

use super::{
    degradation::Texture,
    rng::{Counter, Dice},
};

/// Stream of the seed for orientation and phase.
const STREAM: u64 = 1;
/// Points per pixel and axis at which patterns with edges are sampled.
const SAMPLES: u32 = 4;
/// Brings four octaves of gradient noise to about -1..1; what is beyond is clipped.
const CLOUDS_GAIN: f64 = 1.6;
/// Half the width of the joints between bricks, as a share of the scale.
const JOINT: f64 = 0.05;

/// The pattern of every pixel, row by row; `None` where it is zero everywhere.
pub(crate) fn pattern(texture: Texture, scale: f64, seed: u64, size: [u32; 2]) -> Option<Vec<f32>> {
    let mut dice = Dice::new(seed, STREAM);
    let [cos, sin] = dice.direction();
    let phase = [dice.between(0.0, scale), dice.between(0.0, scale)];
    let key = Counter::new(dice.bits());
    let turn = move |x: f64, y: f64| {
        [(x * cos + y * sin + phase[0]) / scale, (y * cos - x * sin + phase[1]) / scale]
    };
    let fill = |at: &dyn Fn(f64, f64) -> f64, samples: u32| {
        let mut values = Vec::with_capacity(size[0] as usize * size[1] as usize);
        let offsets: Vec<f64> =
            (0..samples).map(|k| (f64::from(k) + 0.5) / f64::from(samples) - 0.5).collect();
        let share = 1.0 / f64::from(samples * samples);
        for y in 0..size[1] {
            for x in 0..size[0] {
                let sum: f64 = offsets
                    .iter()
                    .flat_map(|dy| offsets.iter().map(move |dx| (dx, dy)))
                    .map(|(dx, dy)| at(f64::from(x) + dx, f64::from(y) + dy))
                    .sum();
                values.push((sum * share) as f32);
            }
        }
        Some(values)
    };
    match texture {
        Texture::Flat => None,
        Texture::Clouds => fill(&|x, y| clouds(key, x / scale, y / scale), 1),
        Texture::Grain => fill(&|x, y| grain(key, x / scale, y / scale), 1),
        Texture::Waves => fill(&|x, y| libm::sin(std::f64::consts::TAU * turn(x, y)[0]), 1),
        Texture::Checker => fill(
            &|x, y| {
                let [u, v] = turn(x, y);
                if (u.floor() + v.floor()).rem_euclid(2.0) < 1.0 { 1.0 } else { -1.0 }
            },
            SAMPLES,
        ),
        Texture::Bricks => {
            fill(&|x, y| bricks(key, (x + phase[0]) / scale, (y + phase[1]) / scale), SAMPLES)
        }
    }
}

/// A value in -1..1 for a lattice point.
fn lattice(key: Counter, i: f64, j: f64) -> f64 {
    let bits = key.child(i as i64 as u64).at(j as i64 as u64);
    (bits >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
}

fn grain(key: Counter, x: f64, y: f64) -> f64 {
    let (i, j) = (x.floor(), y.floor());
    let (s, t) = (x - i, y - j);
    let row = |j: f64| lattice(key, i, j) * (1.0 - s) + lattice(key, i + 1.0, j) * s;
    row(j) * (1.0 - t) + row(j + 1.0) * t
}

/// Gradient noise with the quintic fade (Perlin, "Improving noise", 2002).
fn clouds(key: Counter, x: f64, y: f64) -> f64 {
    let (mut sum, mut scale, mut share) = (0.0, 1.0, 1.0);
    for octave in 0..4 {
        let (gx, gy) = (key.child(2 * octave), key.child(2 * octave + 1));
        let (u, v) = (x * scale, y * scale);
        let (i, j) = (u.floor(), v.floor());
        let fade = |t: f64| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
        let corner = |di: f64, dj: f64| {
            lattice(gx, i + di, j + dj) * (u - i - di) + lattice(gy, i + di, j + dj) * (v - j - dj)
        };
        let (s, t) = (fade(u - i), fade(v - j));
        let top = corner(0.0, 0.0) * (1.0 - s) + corner(1.0, 0.0) * s;
        let bottom = corner(0.0, 1.0) * (1.0 - s) + corner(1.0, 1.0) * s;
        sum += share * (top * (1.0 - t) + bottom * t);
        (scale, share) = (2.0 * scale, 0.5 * share);
    }
    (CLOUDS_GAIN * sum).clamp(-1.0, 1.0)
}

fn bricks(key: Counter, u: f64, v: f64) -> f64 {
    let row = v.floor();
    // Every other row is shifted by half a brick.
    let along = 0.5 * u + 0.5 * row.rem_euclid(2.0);
    let brick = along.floor();
    let (s, t) = (2.0 * (along - brick), v - row);
    if s.min(2.0 - s).min(t).min(1.0 - t) < JOINT {
        return -1.0;
    }
    0.5 + 0.5 * lattice(key, brick, row)
}

#[cfg(test)]
#[path = "texture_tests.rs"]
mod tests;
