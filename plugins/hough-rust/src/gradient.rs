//! Sobel gradient, threshold and thinning in one pass: a picture becomes a
//! short list of edge pixels.
//!
//! Three rows of gradients are kept, so that they stay in the nearest cache;
//! every step over a row is one vectorised loop.

use crate::{
    image::Image,
    simd::{dispatch, for_each_mark},
};

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

/// Columns and rows of a picture that has edges, at most: votes beyond its border have
/// coordinates of 16 bits, too.
const LARGEST: usize = 32_000;

/// The weakest |gx| + |gy| that counts as an edge: a step of 3 grey levels.
const FLOOR: u16 = 12;

/// Pixels that may be above the threshold: a share, and a number for large pictures,
/// where the same share would be many more edges. A third of them are crests. In white
/// noise they tell nothing; on a texture the rim of a disc is among them.
const NOISE: (f64, f64) = (0.02, 500.0);
const TEXTURE: (f64, f64) = (0.08, 1400.0);

/// Where more edges than were allowed stand out, as those of many discs, how many times as
/// many are listed.
const MOST: f64 = 4.0;

/// The gradient of white noise falls to a half from one level to the next, that of a
/// texture by less: in pictures of grass, gravel, bricks, planks and leaves to 0.65
/// at most, where it did not rise.
const WHITE: f64 = 1.6;

/// Values of |gx| + |gy| that are counted; the last stands for all above.
const BINS: usize = 1024;

/// Channels of a picture in colour.
const CHANNELS: usize = 3;

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

/// Edges as columns of numbers: position and unit gradient.
#[derive(Debug, Default)]
pub struct EdgeTable {
    /// Columns.
    pub x: Vec<f32>,
    /// Rows.
    pub y: Vec<f32>,
    /// Gradient to the right, at unit length.
    pub ux: Vec<f32>,
    /// Gradient downwards, at unit length.
    pub uy: Vec<f32>,
    /// The same four in fixed point.
    pub fixed: Vec<Fixed>,
}

/// An edge in 16.16 fixed point: position and unit gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// Column.
    pub x: i32,
    /// Row.
    pub y: i32,
    /// Unit gradient to the right.
    pub dx: i32,
    /// Unit gradient downwards.
    pub dy: i32,
}

impl EdgeTable {
    /// Takes over `edges`.
    pub fn fill(&mut self, edges: &[Edge]) {
        for column in [&mut self.x, &mut self.y, &mut self.ux, &mut self.uy] {
            column.resize(edges.len(), 0.0);
        }
        normalise(edges, &mut self.x, &mut self.y, &mut self.ux, &mut self.uy);
        self.fixed.clear();
        self.fixed.extend(edges.iter().zip(&self.ux).zip(&self.uy).map(|((e, ux), uy)| Fixed {
            x: i32::from(e.x) << 16,
            y: i32::from(e.y) << 16,
            dx: (65536.0 * ux) as i32,
            dy: (65536.0 * uy) as i32,
        }));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }
}

/// Which edges of a picture are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Wanted {
    /// Those that stand out.
    #[default]
    Usual,
    /// Of a texture so many times as many.
    Times(f64),
}

/// Finds edges; keeps its memory between pictures.
#[derive(Debug, Default)]
pub struct EdgeFinder {
    rows: [Row; 3],
    spare: Row,
    marks: Vec<u8>,
    /// The blocks of `marks` that have some, by their first pixel.
    marked: Vec<u32>,
    /// The edges of the last picture.
    pub edges: Vec<Edge>,
    /// The threshold on |gx| + |gy| that the last picture got.
    pub threshold: u16,
    /// The usual |gx| + |gy| in it: mean of the middle half.
    usual: f64,
    wanted: Wanted,
    /// Whether a threshold since the last [`Self::begin`] left out edges of a texture.
    pub left_out: bool,
}

impl EdgeFinder {
    /// Notes how strong the gradient is in a picture of half the size of the one whose
    /// edges are listed next, and which of these are wanted.
    pub fn begin(&mut self, coarser: &Image<'_>, wanted: Wanted) {
        self.usual = f64::INFINITY;
        self.wanted = wanted;
        self.left_out = false;
        if self.prepare(coarser) {
            self.choose_threshold(coarser);
        }
    }

    /// Lists the edges of `image`, which is twice as large as the last one.
    pub fn find(&mut self, image: &Image<'_>) {
        self.edges.clear();
        if !self.prepare(image) {
            return;
        }
        let (w, h) = (image.width, image.height);
        self.marks.clear();
        self.marks.resize(w.next_multiple_of(MARKED), 0);
        self.marked.clear();
        self.marked.reserve(w.div_ceil(MARKED));
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
    }

    /// Makes room for the rows of `image`. Returns whether it can have edges.
    fn prepare(&mut self, image: &Image<'_>) -> bool {
        let (w, h) = (image.width, image.height);
        if w < 5 || h < 5 || w > LARGEST || h > LARGEST {
            return false;
        }
        self.rows.iter_mut().for_each(|row| row.resize(w));
        self.spare.resize(image.step() * w);
        true
    }

    /// The |gx| + |gy| that few pixels of a few rows exceed. Noise has it at a
    /// known multiple of the median, and there it is at most, so that real edges
    /// do not raise it; a regular texture has it closer to the median.
    fn choose_threshold(&mut self, image: &Image<'_>) -> u16 {
        // Neighbours are counted apart: most are alike, and a count that waits for the
        // one before takes three times as long.
        let mut counts = [[0_u32; BINS]; 4];
        let step = (image.height / 24).max(1);
        let mut n = 0;
        for y in (1 + step / 2..image.height - 1).step_by(step) {
            self.gradient(image, y);
            let row = &self.rows[y % 3].magnitude[1..image.width - 1];
            for few in row.chunks(counts.len()) {
                for (m, counts) in few.iter().zip(&mut counts) {
                    counts[usize::from(*m).min(BINS - 1)] += 1;
                }
            }
            n += image.width as u32 - 2;
        }
        let histogram: [u32; BINS] = std::array::from_fn(|i| counts.iter().map(|c| c[i]).sum());
        let quantile = |share: f64| {
            let mut above = (share * f64::from(n)) as i64;
            let bin = histogram.iter().rposition(|&count| {
                above -= i64::from(count);
                above < 0
            });
            bin.unwrap_or(0) as f64
        };
        // Not the median: that is one of a few even numbers where noise is weak.
        let before = std::mem::replace(&mut self.usual, middle_half(&histogram, n));
        let is_noise = self.usual > WHITE * before;
        let (share, pixels) = if is_noise { NOISE } else { TEXTURE };
        let usual = share.min(pixels / (image.width * image.height) as f64);
        let threshold = match self.wanted {
            Wanted::Usual => {
                let (typical, rank) = (quantile(0.5) * above_median(usual), quantile(usual) + 1.0);
                self.left_out |= !is_noise && rank <= typical && rank > f64::from(FLOOR);
                typical.min(rank)
            }
            Wanted::Times(n) => {
                let share = if is_noise { usual } else { n * usual };
                let typical = quantile(0.5) * above_median(share);
                typical.min(quantile(share)).max(quantile(MOST * share)) + 1.0
            }
        };
        FLOOR.max(threshold as u16)
    }

    fn gradient(&mut self, image: &Image<'_>, y: usize) {
        let row = &mut self.rows[y % 3];
        let other = &mut self.spare;
        if image.step() == CHANNELS {
            let at = |y| image.interleaved_row(y);
            let rows = [at(y - 1), at(y), at(y + 1)];
            sobel(rows, CHANNELS, &mut other.gx, &mut other.gy, &mut other.magnitude);
            strongest(other, row);
            return;
        }
        let rows = |c| [image.row(c, y - 1), image.row(c, y), image.row(c, y + 1)];
        sobel(rows(0), 1, &mut row.gx, &mut row.gy, &mut row.magnitude);
        for c in 1..image.channels() {
            sobel(rows(c), 1, &mut other.gx, &mut other.gy, &mut other.magnitude);
            keep_stronger(other, row);
        }
    }

    /// Appends the pixels of row `y` that are above the threshold and the
    /// strongest of the three along the gradient's main axis.
    fn collect(&mut self, y: usize) {
        let (above, here, below) =
            (&self.rows[(y + 2) % 3], &self.rows[y % 3], &self.rows[(y + 1) % 3]);
        mark_crests(
            &above.magnitude,
            &here.magnitude,
            &below.magnitude,
            &here.gx,
            &here.gy,
            self.threshold,
            &mut self.marks,
            &mut self.marked,
        );
        for start in self.marked.iter().map(|&start| start as usize) {
            for_each_mark(&self.marks[start..start + MARKED], |i| {
                let x = start + i;
                let (gx, gy) = (here.gx[x], here.gy[x]);
                self.edges.push(Edge { x: x as u16, y: y as u16, gx, gy });
            });
        }
    }
}

/// Mean of the middle half of the `n` values that a histogram has counted.
fn middle_half(histogram: &[u32], n: u32) -> f64 {
    let (from, to) = (n / 4, n - n / 4);
    let (mut before, mut sum) = (0, 0.0);
    for (value, &count) in histogram.iter().enumerate() {
        let within = to.min(before + count).saturating_sub(from.max(before));
        sum += f64::from(within) * value as f64;
        before += count;
    }
    sum / f64::from(to - from).max(1.0)
}

/// The multiple of its median that |gx| + |gy| exceeds with probability
/// `share` when gx and gy are normal and independent.
///
/// P(|gx| + |gy| < t) = (1 - 2 Q(t / sqrt(2)))^2, since the square |x| + |y| < t
/// is one whose sides have the distance t / sqrt(2) from its centre; for small
/// shares Q = share / 4. The inverse of Q is Abramowitz and Stegun 26.2.22.
fn above_median(share: f64) -> f64 {
    const MEDIAN: f64 = 1.488;
    let t = (-2.0 * libm::log(share / 4.0)).sqrt();
    let q = t - (2.30753 + 0.27061 * t) / (1.0 + t * (0.99229 + 0.04481 * t));
    std::f64::consts::SQRT_2 * q / MEDIAN
}

dispatch! {
    /// Sobel gradient of the middle one of three rows, in which a value and the next
    /// of its channel are `step` apart; the first and the last pixel get zero.
    fn sobel(
        rows: [&[u8]; 3], step: usize,
        gx: &mut [i16], gy: &mut [i16], magnitude: &mut [u16],
    ) {
        let [above, here, below] = rows;
        let n = above.len() - 2 * step;
        for (border, end) in [(0, step), (step + n, 2 * step + n)] {
            magnitude[border..end].fill(0);
        }
        let (al, ac, ar) = (&above[..n], &above[step..][..n], &above[2 * step..][..n]);
        let (hl, hr) = (&here[..n], &here[2 * step..][..n]);
        let (bl, bc, br) = (&below[..n], &below[step..][..n], &below[2 * step..][..n]);
        let (gx, gy, magnitude) = (&mut gx[step..][..n], &mut gy[step..][..n], &mut magnitude[step..][..n]);
        for i in 0..n {
            let v = |p: &[u8]| i16::from(p[i]);
            let dx = (v(ar) - v(al)) + 2 * (v(hr) - v(hl)) + (v(br) - v(bl));
            let dy = (v(bl) - v(al)) + 2 * (v(bc) - v(ac)) + (v(br) - v(ar));
            gx[i] = dx;
            gy[i] = dy;
            magnitude[i] = dx.unsigned_abs() + dy.unsigned_abs();
        }
    }
}

dispatch! {
    /// Takes over the gradient of another channel wherever it is stronger.
    fn keep_stronger(other: &Row, best: &mut Row) {
        let w = best.magnitude.len();
        let (gx, gy, magnitude) = (&other.gx[..w], &other.gy[..w], &other.magnitude[..w]);
        let (best_gx, best_gy) = (&mut best.gx[..w], &mut best.gy[..w]);
        let best = &mut best.magnitude[..w];
        for x in 0..w {
            let stronger = ones(magnitude[x] > best[x]) as i16;
            best_gx[x] = (gx[x] & stronger) | (best_gx[x] & !stronger);
            best_gy[x] = (gy[x] & stronger) | (best_gy[x] & !stronger);
            best[x] = best[x].max(magnitude[x]);
        }
    }
}

dispatch! {
    /// The strongest of the gradients of a pixel's channels.
    fn strongest(all: &Row, best: &mut Row) {
        let w = best.magnitude.len();
        let (gx, _) = all.gx[..CHANNELS * w].as_chunks::<CHANNELS>();
        let (gy, _) = all.gy[..CHANNELS * w].as_chunks::<CHANNELS>();
        let (magnitude, _) = all.magnitude[..CHANNELS * w].as_chunks::<CHANNELS>();
        let (best_gx, best_gy) = (&mut best.gx[..w], &mut best.gy[..w]);
        let best = &mut best.magnitude[..w];
        for x in 0..w {
            let [a, b, c] = magnitude[x];
            let second = ones(b > a) as i16;
            let third = ones(c > a.max(b)) as i16;
            let choose = |[a, b, c]: [i16; CHANNELS]| {
                let of_two = (b & second) | (a & !second);
                (c & third) | (of_two & !third)
            };
            best_gx[x] = choose(gx[x]);
            best_gy[x] = choose(gy[x]);
            best[x] = a.max(b).max(c);
        }
    }
}

/// Pixels whose marks are made or cleared together.
const MARKED: usize = 64;

#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
fn ones(condition: bool) -> u16 {
    if condition { u16::MAX } else { 0 }
}

dispatch! {
    /// Puts 1 into `marks` for every pixel of the row `here` that is at least
    /// `threshold` and the strongest of the three along its gradient's main
    /// axis, and 0 for the others, in those blocks of pixels that have one at or
    /// above `threshold`; `marked` lists these by their first pixel.
    fn mark_crests(
        above: &[u16], here: &[u16], below: &[u16], gx: &[i16], gy: &[i16],
        threshold: u16, marks: &mut [u8], marked: &mut Vec<u32>,
    ) {
        let w = here.len();
        marked.clear();
        let mut start = 0;
        while start < w {
            let end = (start + MARKED).min(w);
            let strongest = here[start..end].iter().fold(0, |m, &v| m.max(v));
            if strongest < threshold {
                start = end;
                continue;
            }
            marked.push(start as u32);
            let marks = &mut marks[start..start + MARKED];
            // The first and the last pixel of a row have no gradient.
            let (from, to) = (start.max(1), end.min(w - 1));
            let n = to.saturating_sub(from);
            if from > start || to < end {
                marks.fill(0);
            }
            let marks = &mut marks[from - start..][..n];
            let (centre, left, right) = (&here[from..][..n], &here[from - 1..][..n], &here[from + 1..][..n]);
            let (above, below) = (&above[from..][..n], &below[from..][..n]);
            let (gx, gy) = (&gx[from..][..n], &gy[from..][..n]);
            for i in 0..n {
                let (m, l, r, a, b) = (centre[i], left[i], right[i], above[i], below[i]);
                // All ones or none, of 16 bits: whole vectors without a branch.
                let level = ones(gx[i].unsigned_abs() >= gy[i].unsigned_abs());
                let before = (l & level) | (a & !level);
                let after = (r & level) | (b & !level);
                marks[i] = (ones(m >= threshold) & ones(m >= before) & ones(m > after) & 1) as u8;
            }
            start = end;
        }
    }
}

dispatch! {
    fn normalise(edges: &[Edge], x: &mut [f32], y: &mut [f32], ux: &mut [f32], uy: &mut [f32]) {
        let n = edges.len();
        let (x, y, ux, uy) = (&mut x[..n], &mut y[..n], &mut ux[..n], &mut uy[..n]);
        for (i, e) in edges.iter().enumerate() {
            let (gx, gy) = (f32::from(e.gx), f32::from(e.gy));
            let unit = 1.0 / (gx * gx + gy * gy).sqrt();
            x[i] = f32::from(e.x);
            y[i] = f32::from(e.y);
            ux[i] = gx * unit;
            uy[i] = gy * unit;
        }
    }
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
        finder.begin(&Image::grey(&[0; 50], 10, 5, 10), Wanted::Usual);
        finder.find(&Image::grey(&data, 20, 10, 20));
        assert_eq!(finder.edges.len(), 8);
        for edge in &finder.edges {
            assert!(edge.x == 9 || edge.x == 10, "{edge:?}");
            assert_eq!((edge.gx, edge.gy), (160, 0));
        }
    }

    #[test]
    fn the_quantile_of_noise_is_that_of_two_normal_components() {
        // 4 Q(q) = 0.02 for q = 2.576; the median is at 1.488.
        assert!((above_median(0.02) - 2.576 * std::f64::consts::SQRT_2 / 1.488).abs() < 0.02);
    }

    #[test]
    fn more_edges_count_where_the_coarser_picture_has_as_strong_a_gradient() {
        let speckled = |w: usize, strength: u32| -> Vec<u8> {
            let hash = |i: u32| (i ^ i >> 15).wrapping_mul(0x2C1B_3C6D);
            let value = |i: u32| 100 + (hash(hash(i + 1)) >> 16) % strength;
            (0..w as u32 * w as u32).map(|i| value(i) as u8).collect()
        };
        let fine = speckled(64, 80);
        let threshold = |strength: u32| {
            let coarse = speckled(32, strength);
            let mut finder = EdgeFinder::default();
            finder.begin(&Image::grey(&coarse, 32, 32, 32), Wanted::Usual);
            finder.find(&Image::grey(&fine, 64, 64, 64));
            finder.threshold
        };
        assert!(threshold(80) < threshold(40), "{} {}", threshold(80), threshold(40));
    }

    #[test]
    fn a_flat_picture_has_no_edges() {
        let mut finder = EdgeFinder::default();
        finder.begin(&Image::grey(&[7; 100], 10, 10, 10), Wanted::Usual);
        finder.find(&Image::grey(&[7; 400], 20, 20, 20));
        assert!(finder.edges.is_empty());
    }
}
