//! The exact coverage of any outline, sharp or out of focus.
//!
//! By Green's theorem the area of a region inside a pixel is an integral along
//! its outline: c(i, j) = - (integral of G(i - x) g(j - y) dy), where g is the
//! pixel's sensitivity (a box of width 1, folded with the point spread if there
//! is one) and G its integral. A piece of the outline therefore changes only
//! the pixels near it and, by a constant, everything to its right; the latter
//! is a running sum along the row. Outlines run so that (cos t, sin t) with
//! growing t is positive.

use super::{
    gauss,
    patch::{Patch, Row},
};

/// Values closer to 1 than this count as covered entirely. It is the rounding
/// of the masks' 32-bit numbers and of the truncated point spread.
const SOLID: f64 = 2e-7;

/// Collects the pieces of an outline.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scanlines {
    x0: i32,
    y0: i32,
    width: usize,
    height: usize,
    /// Differences along each row; one more column for what lies right of the mask.
    change: Vec<f64>,
    /// Weights of one point, kept to save an allocation.
    across: Vec<f64>,
}

impl Scanlines {
    /// Starts an outline that touches [x0, x1] x [y0, y1] on a canvas of
    /// `canvas` pixels.
    pub(crate) fn start(&mut self, canvas: [u32; 2], low: [f64; 2], high: [f64; 2]) {
        let first = |v: f64, n: u32| (v + 0.5).floor().clamp(0.0, f64::from(n)) as i32;
        let last = |v: f64, n: u32| ((v + 0.5).floor() + 1.0).clamp(0.0, f64::from(n)) as i32;
        (self.x0, self.y0) = (first(low[0], canvas[0]), first(low[1], canvas[1]));
        self.width = (last(high[0], canvas[0]) - self.x0).max(0) as usize;
        self.height = (last(high[1], canvas[1]) - self.y0).max(0) as usize;
        self.change.clear();
        self.change.resize((self.width + 1) * self.height, 0.0);
    }

    /// A straight piece from `p` to `q`, seen sharp, with the given weight.
    pub(crate) fn edge(&mut self, p: [f64; 2], q: [f64; 2], weight: f64) {
        if p[1] == q[1] || self.width == 0 {
            return;
        }
        let (sign, top, bottom) = if p[1] < q[1] { (weight, p, q) } else { (-weight, q, p) };
        let slope = (bottom[0] - top[0]) / (bottom[1] - top[1]);
        let (first, end) =
            (f64::from(self.y0) - 0.5, f64::from(self.y0) - 0.5 + self.height as f64);
        let (mut y, stop) = (top[1].max(first), bottom[1].min(end));
        while y < stop {
            let j = ((y - first) as usize).min(self.height - 1);
            let next = (first + (j + 1) as f64).min(stop);
            let at = |y: f64| top[0] + (y - top[1]) * slope;
            self.piece(j, at(y), at(next), sign * (next - y));
            if next <= y {
                break;
            }
            y = next;
        }
    }

    /// A piece within row `j`, from x = a to x = b, `dy` high.
    fn piece(&mut self, j: usize, a: f64, b: f64, dy: f64) {
        let left = f64::from(self.x0) - 0.5;
        let (a, b) = if a <= b { (a - left, b - left) } else { (b - left, a - left) };
        let row = &mut self.change[j * (self.width + 1)..][..=self.width];
        if b <= 0.0 {
            row[0] -= dy;
            return;
        }
        let (mut x, length) = (a, b - a);
        if length == 0.0 {
            put(row, a, a, dy);
            return;
        }
        if x < 0.0 {
            row[0] -= dy * (-x / length);
            x = 0.0;
        }
        let stop = b.min(self.width as f64);
        while x < stop {
            let next = (x.floor() + 1.0).min(stop);
            put(row, x, next, dy * ((next - x) / length));
            x = next;
        }
    }

    /// A point of a smooth outline, seen with a Gaussian point spread of
    /// standard deviation `sigma`; `dy` is the height of the piece around it.
    pub(crate) fn blurred(&mut self, x: f64, y: f64, dy: f64, sigma: f64) {
        let reach = 0.5 + gauss::REACH * sigma;
        let rows = self.height as i32;
        let j0 = ((y - reach).ceil() as i32 - self.y0).clamp(0, rows);
        let j1 = ((y + reach).floor() as i32 + 1 - self.y0).clamp(0, rows);
        if j0 >= j1 || self.width == 0 {
            return;
        }
        // Across: the steps of G between neighbouring columns.
        let u = x - f64::from(self.x0);
        let columns = self.width as i32;
        let i0 = ((u - reach).ceil() as i32).clamp(0, columns);
        let i1 = ((u + reach).floor() as i32 + 2).clamp(i0.min(columns - 1) + 1, columns);
        let i0 = i0.min(columns - 1);
        if u - reach > f64::from(columns) {
            return;
        }
        let scale = 1.0 / sigma;
        let h = |t: f64| sigma * gauss::ramp(t * scale);
        self.across.clear();
        let mut before = 0.0;
        let mut low = h(f64::from(i0) - 0.5 - u);
        for i in i0..i1 {
            let high = h(f64::from(i) + 0.5 - u);
            self.across.push(high - low - before);
            (before, low) = (high - low, high);
        }
        let mut low = gauss::step((f64::from(self.y0 + j0) - 0.5 - y) * scale);
        for j in j0..j1 {
            let high = gauss::step((f64::from(self.y0 + j) + 0.5 - y) * scale);
            let weight = (high - low) * dy;
            low = high;
            let row = &mut self.change[j as usize * (self.width + 1) + i0 as usize..];
            for (change, w) in row.iter_mut().zip(&self.across) {
                *change -= weight * w;
            }
        }
    }

    /// Sums up and writes the mask.
    pub(crate) fn finish(&self, patch: &mut Patch) {
        let (x0, y0) = (f64::from(self.x0), f64::from(self.y0));
        let (x1, y1) = (x0 + self.width as f64 - 1.0, y0 + self.height as f64 - 1.0);
        patch.rows(x0, y0, x1, y1, |j, first, alpha| {
            let row = &self.change[(j - self.y0) as usize * (self.width + 1)..];
            let mut spans = Row { start: i32::MAX, solid: i32::MAX, solid_end: 0, end: 0 };
            let (mut sum, mut holes) = (0.0, false);
            for ((a, change), i) in alpha.iter_mut().zip(row).zip(first..) {
                sum += change;
                if sum > SOLID {
                    spans.start = spans.start.min(i);
                    spans.end = i + 1;
                    *a = sum as f32;
                    if sum >= 1.0 - SOLID {
                        *a = 1.0;
                        holes |= spans.solid_end != 0 && spans.solid_end != i;
                        spans.solid = spans.solid.min(i);
                        spans.solid_end = i + 1;
                    }
                }
            }
            if spans.end == 0 {
                return Row::default();
            }
            if holes || spans.solid_end == 0 {
                (spans.solid, spans.solid_end) = (spans.end, spans.end);
            }
            spans
        });
    }
}

/// A piece inside one column: `a` and `b` are measured from the mask's left side.
#[inline]
fn put(row: &mut [f64], a: f64, b: f64, dy: f64) {
    let i = (a as usize).min(row.len() - 1);
    let inside = (i as f64 + 1.0 - 0.5 * (a + b)).clamp(0.0, 1.0);
    row[i] -= dy * inside;
    if let Some(next) = row.get_mut(i + 1) {
        *next -= dy * (1.0 - inside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::disc;

    fn ring(x: f64, y: f64, r: f64, n: usize) -> Vec<[f64; 2]> {
        (0..n)
            .map(|k| {
                let t = std::f64::consts::TAU * k as f64 / n as f64;
                [x + r * t.cos(), y + r * t.sin()]
            })
            .collect()
    }

    #[test]
    fn a_fine_polygon_is_the_disc_also_at_the_canvas_edge() {
        for (x, y, r) in
            [(30.3, 25.7, 12.4), (2.0, 3.0, 9.0), (55.0, 47.5, 11.0), (30.0, 20.0, 0.3)]
        {
            let (mut ours, mut exact) = (Patch::new(60, 50), Patch::new(60, 50));
            let mut lines = Scanlines::default();
            lines.start([60, 50], [x - r, y - r], [x + r, y + r]);
            let points = ring(x, y, r, 20_000);
            for (k, p) in points.iter().enumerate() {
                lines.edge(*p, points[(k + 1) % points.len()], 1.0);
            }
            lines.finish(&mut ours);
            disc::cover(&mut exact, x, y, r);
            for j in 0..50 {
                for i in 0..60 {
                    let (a, b) = (ours.at(i, j), exact.at(i, j));
                    assert!((a - b).abs() < 2e-6, "{i} {j}: {a} against {b}");
                }
            }
        }
    }

    /// Independent of Green's theorem: the disc's area in small squares around
    /// the pixel, weighted with the Gaussian, by the midpoint rule.
    fn integrated(px: f64, py: f64, [x, y, r]: [f64; 3], sigma: f64) -> f64 {
        // Box and Gaussian, integrated over cells of 1/40 sigma.
        let h = sigma / 40.0;
        let reach = 0.5 + 5.5 * sigma;
        let n = (reach / h).ceil() as i32;
        let weight = |t: f64| {
            0.5 * (libm::erf((t + 0.5) / (sigma * std::f64::consts::SQRT_2))
                - libm::erf((t - 0.5) / (sigma * std::f64::consts::SQRT_2)))
        };
        let weights: Vec<f64> = (-n..=n).map(|k| weight(f64::from(k) * h)).collect();
        let mut sum = 0.0;
        for (k, wy) in (-n..=n).zip(&weights) {
            for (l, wx) in (-n..=n).zip(&weights) {
                let (u, v) = (px + f64::from(l) * h - x, py + f64::from(k) * h - y);
                let box_ = |t: f64| [t - 0.5 * h, t + 0.5 * h];
                sum += wx * wy * disc::area_in_box(r, box_(u), box_(v));
            }
        }
        sum
    }

    #[test]
    fn a_blurred_disc_holds_what_an_independent_integration_finds() {
        for (x, y, r, sigma) in [
            (30.31, 25.72, 12.4, 0.7),
            (3.0, 4.0, 9.0, 1.6),
            (30.2, 24.9, 1.5, 0.9),
            (29.6, 25.0, 14.0, 0.25),
        ] {
            let mut lines = Scanlines::default();
            let m = r + 0.5 + 6.0 * sigma;
            lines.start([60, 50], [x - m, y - m], [x + m, y + m]);
            let n = (std::f64::consts::TAU * r / (0.9 * sigma)).ceil().max(32.0) as usize;
            for [px, py] in ring(x, y, r, n) {
                lines.blurred(px, py, (px - x) * std::f64::consts::TAU / n as f64, sigma);
            }
            let mut patch = Patch::new(60, 50);
            lines.finish(&mut patch);
            for k in 0..6 {
                let t = f64::from(k) * 1.06;
                let s = r + sigma * (f64::from(k % 5) - 2.0);
                let (i, j) = ((x + s * t.cos()).round(), (y + s * t.sin()).round());
                if i < 0.0 || j < 0.0 {
                    continue;
                }
                let (a, b) =
                    (f64::from(patch.at(i as i32, j as i32)), integrated(i, j, [x, y, r], sigma));
                assert!((a - b).abs() < 2e-5, "sigma {sigma}, {i} {j}: {a} against {b}");
            }
        }
    }
}
