//! What a point of the sensor sees, found independently of outlines and masks.

use crate::scene::degradation::Lens;

/// Independent of outlines: what of the scene a point of the sensor sees.
/// The point is taken back in time to the middle of the frame, then through
/// the lens by fixed-point iteration, and its ray is held against the sphere.
pub(super) struct Backwards {
    lens: Lens,
    readout: f64,
    at: [f64; 2],
    radius: f64,
    /// Of the image, in pixels per frame.
    pub(super) velocity: [f64; 2],
}

/// The middle of the tests' canvas of 120 x 100 pixels.
pub(super) const MIDDLE: [f64; 2] = [59.5, 49.5];

impl Backwards {
    pub(super) fn new(lens: &Lens, readout: f64, at: [f64; 2], radius: f64, v: [f64; 2]) -> Self {
        let mut scene = Self { lens: lens.clone(), readout, at, radius, velocity: [0.0; 2] };
        // Where the centre is drawn shortly before and after.
        let drawn = |s: f64| scene.distorted([at[0] + s * v[0], at[1] + s * v[1]]);
        let (before, after) = (drawn(-1e-3), drawn(1e-3));
        scene.velocity = [0, 1].map(|a| (after[a] - before[a]) / 2e-3);
        scene
    }

    pub(super) fn distorted(&self, p: [f64; 2]) -> [f64; 2] {
        let l = &self.lens;
        let (x, y) = ((p[0] - MIDDLE[0]) / l.focal, (p[1] - MIDDLE[1]) / l.focal);
        let q = x.powi(2) + y.powi(2);
        let radial = 1.0 + l.k1 * q + l.k2 * q.powi(2) + l.k3 * q.powi(3);
        let dx = 2.0 * l.p1 * x * y + l.p2 * (q + 2.0 * x.powi(2));
        let dy = l.p1 * (q + 2.0 * y.powi(2)) + 2.0 * l.p2 * x * y;
        [MIDDLE[0] + l.focal * (x * radial + dx), MIDDLE[1] + l.focal * (y * radial + dy)]
    }

    /// Positive on the ball, `t` frames from the middle of the row's exposure.
    pub(super) fn inside(&self, x: f64, y: f64, t: f64) -> f64 {
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
    pub(super) fn coverage(&self, i: f64, j: f64, open: f64) -> f64 {
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
    pub(super) fn share(&self, y: f64, t: f64, [a, b]: [f64; 2]) -> f64 {
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
