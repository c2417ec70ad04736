//! From an outline to a mask: point spread, exposure, pixel area.

use std::f64::consts::{PI, TAU};

use super::{
    camera::{Camera, Image, Outline},
    disc, gauss,
    patch::{Patch, Row},
    scanline::Scanlines,
};

/// Point spread, and the space to work in.
#[derive(Debug, Clone)]
pub(crate) struct Optics {
    canvas: [u32; 2],
    sigma: f64,
    lines: Scanlines,
    sharp: Patch,
    sum: Vec<f32>,
}

/// Distance of outline points in units of the point spread. The sum over them
/// converges like exp(-2 pi^2 / s^2): 3e-11 here.
const SPACING: f64 = 0.9;
/// Greatest distance between a sharp outline and its polygon, in pixels.
const SAGITTA: f64 = 2e-6;
/// Instants per pixel of motion when nothing else blurs: the mean over them
/// is good to 1e-3 of the contrast (see the test).
const INSTANTS_PER_PIXEL: f64 = 32.0;

impl Optics {
    pub(crate) fn new(canvas: [u32; 2], sigma: f64) -> Self {
        Self {
            canvas,
            sigma,
            lines: Scanlines::default(),
            sharp: Patch::new(canvas[0], canvas[1]),
            sum: Vec::new(),
        }
    }

    /// What the image of a ball covers of each pixel.
    pub(crate) fn expose(&mut self, camera: &Camera, image: &Image, patch: &mut Patch) {
        let smear = image.smear;
        let length = (smear[0] * smear[0] + smear[1] * smear[1]).sqrt();
        if self.sigma > 0.0 {
            self.expose_soft(camera, image, length, patch);
        } else if let Outline::Circle([x, y], r) = image.outline {
            match length {
                0.0 => disc::cover(patch, x, y, r),
                _ => self.expose_disc([x, y], r, smear, length, patch),
            }
        } else {
            self.expose_polygon(camera, image, length, patch);
        }
    }

    /// What a polygon covers that moves along with `image`.
    pub(crate) fn expose_plate(
        &mut self,
        corners: &[[f64; 2]],
        smear: [f64; 2],
        patch: &mut Patch,
    ) {
        let length = (smear[0] * smear[0] + smear[1] * smear[1]).sqrt();
        self.start(corners.iter().copied(), smear);
        for [t, weight] in self.instants(length) {
            for (k, p) in corners.iter().enumerate() {
                let q = corners[(k + 1) % corners.len()];
                let at = |p: [f64; 2]| [p[0] + t * smear[0], p[1] + t * smear[1]];
                self.side(at(*p), at(q), weight);
            }
        }
        self.lines.finish(patch);
    }

    fn side(&mut self, p: [f64; 2], q: [f64; 2], weight: f64) {
        if self.sigma == 0.0 {
            return self.lines.edge(p, q, weight);
        }
        let d = [q[0] - p[0], q[1] - p[1]];
        let length = (d[0] * d[0] + d[1] * d[1]).sqrt();
        let panels = (length / (2.0 * self.sigma)).ceil().max(1.0);
        for k in 0..panels as u32 {
            for (node, w) in GAUSS_LEGENDRE {
                let s = (f64::from(k) + 0.5 + 0.5 * node) / panels;
                let dy = d[1] * weight * 0.5 * w / panels;
                self.lines.blurred(p[0] + s * d[0], p[1] + s * d[1], dy, self.sigma);
            }
        }
    }

    fn expose_soft(&mut self, camera: &Camera, image: &Image, length: f64, patch: &mut Patch) {
        // The points of a stretched outline are furthest apart along its long side.
        let reach = camera.longest(&image.outline).max(1.2 * image.radius);
        let n = (TAU * reach / (SPACING * self.sigma)).ceil().max(48.0) as usize;
        let step = TAU / n as f64;
        let points: Vec<([f64; 2], f64)> = (0..n)
            .map(|k| {
                let t = step * k as f64;
                (camera.point(&image.outline, t), camera.tangent(&image.outline, t)[1] * step)
            })
            .collect();
        self.start(points.iter().map(|p| p.0), image.smear);
        for [t, weight] in self.instants(length) {
            let (sx, sy) = (t * image.smear[0], t * image.smear[1]);
            for ([x, y], dy) in &points {
                self.lines.blurred(x + sx, y + sy, dy * weight, self.sigma);
            }
        }
        self.lines.finish(patch);
    }

    fn expose_polygon(&mut self, camera: &Camera, image: &Image, length: f64, patch: &mut Patch) {
        let reach = camera.longest(&image.outline).max(image.radius);
        let n = (PI * (reach / (2.0 * SAGITTA)).sqrt()).ceil().max(64.0) as usize;
        let points: Vec<[f64; 2]> =
            (0..n).map(|k| camera.point(&image.outline, TAU * k as f64 / n as f64)).collect();
        self.start(points.iter().copied(), image.smear);
        for [t, weight] in self.instants(length) {
            let at = |p: [f64; 2]| [p[0] + t * image.smear[0], p[1] + t * image.smear[1]];
            for (k, p) in points.iter().enumerate() {
                self.lines.edge(at(*p), at(points[(k + 1) % n]), weight);
            }
        }
        self.lines.finish(patch);
    }

    /// A sharp disc in motion: the mean of its exact coverage over the exposure.
    fn expose_disc(
        &mut self,
        [x, y]: [f64; 2],
        r: f64,
        smear: [f64; 2],
        length: f64,
        patch: &mut Patch,
    ) {
        let (hx, hy) = (0.5 * smear[0].abs() + r, 0.5 * smear[1].abs() + r);
        patch.rows(x - hx, y - hy, x + hx, y + hy, |_, first, alpha| {
            let end = first + alpha.len() as i32;
            Row { start: first, solid: end, solid_end: end, end }
        });
        let bounds = patch.bounds();
        let width = (bounds.x1 - bounds.x0).max(0) as usize;
        self.sum.clear();
        self.sum.resize(width * (bounds.y1 - bounds.y0).max(0) as usize, 0.0);
        for [t, weight] in self.instants(length) {
            disc::cover(&mut self.sharp, x + t * smear[0], y + t * smear[1], r);
            let inner = self.sharp.bounds();
            for j in inner.y0..inner.y1 {
                let (row, alpha) = self.sharp.row(j);
                let from = (j - bounds.y0) as usize * width;
                for (i, a) in (row.start..row.end).zip(alpha) {
                    self.sum[from + (i - bounds.x0) as usize] += a * weight as f32;
                }
            }
        }
        let sum = &self.sum;
        patch.rows(x - hx, y - hy, x + hx, y + hy, |j, first, alpha| {
            let from = (j - bounds.y0) as usize * width;
            alpha.copy_from_slice(&sum[from..from + width]);
            let end = first + width as i32;
            Row { start: first, solid: end, solid_end: end, end }
        });
    }

    fn start(&mut self, points: impl Iterator<Item = [f64; 2]>, smear: [f64; 2]) {
        let margin = match self.sigma {
            0.0 => 0.0,
            s => 0.5 + gauss::REACH * s,
        };
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for p in points {
            for a in [0, 1] {
                let half = 0.5 * smear[a].abs() + margin;
                low[a] = low[a].min(p[a] - half);
                high[a] = high[a].max(p[a] + half);
            }
        }
        self.lines.start(self.canvas, low, high);
    }

    /// Instants of the exposure from -1/2 to 1/2, and their weights.
    fn instants(&self, length: f64) -> impl Iterator<Item = [f64; 2]> + use<> {
        // Out of focus the integrand is smooth, and panels of two standard
        // deviations with five nodes are exact to rounding of the masks.
        let (panels, nodes): (f64, &[(f64, f64)]) = match length {
            0.0 => (1.0, &MIDPOINT),
            l if self.sigma > 0.0 => ((l / (2.0 * self.sigma)).ceil(), &GAUSS_LEGENDRE),
            l => ((l * INSTANTS_PER_PIXEL).ceil(), &MIDPOINT),
        };
        (0..panels as u32).flat_map(move |k| {
            nodes.iter().map(move |(node, weight)| {
                [(f64::from(k) + 0.5 + 0.5 * node) / panels - 0.5, 0.5 * weight / panels]
            })
        })
    }
}

const MIDPOINT: [(f64, f64); 1] = [(0.0, 2.0)];

/// Five nodes on [-1, 1] and their weights (Abramowitz and Stegun, table 25.4).
const GAUSS_LEGENDRE: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.906_179_845_938_664, 0.236_926_885_056_189_1),
];

#[cfg(test)]
#[path = "optics_tests.rs"]
mod tests;
