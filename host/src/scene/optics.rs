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
mod tests {
    use super::*;
    use crate::scene::{
        SceneConfig,
        degradation::{Lens, Shutter},
    };

    fn image(
        lens: &Lens,
        open: f64,
        readout: f64,
        at: [f64; 2],
        r: f64,
        v: [f64; 2],
    ) -> (Camera, Image) {
        let config = SceneConfig {
            width: 120,
            height: 100,
            lens: lens.clone(),
            shutter: Shutter { open, readout },
            ..SceneConfig::default()
        };
        let camera = Camera::new(&config);
        let image = camera.image(at, r, v);
        (camera, image)
    }

    fn mask(camera: &Camera, image: &Image, sigma: f64) -> Patch {
        let mut patch = Patch::new(120, 100);
        Optics::new([120, 100], sigma).expose(camera, image, &mut patch);
        patch
    }

    /// Independent: the disc's exact coverage at many instants, and for the
    /// point spread a plain sum over a fine grid of shifts.
    fn integrated(i: i32, j: i32, at: [f64; 2], r: f64, smear: [f64; 2], sigma: f64) -> f64 {
        let times = 4000;
        let (shifts, weights): (Vec<f64>, Vec<f64>) = if sigma == 0.0 {
            (vec![0.0], vec![1.0])
        } else {
            let h = sigma / 4.0;
            (-22..=22)
                .map(|k| {
                    (
                        f64::from(k) * h,
                        h / sigma
                            * 0.398_942_280_401_432_7
                            * (-0.5 * (f64::from(k) / 4.0).powi(2)).exp(),
                    )
                })
                .unzip()
        };
        let times = if sigma == 0.0 { times } else { 64 };
        let mut sum = 0.0;
        for k in 0..times {
            let t = (f64::from(k) + 0.5) / f64::from(times) - 0.5;
            for (sy, wy) in shifts.iter().zip(&weights) {
                for (sx, wx) in shifts.iter().zip(&weights) {
                    let (x, y) = (
                        f64::from(i) - at[0] - t * smear[0] + sx,
                        f64::from(j) - at[1] - t * smear[1] + sy,
                    );
                    sum += wx * wy * disc::area_in_box(r, [x - 0.5, x + 0.5], [y - 0.5, y + 0.5]);
                }
            }
        }
        sum / f64::from(times)
    }

    fn rim(at: [f64; 2], r: f64, n: i32) -> impl Iterator<Item = (i32, i32)> {
        (0..n).map(move |k| {
            let t = f64::from(k) * 0.71;
            let s = r + f64::from(k % 5) - 2.0;
            ((at[0] + s * t.cos()).round() as i32, (at[1] + s * t.sin()).round() as i32)
        })
    }

    #[test]
    fn motion_without_defocus_is_the_mean_over_the_exposure() {
        let (at, r, v) = ([50.3, 48.8], 14.2, [9.0, -5.0]);
        let (camera, image) = image(&Lens::default(), 0.6, 0.0, at, r, v);
        let mask = mask(&camera, &image, 0.0);
        for (i, j) in rim(at, r, 25) {
            let exact = integrated(i, j, at, r, image.smear, 0.0);
            assert!(
                (f64::from(mask.at(i, j)) - exact).abs() < 1e-3,
                "{i} {j}: {} {exact}",
                mask.at(i, j)
            );
        }
    }

    #[test]
    fn motion_and_defocus_together_are_the_double_integral() {
        let (at, r, v) = ([50.3, 48.8], 11.2, [6.0, -4.0]);
        let (camera, image) = image(&Lens::default(), 0.5, 0.0, at, r, v);
        let mask = mask(&camera, &image, 0.8);
        for (i, j) in rim(at, r, 8) {
            let exact = integrated(i, j, at, r, image.smear, 0.8);
            assert!(
                (f64::from(mask.at(i, j)) - exact).abs() < 1e-4,
                "{i} {j}: {} {exact}",
                mask.at(i, j)
            );
        }
    }

    /// Independent of outlines: what of the scene a point of the sensor sees.
    /// The point is taken back in time to the middle of the frame, then through
    /// the lens by fixed-point iteration, and its ray is held against the sphere.
    struct Backwards {
        lens: Lens,
        readout: f64,
        at: [f64; 2],
        radius: f64,
        /// Of the image, in pixels per frame.
        velocity: [f64; 2],
    }

    const MIDDLE: [f64; 2] = [59.5, 49.5];

    impl Backwards {
        fn new(lens: &Lens, readout: f64, at: [f64; 2], radius: f64, v: [f64; 2]) -> Self {
            let mut scene = Self { lens: lens.clone(), readout, at, radius, velocity: [0.0; 2] };
            // Where the centre is drawn shortly before and after.
            let drawn = |s: f64| scene.distorted([at[0] + s * v[0], at[1] + s * v[1]]);
            let (before, after) = (drawn(-1e-3), drawn(1e-3));
            scene.velocity = [0, 1].map(|a| (after[a] - before[a]) / 2e-3);
            scene
        }

        fn distorted(&self, p: [f64; 2]) -> [f64; 2] {
            let l = &self.lens;
            let (x, y) = ((p[0] - MIDDLE[0]) / l.focal, (p[1] - MIDDLE[1]) / l.focal);
            let q = x.powi(2) + y.powi(2);
            let radial = 1.0 + l.k1 * q + l.k2 * q.powi(2) + l.k3 * q.powi(3);
            let dx = 2.0 * l.p1 * x * y + l.p2 * (q + 2.0 * x.powi(2));
            let dy = l.p1 * (q + 2.0 * y.powi(2)) + 2.0 * l.p2 * x * y;
            [MIDDLE[0] + l.focal * (x * radial + dx), MIDDLE[1] + l.focal * (y * radial + dy)]
        }

        /// Positive on the ball, `t` frames from the middle of the row's exposure.
        fn inside(&self, x: f64, y: f64, t: f64) -> f64 {
            let t = t + self.readout * (y - MIDDLE[1]) / 100.0;
            let seen = [x - t * self.velocity[0], y - t * self.velocity[1]];
            let mut p = seen;
            for _ in 0..60 {
                let d = self.distorted(p);
                p = [p[0] + seen[0] - d[0], p[1] + seen[1] - d[1]];
            }
            let ray = |p: [f64; 2]| {
                let f = self.lens.focal;
                [(p[0] - MIDDLE[0]) / f, (p[1] - MIDDLE[1]) / f, 1.0]
            };
            if !self.lens.perspective {
                return self.radius - (p[0] - self.at[0]).hypot(p[1] - self.at[1]);
            }
            let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
            let (ray, center) = (ray(p), ray(self.at));
            let size = (self.radius / self.lens.focal).atan().sin();
            let along = dot(center, ray);
            size * size - (dot(center, center) - along * along / dot(ray, ray))
        }

        /// Share of pixel (i, j): exact along x, the midpoint rule along y and in time.
        fn coverage(&self, i: f64, j: f64, open: f64) -> f64 {
            let (rows, times) = if open > 0.0 { (24, 48) } else { (300, 1) };
            let mut sum = 0.0;
            for k in 0..rows {
                let y = j - 0.5 + (f64::from(k) + 0.5) / f64::from(rows);
                for l in 0..times {
                    let t = open * ((f64::from(l) + 0.5) / f64::from(times) - 0.5);
                    for part in 0..4 {
                        let left = i - 0.5 + 0.25 * f64::from(part);
                        sum += self.share(y, t, [left, left + 0.25]);
                    }
                }
            }
            sum / f64::from(rows * times)
        }

        /// Length of the part of [a, b] on the ball, by bisection.
        fn share(&self, y: f64, t: f64, [a, b]: [f64; 2]) -> f64 {
            match (self.inside(a, y, t) > 0.0, self.inside(b, y, t) > 0.0) {
                (true, true) => b - a,
                (false, false) => 0.0,
                (starts, _) => {
                    let (mut low, mut high) = (a, b);
                    for _ in 0..18 {
                        let middle = f64::midpoint(low, high);
                        if (self.inside(middle, y, t) > 0.0) == starts {
                            low = middle;
                        } else {
                            high = middle;
                        }
                    }
                    if starts { low - a } else { b - low }
                }
            }
        }
    }

    #[test]
    fn every_pixel_is_what_its_points_see_back_through_shutter_and_lens() {
        let plain = Lens { focal: 90.0, ..Lens::default() };
        let sphere = Lens { perspective: true, ..plain.clone() };
        let brown = Lens { k1: -0.22, k2: 0.06, k3: -0.01, p1: 0.006, p2: -0.004, ..plain.clone() };
        let both = Lens { perspective: true, ..brown.clone() };
        for (name, lens, open, readout, tolerance) in [
            ("perspective", &sphere, 0.0, 0.0, 3e-4),
            ("distortion", &brown, 0.0, 0.0, 3e-4),
            ("rolling shutter", &plain, 0.0, 0.8, 3e-4),
            ("all of them", &both, 0.0, 0.8, 3e-4),
            ("all of them, moving", &both, 0.5, 0.8, 4e-3),
        ] {
            let (at, r, v) = ([85.3, 27.8], 12.6, [11.0, -7.0]);
            let (camera, image) = image(lens, open, readout, at, r, v);
            let mask = mask(&camera, &image, 0.0);
            let reference = Backwards::new(lens, readout, at, r, v);
            let count = if open > 0.0 { 10 } else { 30 };
            for (i, j) in rim(image.centroid, image.radius, count) {
                let exact = reference.coverage(f64::from(i), f64::from(j), open);
                let ours = f64::from(mask.at(i, j));
                assert!((ours - exact).abs() < tolerance, "{name} {i} {j}: {ours} {exact}");
            }
        }
    }

    /// Which centre is which: `centroid` is that of what was drawn, `projection`
    /// is where the middle of the sphere is seen.
    #[test]
    fn the_centroid_is_that_of_the_points_that_see_the_ball() {
        let lens = Lens { focal: 90.0, perspective: true, k1: -0.2, p1: 0.005, ..Lens::default() };
        let (at, r, v) = ([85.3, 27.8], 12.6, [11.0, -7.0]);
        let (_, image) = image(&lens, 0.0, 0.8, at, r, v);
        let reference = Backwards::new(&lens, 0.8, at, r, v);
        let (mut area, mut mx, mut my) = (0.0, 0.0, 0.0);
        // Many lines per row of pixels, exact along x.
        let lines = 160;
        for k in 0..lines * 100 {
            let y = -0.5 + (f64::from(k) + 0.5) / f64::from(lines);
            for i in 0..240 {
                let x = [-0.5 + 0.5 * f64::from(i), 0.5 * f64::from(i)];
                let near = (x[0] - image.centroid[0]).hypot(y - image.centroid[1]) < 1.5 * r;
                if near {
                    let length = reference.share(y, 0.0, x);
                    let starts = reference.inside(x[0], y, 0.0) > 0.0;
                    let middle = if starts { x[0] + 0.5 * length } else { x[1] - 0.5 * length };
                    (area, mx, my) = (area + length, mx + length * middle, my + length * y);
                }
            }
        }
        let [x, y] = image.centroid;
        let off = [mx / area - x, my / area - y];
        assert!(off[0].abs() < 6e-5 && off[1].abs() < 6e-5, "{off:?}");
        assert!(((area / f64::from(lines) / PI).sqrt() - image.radius).abs() < 1e-4, "{area}");
        // And the other centre: the point in which the ray to the middle of the
        // sphere is seen by the row that shows it.
        let [px, py] = image.projection;
        let t = 0.8 * (py - MIDDLE[1]) / 100.0;
        let drawn = reference.distorted(at);
        let there = [0, 1].map(|a| drawn[a] + t * reference.velocity[a]);
        assert!((there[0] - px).abs() < 1e-6 && (there[1] - py).abs() < 1e-6);
        assert!((px - x).hypot(py - y) > 0.1, "the two centres are different points");
    }

    #[test]
    fn a_mask_has_the_area_and_the_centroid_of_the_truth() {
        let lens = Lens { focal: 90.0, perspective: true, k1: -0.1, p1: 0.004, ..Lens::default() };
        for (sigma, open, readout) in
            [(0.0, 0.0, 0.0), (0.7, 0.0, 0.4), (0.0, 0.5, 0.0), (1.3, 0.7, 0.5)]
        {
            let (camera, image) = image(&lens, open, readout, [74.0, 42.0], 13.0, [6.0, 3.0]);
            let patch = mask(&camera, &image, sigma);
            let (mut area, mut mx, mut my) = (0.0, 0.0, 0.0);
            for j in 0..100 {
                let (row, alpha) = patch.row(j);
                for (i, a) in (row.start..row.end).zip(alpha) {
                    let a = f64::from(*a);
                    (area, mx, my) = (area + a, mx + a * f64::from(i), my + a * f64::from(j));
                }
            }
            let exact = PI * image.radius * image.radius;
            assert!((area - exact).abs() < 1e-3, "{sigma} {open} {readout}: {area} {exact}");
            // Sampling at whole pixels moves a sharp centroid a little.
            let slack = if sigma > 0.5 { 1e-4 } else { 5e-3 };
            assert!(
                (mx / area - image.centroid[0]).abs() < slack,
                "{sigma}: {}",
                mx / area - image.centroid[0]
            );
            assert!(
                (my / area - image.centroid[1]).abs() < slack,
                "{sigma}: {}",
                my / area - image.centroid[1]
            );
        }
    }

    #[test]
    fn a_plate_is_its_polygon_blurred_or_not() {
        let corners = [[20.3, 20.1], [44.9, 25.0], [40.0, 50.2], [15.5, 45.0]];
        let area: f64 = (0..4)
            .map(|k| {
                let (p, q) = (corners[k], corners[(k + 1) % 4]);
                0.5 * (p[0] * q[1] - q[0] * p[1])
            })
            .sum();
        for sigma in [0.0, 0.9] {
            let mut patch = Patch::new(120, 100);
            Optics::new([120, 100], sigma).expose_plate(&corners, [3.0, 1.0], &mut patch);
            let sum: f64 = (0..100).flat_map(|j| patch.row(j).1.to_vec()).map(f64::from).sum();
            assert!((sum - area).abs() < 1e-2, "{sigma}: {sum} {area}");
            assert!((patch.at(30, 35) - 1.0).abs() < 1e-6);
        }
    }
}
