//! Bars: strips between two parallel lines across the whole canvas.
//!
//! The coverage of a pixel by a half-plane depends only on its distance d from
//! the line. Seen along the normal (cos a, sin a) a pixel is the convolution
//! of two boxes of the widths |cos a| and |sin a|, and the point spread stays a
//! Gaussian; so the coverage is a second difference of the second integral of
//! the normal distribution.

use super::gauss;

/// A bar: the points p with |p.n - d| <= width / 2.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Strip {
    normal: [f64; 2],
    offset: f64,
    half: f64,
    sigma: f64,
    /// Distance from a line beyond which coverage is 0 or 1.
    reach: f64,
    /// Coverage over the distance from -reach to reach.
    table: Vec<f32>,
}

const NODES: usize = 4096;

impl Strip {
    /// `angle` is the bar's direction in radians, `offset` the distance of its
    /// middle line from the origin along the normal.
    pub(crate) fn new(angle: f64, offset: f64, width: f64, sigma: f64) -> Self {
        let (sin, cos) = libm::sincos(angle);
        let normal = [-sin, cos];
        let reach = 0.5 * (sin.abs() + cos.abs()) + gauss::REACH * sigma + 1e-6;
        let table = (0..=NODES + 1)
            .map(|k| {
                let d = (2.0 * k as f64 / NODES as f64 - 1.0) * reach;
                half_plane(d, [sin.abs(), cos.abs()], sigma) as f32
            })
            .collect();
        Self { normal, offset, half: 0.5 * width, sigma, reach, table }
    }

    /// The columns [start, end) of row `y` that the bar touches, out of [x0, x1).
    pub(crate) fn columns(&self, y: i32, x0: i32, x1: i32) -> (i32, i32) {
        let far = self.half + self.reach;
        let d = self.normal[1] * f64::from(y) - self.offset;
        let n = self.normal[0];
        if n.abs() < 1e-9 {
            return if d.abs() <= far { (x0, x1) } else { (x0, x0) };
        }
        let (a, b) = ((-far - d) / n, (far - d) / n);
        let clamp = |v: f64| v.clamp(f64::from(x0), f64::from(x1)) as i32;
        (clamp(a.min(b).floor()), clamp(a.max(b).ceil() + 1.0))
    }

    /// The share of pixel (x, y) that the bar covers.
    pub(crate) fn coverage(&self, x: i32, y: i32) -> f32 {
        let d = self.distance(f64::from(x), f64::from(y));
        self.side(self.half + d) - self.side(d - self.half)
    }

    /// Whether the point (x, y) is under the bar.
    pub(crate) fn holds(&self, x: f64, y: f64) -> bool {
        self.distance(x, y).abs() <= self.half
    }

    fn distance(&self, x: f64, y: f64) -> f64 {
        self.normal[0] * x + self.normal[1] * y - self.offset
    }

    fn side(&self, d: f64) -> f32 {
        if d.abs() >= self.reach {
            return if d < 0.0 { 0.0 } else { 1.0 };
        }
        if self.sigma == 0.0 {
            // A table would round the corners of a sharp edge.
            return half_plane(d, self.normal.map(f64::abs), 0.0) as f32;
        }
        let place = (d + self.reach) * (NODES as f64 / (2.0 * self.reach));
        let k = place as usize;
        let s = (place - k as f64) as f32;
        self.table[k] + s * (self.table[k + 1] - self.table[k])
    }
}

/// Below this width the narrower box counts as a point; the error is w^2 / 24.
const NARROW: f64 = 1e-3;

/// Coverage of a pixel whose centre is `d` inside a half-plane.
fn half_plane(d: f64, widths: [f64; 2], sigma: f64) -> f64 {
    let (a, b) = (widths[0].max(widths[1]), widths[0].min(widths[1]));
    if b < NARROW {
        return (integral(d + 0.5 * a, sigma) - integral(d - 0.5 * a, sigma)) / a;
    }
    let f = |t| second_integral(t, sigma);
    let (p, q) = (0.5 * (a + b), 0.5 * (a - b));
    (f(d + p) - f(d + q) - f(d - q) + f(d - p)) / (a * b)
}

fn integral(t: f64, sigma: f64) -> f64 {
    if sigma == 0.0 {
        return t.max(0.0);
    }
    let u = t / sigma;
    sigma * (u * gauss::cumulative(u) + gauss::density(u))
}

fn second_integral(t: f64, sigma: f64) -> f64 {
    if sigma == 0.0 {
        return 0.5 * t.max(0.0) * t.max(0.0);
    }
    let u = t / sigma;
    0.5 * sigma * sigma * ((u * u + 1.0) * gauss::cumulative(u) + u * gauss::density(u))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{patch::Patch, scanline::Scanlines};

    #[test]
    fn a_sharp_bar_is_the_polygon_that_it_is() {
        for angle in [0.0, 0.3, 1.309, std::f64::consts::FRAC_PI_2, 2.2, -0.7] {
            let strip = Strip::new(angle, 17.3, 5.4, 0.0);
            let (sin, cos) = angle.sin_cos();
            let corner = |along: f64, d: f64| [along * cos - d * sin, along * sin + d * cos];
            let corners = [
                corner(-300.0, 17.3 - 2.7),
                corner(300.0, 17.3 - 2.7),
                corner(300.0, 17.3 + 2.7),
                corner(-300.0, 17.3 + 2.7),
            ];
            let mut lines = Scanlines::default();
            lines.start([60, 50], [0.0, 0.0], [60.0, 50.0]);
            for k in 0..4 {
                lines.edge(corners[k], corners[(k + 1) % 4], 1.0);
            }
            let mut patch = Patch::new(60, 50);
            lines.finish(&mut patch);
            for j in 0..50 {
                let (start, end) = strip.columns(j, 0, 60);
                for i in 0..60 {
                    let ours = if (start..end).contains(&i) { strip.coverage(i, j) } else { 0.0 };
                    let exact = patch.at(i, j);
                    assert!((ours - exact).abs() < 3e-6, "{angle}: {i} {j}: {ours} {exact}");
                }
            }
        }
    }

    #[test]
    fn a_blurred_bar_keeps_its_light() {
        let strip = Strip::new(0.4, 25.0, 6.0, 1.2);
        // Along a row the bar is width / |normal x| pixels wide.
        let sum: f64 = (-100..160).map(|x| f64::from(strip.coverage(x, 20))).sum();
        assert!((sum - 6.0 / 0.4f64.sin()).abs() < 1e-3, "{sum}");
    }
}
