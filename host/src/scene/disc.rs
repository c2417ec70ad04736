//! The exact area that a disc covers of each pixel.
//!
//! A pixel (i, j) is the unit square around the point (i, j). Its coverage is
//! the area of the intersection of the square and the disc, in closed form:
//! rectangles, trapezoids and circular segments. The error is rounding only.

use super::patch::{Patch, Row};

/// Area of the disc of radius `r` around the origin inside the box
/// [x0, x1] x [y0, y1].
pub(crate) fn area_in_box(r: f64, x: [f64; 2], y: [f64; 2]) -> f64 {
    // Split at the axes and mirror, so that only the first quadrant is left.
    let mut sum = 0.0;
    for [xa, xb] in split(x) {
        for [ya, yb] in split(y) {
            if xb > xa && yb > ya {
                sum += area_in_quadrant(r, xa, xb, ya, yb);
            }
        }
    }
    sum
}

fn split([a, b]: [f64; 2]) -> [[f64; 2]; 2] {
    if a >= 0.0 {
        [[a, b], [0.0, 0.0]]
    } else if b <= 0.0 {
        [[-b, -a], [0.0, 0.0]]
    } else {
        [[0.0, -a], [0.0, b]]
    }
}

/// As [`area_in_box`] for 0 <= x0 < x1, 0 <= y0 < y1.
fn area_in_quadrant(r: f64, x0: f64, x1: f64, y0: f64, y1: f64) -> f64 {
    let r2 = r * r;
    if x1 * x1 + y1 * y1 <= r2 {
        return (x1 - x0) * (y1 - y0);
    }
    if x0 * x0 + y0 * y0 >= r2 {
        return 0.0;
    }
    // The arc runs from (xa, ya) on the box's top or left side down to
    // (xb, yb) on its right or bottom side.
    let (xa, ya) =
        if x0 * x0 + y1 * y1 < r2 { (half_chord(r, y1), y1) } else { (x0, half_chord(r, x0)) };
    let (xb, yb) =
        if x1 * x1 + y0 * y0 > r2 { (half_chord(r, y0), y0) } else { (x1, half_chord(r, x1)) };
    (xa - x0) * (y1 - y0)
        + (xb - xa) * (0.5 * (ya + yb) - y0)
        + segment(r, (xb - xa) * (xb - xa) + (yb - ya) * (yb - ya))
}

/// Half the length of the chord at distance `d` from the centre; 0 outside.
pub(crate) fn half_chord(r: f64, d: f64) -> f64 {
    ((r - d) * (r + d)).max(0.0).sqrt()
}

/// Area between an arc of radius `r` and its chord, whose squared length is `chord2`.
fn segment(r: f64, chord2: f64) -> f64 {
    let s2 = chord2 / (4.0 * r * r);
    if s2 < 0.01 {
        // r^2 (asin s - s sqrt(1 - s^2)) as a series in s; the first term left
        // out is below 1e-16 of the area.
        let series = 2.0 / 3.0
            + s2 * (1.0 / 5.0
                + s2 * (3.0 / 28.0
                    + s2 * (5.0 / 72.0
                        + s2 * (35.0 / 704.0 + s2 * (63.0 / 1664.0 + s2 * (231.0 / 7680.0))))));
        return r * r * s2 * s2.sqrt() * series;
    }
    let s = s2.sqrt().min(1.0);
    r * r * (libm::asin(s) - s * (1.0 - s * s).max(0.0).sqrt())
}

/// Fills `patch` with the coverage of the disc around (`x`, `y`).
pub(crate) fn cover(patch: &mut Patch, x: f64, y: f64, r: f64) {
    patch.rows(x - r, y - r, x + r, y + r, |j, i0, alpha| {
        let dy = [f64::from(j) - 0.5 - y, f64::from(j) + 0.5 - y];
        let far = dy[0].abs().max(dy[1].abs());
        let near = if dy[0] * dy[1] <= 0.0 { 0.0 } else { dy[0].abs().min(dy[1].abs()) };
        let (outer, inner) = (half_chord(r, near), if far < r { half_chord(r, far) } else { 0.0 });
        // Pixels [a, d) are touched, [b, c) are covered entirely.
        let i1 = i0 + alpha.len() as i32;
        let at = |v: f64| (v as i32).clamp(i0, i1);
        let (a, d) = (at((x - outer + 0.5).floor()), at((x + outer + 0.5).floor() + 1.0));
        let (b, c) = match inner {
            h if h >= 0.5 => (at((x - h + 0.5).ceil()), at((x + h + 0.5).floor())),
            _ => (d, d),
        };
        let (b, c) = if b < c { (b, c) } else { (d, d) };
        let mut part = |from: i32, to: i32| {
            for i in from..to {
                let dx = f64::from(i) - x;
                alpha[(i - i0) as usize] = area_in_box(r, [dx - 0.5, dx + 0.5], dy) as f32;
            }
        };
        part(a, b);
        part(c, d);
        alpha[(b - i0) as usize..(c - i0) as usize].fill(1.0);
        Row { start: a, solid: b, solid_end: c, end: d }
    });
}

/// Fills `patch` with the pixels whose centres lie in the disc: no anti-aliasing.
pub(crate) fn cover_hard(patch: &mut Patch, x: f64, y: f64, r: f64) {
    patch.rows(x - r, y - r, x + r, y + r, |j, i0, alpha| {
        let dy = (f64::from(j) - y).abs();
        if dy > r {
            return Row::default();
        }
        let half = half_chord(r, dy);
        let i1 = i0 + alpha.len() as i32;
        let a = ((x - half).ceil() as i32).clamp(i0, i1);
        let d = ((x + half).floor() as i32 + 1).clamp(a, i1);
        alpha[(a - i0) as usize..(d - i0) as usize].fill(1.0);
        Row { start: a, solid: a, solid_end: d, end: d }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Independent of the closed form: the midpoint rule over the chord lengths
    /// inside the pixel.
    fn integrated(r: f64, x: [f64; 2], y: [f64; 2]) -> f64 {
        let length = |t: f64| {
            let h = (r * r - t * t).max(0.0).sqrt();
            (h.min(y[1]) - (-h).max(y[0])).max(0.0)
        };
        // The integrand has kinks and square-root ends; split there.
        let mut knots = vec![x[0], x[1]];
        for v in [r, (r * r - y[0] * y[0]).max(0.0).sqrt(), (r * r - y[1] * y[1]).max(0.0).sqrt()] {
            knots.extend([v, -v].into_iter().filter(|k| *k > x[0] && *k < x[1]));
        }
        knots.sort_by(f64::total_cmp);
        // t = m - h cos(theta) takes the square roots out of the ends.
        knots
            .windows(2)
            .map(|w| {
                let (m, h, n) = (f64::midpoint(w[0], w[1]), 0.5 * (w[1] - w[0]), 2000);
                let step = std::f64::consts::PI / f64::from(n);
                (0..n)
                    .map(|k| {
                        let theta = (f64::from(k) + 0.5) * step;
                        length(m - h * theta.cos()) * h * theta.sin() * step
                    })
                    .sum::<f64>()
            })
            .sum()
    }

    proptest! {
        #[test]
        fn a_pixel_holds_the_area_that_an_independent_integration_finds(
            x in -60.0..60.0f64, y in -60.0..60.0f64, r in 0.2..60.0f64, edge in 0.0..6.3f64,
        ) {
            // Pixels on the rim as well as anywhere.
            for (px, py) in [(x, y), (r * edge.cos() + x / 60.0, r * edge.sin() + y / 60.0)] {
                let (bx, by) = ([px - 0.5, px + 0.5], [py - 0.5, py + 0.5]);
                let (ours, theirs) = (area_in_box(r, bx, by), integrated(r, bx, by));
                prop_assert!((ours - theirs).abs() < 1e-6, "{ours} against {theirs}");
            }
        }

        #[test]
        fn the_patch_holds_the_whole_disc(
            x in 50.0..90.0f64, y in 50.0..90.0f64, r in 0.3..45.0f64,
        ) {
            let mut patch = Patch::new(140, 140);
            cover(&mut patch, x, y, r);
            let (mut area, mut mx, mut my) = (0.0, 0.0, 0.0);
            for j in 0..140 {
                let (row, alpha) = patch.row(j);
                for (i, a) in (row.start..row.end).zip(alpha) {
                    let exact = area_in_box(
                        r,
                        [f64::from(i) - 0.5 - x, f64::from(i) + 0.5 - x],
                        [f64::from(j) - 0.5 - y, f64::from(j) + 0.5 - y],
                    );
                    prop_assert!((f64::from(*a) - exact).abs() < 1e-6, "{i} {j}: {a} {exact}");
                    area += f64::from(*a);
                    mx += f64::from(*a) * f64::from(i);
                    my += f64::from(*a) * f64::from(j);
                }
            }
            let exact = std::f64::consts::PI * r * r;
            prop_assert!((area - exact).abs() < 1e-6 * exact.max(1.0), "{area} {exact}");
            // Coverage alone places the centroid to well below a hundredth of a pixel.
            if r > 5.0 {
                prop_assert!((mx / area - x).abs() < 0.01 && (my / area - y).abs() < 0.01);
            }
        }
    }

    #[test]
    fn a_large_disc_keeps_its_precision() {
        let r = 4000.0;
        let (x, y) = (r * 0.6, r * 0.8);
        let (bx, by) = ([x - 0.5, x + 0.5], [y - 0.5, y + 0.5]);
        assert!((area_in_box(r, bx, by) - integrated(r, bx, by)).abs() < 1e-6);
    }

    #[test]
    fn without_anti_aliasing_a_pixel_is_in_or_out() {
        let mut patch = Patch::new(60, 60);
        cover_hard(&mut patch, 30.0, 30.0, 20.0);
        let n: usize = (0..60).map(|j| patch.row(j).1.len()).sum();
        // The lattice points within 20 of the origin (Gauss's circle problem).
        assert_eq!(n, 1257);
    }
}
