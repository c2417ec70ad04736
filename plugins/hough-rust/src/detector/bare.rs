//! The picture without the discs that were found.
//!
//! What discs touch on all sides shows little of its rim. With the ground in their place it
//! stands alone.

use super::{
    Found, HoughRust,
    parting::{FEW_SWEEPS, edge_width},
};
use crate::{
    edge_model::{normal, widths_off},
    grain::Grain,
    image::Image,
    rays::{RAYS, direction},
    ring::Circle,
};

/// How often what was found is taken out of the picture, at most.
const TIMES: usize = 2;
/// Widths of its edge from which on a disc ends, and below which there is nothing else.
const END: f32 = 4.0;
const DEEP: f32 = 2.0;
/// Depth below its edge at which its level is seen, in widths of the edge, but for half a
/// pixel; and the least radius there, as a share of its own.
const DEPTH: f32 = 3.0;
const CORE: f32 = 0.3;
/// Two discs are not as close to each other as this share of the larger radius.
const WITHIN: f64 = 0.75;

impl HoughRust {
    /// Looks for neighbours of the discs that were found, with radii between two, in the picture
    /// without these. `levels` of it are searched.
    pub(super) fn search_between(&mut self, image: &Image<'_>, levels: usize, limits: (f64, f64)) {
        // That of the picture itself.
        self.grain.get_or_init(|| Grain::of(image));
        let mut planes = std::mem::take(&mut self.bare);
        for _ in 0..TIMES {
            if self.sizes.is_empty() || self.found.len() >= self.config.max_circles {
                break;
            }
            let before = self.found.len();
            // Their edges must be where they are.
            self.part(image, FEW_SWEEPS);
            self.look_for_ground(image);
            self.take_out(image, &mut planes);
            self.found.iter_mut().for_each(|f| f.is_out = true);
            let size = image.width * image.height;
            let plane = |c: usize| planes.get(c * size..(c + 1) * size).unwrap_or_default();
            let (planes, channels) = ([0, 1, 2].map(plane), image.channels());
            let bare = Image::planar(planes, channels, image.width, image.height);
            self.pyramid.build(&bare, levels);
            self.search_neighbours(&bare, limits);
            self.drop_halos();
            if self.found.len() == before {
                break;
            }
        }
        self.bare = planes;
    }

    /// Drops what was found around a disc that was taken out: what the model leaves of it.
    fn drop_halos(&mut self) {
        for i in (0..self.found.len()).rev() {
            let new = self.found[i].fit.circle;
            let is_around = |old: &Found| {
                let Circle { r, .. } = old.fit.circle;
                old.is_out && old.fit.circle.distance(&new) < WITHIN * r.max(new.r)
            };
            if !self.found[i].is_out && self.found.iter().any(is_around) {
                self.found.remove(i);
            }
        }
    }

    /// Copies a picture into planes, with the ground in the place of the discs.
    fn take_out(&self, image: &Image<'_>, planes: &mut Vec<u8>) {
        planes.clear();
        for channel in (0..image.channels()).map(|c| image.channel(c)) {
            for row in (0..image.height).map(|y| channel.row(0, y)) {
                planes.extend(row.iter().step_by(channel.step()));
            }
        }
        let size = (image.width * image.height).max(1);
        for (c, plane) in planes.chunks_exact_mut(size).enumerate() {
            let channel = image.channel(c);
            for (found, body) in self.found.iter().zip(&self.bodies) {
                let width = edge_width(&found.fit) as f32;
                let (x, y) = body.ground_at();
                if let Some(ground) = channel.sample(x, y, &[1.0; 3]) {
                    cover(&channel, plane, (&found.fit.circle, width), ground);
                }
            }
        }
    }
}

/// Takes a disc, of which the edge has a `width`, out of a copy of a channel.
fn cover(channel: &Image<'_>, plane: &mut [u8], (disc, width): (&Circle, f32), ground: f32) {
    let (x, y, r) = (disc.x as f32, disc.y as f32, disc.r as f32);
    let core = (r - DEPTH * width - 0.5).max(CORE * r);
    let level = |k| {
        let (dx, dy) = direction(k);
        channel.sample(x + core * dx, y + core * dy, &[1.0; 3]).unwrap_or(ground)
    };
    let levels: [f32; RAYS] = std::array::from_fn(level);
    let reach = r + END * width;
    let pixels = |middle: f32, n: usize| {
        let (from, to) = ((middle - reach).ceil().max(0.0), (middle + reach).floor() + 1.0);
        from as usize..(to.max(0.0) as usize).min(n)
    };
    for row in pixels(y, channel.height) {
        for column in pixels(x, channel.width) {
            let (u, v) = (column as f32 - x, row as f32 - y);
            let rho = (u * u + v * v).sqrt();
            let d = widths_off(rho, r, width);
            let value = &mut plane[row * channel.width + column];
            if d < -DEEP {
                *value = ground.round() as u8;
            } else if d < END {
                let turn = libm::atan2f(v, u) * (RAYS as f32 / std::f32::consts::TAU);
                let k = (turn.round() + RAYS as f32) as usize % RAYS;
                let left = f32::from(*value) - (levels[k] - ground) * normal(d).0;
                *value = left.round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}
