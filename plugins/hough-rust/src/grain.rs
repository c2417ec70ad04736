//! The noise of a picture, from its quietest parts.

use crate::image::{Image, Weights};

/// Places that are looked at, in each direction, and their size in pixels.
const PLACES: usize = 18;
const PLACE: (usize, usize) = (8, 4);
/// Levels that a sensor which is at its end shows without noise.
const CLIPPED: (f32, f32) = (1.5, 253.5);
/// The quietest places, as shares of all, that tell the noise: those between.
const QUIET: (f64, f64) = (0.1, 0.3);
/// Places that are not clipped, at least.
const FEWEST: usize = 12;

/// The covariance of the channels' noise, where the picture is quietest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grain([[f32; 3]; 3]);

impl Grain {
    /// That of a picture; `None` where it is too small or clipped.
    ///
    /// Second differences along a row see white noise of variance v as 6 v, and nothing of
    /// light that changes evenly.
    pub(crate) fn of(image: &Image<'_>) -> Option<Self> {
        let (width, height) = PLACE;
        if image.width < width || image.height < height {
            return None;
        }
        let mut places = [[[0.0; 3]; 3]; PLACES * PLACES];
        let mut n = 0;
        for i in 0..places.len() {
            let x = (image.width - width) * (i % PLACES) / (PLACES - 1);
            let y = (image.height - height) * (i / PLACES) / (PLACES - 1);
            if let Some(sums) = differences(&image.crop(x, y, width, height)) {
                places[n] = sums;
                n += 1;
            }
        }
        if n < FEWEST {
            return None;
        }
        let places = &mut places[..n];
        let all = |sums: &Sums| sums[0][0] + sums[1][1] + sums[2][2];
        places.sort_unstable_by(|a, b| all(a).total_cmp(&all(b)));
        let rank = |share: f64| (share * n as f64) as usize;
        let quiet = &places[rank(QUIET.0)..rank(QUIET.1)];
        let scale = 1.0 / (6 * (width - 2) * height * quiet.len()) as f32;
        let mut covariance = [[0.0; 3]; 3];
        for sums in quiet {
            for (row, sums) in covariance.iter_mut().zip(sums) {
                row.iter_mut().zip(sums).for_each(|(of, sum)| *of += scale * sum);
            }
        }
        Some(Self(covariance))
    }

    /// Standard deviation in a mix of the channels, grey levels.
    pub(crate) fn deviation(&self, weights: &Weights) -> f64 {
        let row = |row: &[f32; 3]| row.iter().zip(weights).map(|(c, w)| c * w).sum::<f32>();
        let variance: f32 = self.0.iter().zip(weights).map(|(r, w)| w * row(r)).sum();
        f64::from(variance).max(0.0).sqrt()
    }
}

/// Sums of the products of second differences, channel by channel.
type Sums = [[f32; 3]; 3];

/// Those of a place; `None` where a pixel is clipped.
fn differences(place: &Image<'_>) -> Option<Sums> {
    let channels = place.channels();
    let mut sums = [[0.0; 3]; 3];
    for y in 0..place.height {
        let mut d = [[0.0; PLACE.0 - 2]; 3];
        for (c, d) in d.iter_mut().enumerate().take(channels) {
            let row = place.row(c, y);
            let at = |x: usize| f32::from(row[x * place.step()]);
            for (x, d) in d.iter_mut().enumerate() {
                let middle = at(x + 1);
                if middle < CLIPPED.0 || middle > CLIPPED.1 {
                    return None;
                }
                *d = at(x) - 2.0 * middle + at(x + 2);
            }
        }
        for (of, a) in sums.iter_mut().zip(&d) {
            for (sum, b) in of.iter_mut().zip(&d) {
                *sum += a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            }
        }
    }
    Some(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Light that changes evenly, noise on the left, something coarse on the right.
    #[test]
    fn the_quiet_parts_tell_the_noise() {
        let mut state = 1_u32;
        let mut unit = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        let (w, h) = (160, 120);
        let mut data = vec![0; w * h];
        for (i, v) in data.iter_mut().enumerate() {
            let (x, y) = (i % w, i / w);
            // The sum of twelve has a variance of 1.
            let noise = 3.0 * ((0..12).map(|_| unit()).sum::<f64>() - 6.0);
            let coarse = if x > 100 { 60.0 * unit() } else { 0.0 };
            *v = (60.0 + 0.3 * x as f64 + 0.2 * y as f64 + noise + coarse).round() as u8;
        }
        let grain = Grain::of(&Image::grey(&data, w, h, w)).unwrap();
        let deviation = grain.deviation(&[1.0, 0.0, 0.0]);
        assert!((2.4..3.2).contains(&deviation), "{deviation}");
        let white = vec![255; w * h];
        assert!(Grain::of(&Image::grey(&white, w, h, w)).is_none());
    }
}
