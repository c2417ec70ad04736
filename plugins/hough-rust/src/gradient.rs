//! Sobel gradient, threshold and thinning in one pass: a picture becomes a
//! short list of edge pixels.

use crate::{image::Image, simd::dispatch};

/// A pixel on an edge, with its gradient (Sobel: 4 times the step of an ideal edge).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
    /// Gradient to the right.
    pub gx: i16,
    /// Gradient downwards.
    pub gy: i16,
}

/// The weakest |gx| + |gy| that counts as an edge: a step of 3 grey levels.
const FLOOR: u16 = 12;

/// An edge stands out of the typical gradient of its picture by this factor.
/// In white noise it lets about 1 % of the pixels through.
const ABOVE_TYPICAL: f32 = 2.2;

#[derive(Debug, Default, Clone)]
struct Row {
    gx: Vec<i16>,
    gy: Vec<i16>,
    magnitude: Vec<u16>,
}

impl Row {
    fn resize(&mut self, n: usize) {
        self.gx.resize(n, 0);
        self.gy.resize(n, 0);
        self.magnitude.resize(n, 0);
    }
}

/// Finds edges; keeps its memory between pictures.
#[derive(Debug, Default)]
pub struct EdgeFinder {
    rows: [Row; 3],
    spare: Row,
    /// The edges of the last picture.
    pub edges: Vec<Edge>,
    /// The threshold on |gx| + |gy| that the last picture got.
    pub threshold: u16,
}

impl EdgeFinder {
    /// Lists the edges of `image`, at most `budget` of them, spread evenly over
    /// all that there are.
    pub fn find(&mut self, image: &Image<'_>, budget: usize) {
        self.edges.clear();
        let (w, h) = (image.width, image.height);
        if w < 5 || h < 5 || w > usize::from(u16::MAX) || h > usize::from(u16::MAX) {
            return;
        }
        for row in &mut self.rows {
            row.resize(w);
        }
        self.spare.resize(w);
        self.threshold = self.choose_threshold(image);
        // Row y of the gradient lives in rows[y % 3].
        self.gradient(image, 1);
        for y in 1..h - 1 {
            if y + 1 < h - 1 {
                self.gradient(image, y + 1);
            } else {
                self.rows[(y + 1) % 3].magnitude.fill(0);
            }
            if y == 1 {
                self.rows[0].magnitude.fill(0);
            }
            self.collect(y);
        }
        self.thin_out(budget);
    }

    /// 2.2 times the median |gx| + |gy| of a few rows: noise and texture raise it.
    fn choose_threshold(&mut self, image: &Image<'_>) -> u16 {
        let mut histogram = [0_u32; 512];
        let step = (image.height / 24).max(1);
        let mut n = 0;
        for y in (1 + step / 2..image.height - 1).step_by(step) {
            self.gradient(image, y);
            for &m in &self.rows[y % 3].magnitude[1..image.width - 1] {
                histogram[usize::from(m / 4).min(511)] += 1;
            }
            n += image.width as u32 - 2;
        }
        let mut below = 0;
        let median = histogram
            .iter()
            .position(|&count| {
                below += count;
                2 * below >= n
            })
            .unwrap_or(0);
        FLOOR.max((ABOVE_TYPICAL * 4.0 * median as f32) as u16)
    }

    fn gradient(&mut self, image: &Image<'_>, y: usize) {
        let row = &mut self.rows[y % 3];
        let at = |c, y| image.row(c, y);
        sobel(
            at(0, y - 1),
            at(0, y),
            at(0, y + 1),
            image.step(),
            &mut row.gx,
            &mut row.gy,
            &mut row.magnitude,
        );
        for c in 1..image.channels() {
            let s = &mut self.spare;
            sobel(
                at(c, y - 1),
                at(c, y),
                at(c, y + 1),
                image.step(),
                &mut s.gx,
                &mut s.gy,
                &mut s.magnitude,
            );
            keep_stronger(&s.gx, &s.gy, &s.magnitude, &mut row.gx, &mut row.gy, &mut row.magnitude);
        }
    }

    /// Appends the pixels of row `y` that are above the threshold and the
    /// strongest of the three along the gradient's main axis.
    fn collect(&mut self, y: usize) {
        const CHUNK: usize = 32;
        const PART: usize = 8;
        let (above, here, below) =
            (&self.rows[(y + 2) % 3], &self.rows[y % 3], &self.rows[(y + 1) % 3]);
        let threshold = self.threshold;
        let last = here.magnitude.len() - 1;
        for (k, chunk) in here.magnitude.chunks(CHUNK).enumerate() {
            if !any_at_least(chunk, threshold) {
                continue;
            }
            for (j, part) in chunk.chunks(PART).enumerate() {
                if any_at_least(part, threshold) {
                    for (i, &m) in part.iter().enumerate() {
                        let x = k * CHUNK + j * PART + i;
                        if m < threshold || x == 0 || x == last {
                            continue;
                        }
                        let (gx, gy) = (here.gx[x], here.gy[x]);
                        let (before, after) = if gx.abs() >= gy.abs() {
                            (here.magnitude[x - 1], here.magnitude[x + 1])
                        } else {
                            (above.magnitude[x], below.magnitude[x])
                        };
                        if m >= before && m > after {
                            self.edges.push(Edge { x: x as u16, y: y as u16, gx, gy });
                        }
                    }
                }
            }
        }
    }

    fn thin_out(&mut self, budget: usize) {
        let n = self.edges.len();
        if n <= budget {
            return;
        }
        // Multiplicative hashing picks without the regularity of a fixed step.
        let limit = ((budget as u64) << 32) / n as u64;
        let mut i = 0_u32;
        self.edges.retain(|_| {
            i = i.wrapping_add(1);
            u64::from(i.wrapping_mul(0x9E37_79B1) ^ 0x5bd1_e995) < limit
        });
    }
}

dispatch! {
    /// Sobel gradient of one row; the first and the last pixel get zero.
    fn sobel(
        above: &[u8], here: &[u8], below: &[u8], step: usize,
        gx: &mut [i16], gy: &mut [i16], magnitude: &mut [u16],
    ) {
        let w = gx.len();
        let (gy, magnitude) = (&mut gy[..w], &mut magnitude[..w]);
        if step == 1 {
            let (a, h, b) = (&above[..w], &here[..w], &below[..w]);
            for x in 1..w - 1 {
                let v = |p: &[u8], i: usize| i16::from(p[i]);
                let dx = (v(a, x + 1) - v(a, x - 1)) + 2 * (v(h, x + 1) - v(h, x - 1)) + (v(b, x + 1) - v(b, x - 1));
                let dy = (v(b, x - 1) - v(a, x - 1)) + 2 * (v(b, x) - v(a, x)) + (v(b, x + 1) - v(a, x + 1));
                gx[x] = dx;
                gy[x] = dy;
                magnitude[x] = dx.unsigned_abs() + dy.unsigned_abs();
            }
        } else {
            for x in 1..w - 1 {
                let (l, c, r) = ((x - 1) * step, x * step, (x + 1) * step);
                let v = |p: &[u8], i: usize| i16::from(p[i]);
                let dx = (v(above, r) - v(above, l)) + 2 * (v(here, r) - v(here, l)) + (v(below, r) - v(below, l));
                let dy = (v(below, l) - v(above, l)) + 2 * (v(below, c) - v(above, c)) + (v(below, r) - v(above, r));
                gx[x] = dx;
                gy[x] = dy;
                magnitude[x] = dx.unsigned_abs() + dy.unsigned_abs();
            }
        }
        magnitude[0] = 0;
        magnitude[w - 1] = 0;
    }
}

dispatch! {
    /// Takes over the gradient of another channel wherever it is stronger.
    fn keep_stronger(
        gx: &[i16], gy: &[i16], magnitude: &[u16],
        best_gx: &mut [i16], best_gy: &mut [i16], best: &mut [u16],
    ) {
        let w = best.len();
        let (gx, gy, magnitude) = (&gx[..w], &gy[..w], &magnitude[..w]);
        let (best_gx, best_gy) = (&mut best_gx[..w], &mut best_gy[..w]);
        for x in 0..w {
            let stronger = magnitude[x] > best[x];
            best_gx[x] = if stronger { gx[x] } else { best_gx[x] };
            best_gy[x] = if stronger { gy[x] } else { best_gy[x] };
            best[x] = best[x].max(magnitude[x]);
        }
    }
}

#[inline]
fn any_at_least(values: &[u16], threshold: u16) -> bool {
    values.iter().fold(0, |m, &v| m.max(v)) >= threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step_edge(w: usize, h: usize) -> Vec<u8> {
        (0..w * h).map(|i| if i % w < w / 2 { 50 } else { 90 }).collect()
    }

    #[test]
    fn a_vertical_step_gives_one_edge_per_row_that_points_to_the_bright_side() {
        let data = step_edge(20, 10);
        let mut finder = EdgeFinder::default();
        finder.find(&Image::grey(&data, 20, 10, 20), 1000);
        assert_eq!(finder.edges.len(), 8);
        for edge in &finder.edges {
            assert!(edge.x == 9 || edge.x == 10, "{edge:?}");
            assert_eq!((edge.gx, edge.gy), (160, 0));
        }
    }

    #[test]
    fn the_budget_is_kept_and_spread_over_the_picture() {
        // Bright dots on a grid of 5 pixels: many edges on a flat ground.
        let data: Vec<u8> = (0..200 * 200_usize)
            .map(|i| if (i % 200) % 5 == 2 && (i / 200) % 5 == 2 { 200 } else { 0 })
            .collect();
        let mut finder = EdgeFinder::default();
        finder.find(&Image::grey(&data, 200, 200, 200), usize::MAX);
        let all = finder.edges.len();
        finder.find(&Image::grey(&data, 200, 200, 200), all / 4);
        let kept = finder.edges.len();
        assert!(kept > all / 5 && kept < all / 3, "{kept} of {all}");
        let upper = finder.edges.iter().filter(|e| e.y < 100).count();
        assert!(upper > kept / 3 && upper < 2 * kept / 3, "{upper} of {kept}");
    }

    #[test]
    fn a_flat_picture_has_no_edges() {
        let mut finder = EdgeFinder::default();
        finder.find(&Image::grey(&[7; 400], 20, 20, 20), 1000);
        assert!(finder.edges.is_empty());
    }
}
