//! Every edge votes for the centres that it can belong to: cells along its
//! gradient, within the range of radii.

use crate::gradient::{EdgeTable, Fixed};

/// On which side of its edge a disc lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Along the gradient: the disc is brighter than what surrounds it.
    Brighter,
    /// Against the gradient.
    Darker,
}

impl Side {
    /// That of a disc with this sign: 1 when it is brighter than its surroundings, -1 when it
    /// is darker.
    pub(crate) fn of(sign: f32) -> Self {
        if sign > 0.0 { Self::Brighter } else { Self::Darker }
    }

    /// The sign of a disc there.
    pub(crate) fn sign(self) -> f32 {
        if self == Self::Brighter { 1.0 } else { -1.0 }
    }
}

/// A cell with many votes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Column, of the cell's 3 x 3 neighbourhood's centre of gravity.
    pub x: f32,
    /// Row.
    pub y: f32,
    /// Votes in the 3 x 3 neighbourhood.
    pub votes: u32,
}

/// Votes that a single cell needs to be looked at.
const MIN_CELL: u8 = 3;

/// Votes that 3 x 3 cells need to be a peak, at least.
const MIN_PEAK: u32 = 7;

/// Cells that are looked at in one picture, at most.
const MAX_CELLS: usize = 1 << 14;

/// Of two peaks that are closer than this, in cells, the weaker one is left out.
const APART: f32 = 1.5;

/// The accumulator. Its memory is kept between pictures.
#[derive(Debug, Default)]
pub struct Accumulator {
    /// All zero between two calls.
    cells: Vec<u8>,
    /// Cells that got their third vote; the last place is for those beyond the limit.
    busy: Vec<u32>,
    margin: usize,
    stride: usize,
    /// Of these the first `in_order` are sorted, best first, and the first
    /// `looked_at` are among the peaks or too close to one.
    ranked: Vec<Peak>,
    in_order: usize,
    looked_at: usize,
    /// The peaks of the last vote, best first.
    pub peaks: Vec<Peak>,
}

/// Which edges vote: an even choice of at most `budget` out of `n`.
#[derive(Clone, Copy)]
struct Choice(u64);

impl Choice {
    fn new(n: usize, budget: usize) -> Self {
        Self(((budget as u64) << 32).checked_div(n as u64).unwrap_or(0))
    }

    /// Multiplicative hashing picks without the regularity of a fixed step.
    #[inline]
    fn takes(self, i: usize) -> bool {
        u64::from((i as u32).wrapping_mul(0x9E37_79B1) ^ 0x5bd1_e995) < self.0
    }
}

/// The cells that an edge votes for.
#[derive(Clone, Copy)]
struct Path {
    /// 1 along the gradient, -1 against it.
    sign: i32,
    /// Where votes begin, in 1/256 of a pixel from the edge.
    from: i32,
    steps: usize,
    /// Where pixel 0 is among the cells, in 16.16 fixed point, and half a cell.
    origin: i32,
    stride: usize,
}

impl Path {
    #[inline]
    fn cells(self, edge: Fixed) -> impl Iterator<Item = usize> {
        let (dx, dy) = (self.sign * edge.dx, self.sign * edge.dy);
        let mut x = edge.x + self.origin + ((dx * self.from) >> 8);
        let mut y = edge.y + self.origin + ((dy * self.from) >> 8);
        (0..self.steps).map(move |_| {
            let cell = (y >> 16) as usize * self.stride + (x >> 16) as usize;
            x += dx;
            y += dy;
            cell
        })
    }
}

impl Accumulator {
    /// Counts the votes of at most `budget` of the `edges` in a picture of
    /// `width` x `height` for radii `from..=to`, and lists at most `limit` peaks.
    pub fn vote(
        &mut self,
        (width, height): (usize, usize),
        (edges, budget): (&EdgeTable, usize),
        side: Side,
        (from, to): (f32, f32),
        limit: usize,
    ) {
        self.margin = to.ceil() as usize + 3;
        self.stride = width + 2 * self.margin;
        let size = self.stride * (height + 2 * self.margin);
        if self.cells.len() < size {
            self.cells.resize(size, 0);
        }
        self.peaks.clear();
        let path = Path {
            sign: if side == Side::Brighter { 1 } else { -1 },
            from: (256.0 * from) as i32,
            steps: (to - from).ceil() as usize + 1,
            origin: 32768 + ((self.margin as i32) << 16),
            stride: self.stride,
        };
        let choice = Choice::new(edges.len(), budget);
        let cells = &mut self.cells[..size];
        self.busy.resize(MAX_CELLS + 1, 0);
        let (mut busy, mut votes) = (0, 0);
        let chosen =
            || (edges.fixed.iter().enumerate()).filter(|(i, _)| choice.takes(*i)).map(|(_, e)| *e);
        for edge in chosen() {
            votes += path.steps;
            for i in path.cells(edge) {
                let cell = cells[i].saturating_add(1);
                cells[i] = cell;
                // Without a branch, which would go either way by chance.
                self.busy[busy.min(MAX_CELLS)] = i as u32;
                busy += usize::from(cell == MIN_CELL);
            }
        }
        // What chance would put into a cell, and four deviations more.
        let chance = votes as f32 / (width * height).max(1) as f32;
        let least = (chance + 4.0 * chance.sqrt()).clamp(f32::from(MIN_CELL), 200.0) as u8;
        let peak = (9.0 * chance + 4.0 * (9.0 * chance).sqrt()).max(MIN_PEAK as f32) as u32;
        self.collect_peaks(busy.min(MAX_CELLS), least, peak);
        // Back to zero: by the way that the votes went, when that is shorter. A
        // fill writes 32 cells and more in the time of one such step.
        let cells = &mut self.cells[..size];
        if 32 * votes > size {
            cells.fill(0);
        } else {
            for edge in chosen() {
                path.cells(edge).for_each(|i| cells[i] = 0);
            }
        }
        (self.in_order, self.looked_at) = (0, 0);
        self.more_peaks(limit);
    }

    /// Adds at most `limit` more peaks to the list, the best of those that are apart
    /// from better ones. Returns whether there were any.
    pub fn more_peaks(&mut self, limit: usize) -> bool {
        let order = |a: &Peak, b: &Peak| {
            b.votes.cmp(&a.votes).then(a.y.total_cmp(&b.y)).then(a.x.total_cmp(&b.x))
        };
        let before = self.peaks.len();
        // Seldom more than a few are looked at: those are put in order first.
        while self.peaks.len() < before + limit && self.looked_at < self.ranked.len() {
            if self.looked_at == self.in_order {
                let rest = &mut self.ranked[self.in_order..];
                let n = (4 * limit).min(rest.len());
                if n < rest.len() {
                    rest.select_nth_unstable_by(n, order);
                }
                rest[..n].sort_unstable_by(order);
                self.in_order += n;
            }
            let new = self.ranked[self.looked_at];
            self.looked_at += 1;
            let near = |old: &Peak| (old.x - new.x).abs() < APART && (old.y - new.y).abs() < APART;
            if !self.peaks.iter().any(near) {
                self.peaks.push(new);
            }
        }
        self.peaks.len() > before
    }

    /// Lists peaks among the first `busy` cells that were noted.
    fn collect_peaks(&mut self, busy: usize, least: u8, peak: u32) {
        self.ranked.clear();
        for &i in &self.busy[..busy] {
            let i = i as usize;
            let centre = self.cells[i];
            if centre < least {
                continue;
            }
            let (mut sum, mut sx, mut sy) = (0_i32, 0_i32, 0_i32);
            let mut is_peak = true;
            for dy in -1..=1_i32 {
                for dx in -1..=1_i32 {
                    let j = (i as i32 + dy * self.stride as i32 + dx) as usize;
                    let v = self.cells[j];
                    is_peak &= if j < i { v < centre } else { v <= centre };
                    sum += i32::from(v);
                    sx += dx * i32::from(v);
                    sy += dy * i32::from(v);
                }
            }
            if is_peak && sum as u32 >= peak {
                let (cx, cy) = (i % self.stride, i / self.stride);
                self.ranked.push(Peak {
                    x: cx as f32 - self.margin as f32 + sx as f32 / sum as f32,
                    y: cy as f32 - self.margin as f32 + sy as f32 / sum as f32,
                    votes: sum as u32,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::Edge;

    fn table(edges: &[Edge]) -> EdgeTable {
        let mut table = EdgeTable::default();
        table.fill(edges);
        table
    }

    fn ring(cx: f32, cy: f32, r: f32) -> Vec<Edge> {
        (0..48)
            .map(|i| {
                let (s, c) = (i as f32 / 48.0 * std::f32::consts::TAU).sin_cos();
                Edge {
                    x: (cx + r * c).round() as u16,
                    y: (cy + r * s).round() as u16,
                    gx: (-400.0 * c) as i16,
                    gy: (-400.0 * s) as i16,
                }
            })
            .collect()
    }

    #[test]
    fn a_ring_of_inward_gradients_peaks_at_its_centre() {
        let mut votes = Accumulator::default();
        votes.vote((64, 64), (&table(&ring(30.0, 25.0, 9.0)), 100), Side::Brighter, (5.0, 12.0), 8);
        let best = votes.peaks[0];
        assert!((best.x - 30.0).abs() < 0.7 && (best.y - 25.0).abs() < 0.7, "{best:?}");
        assert!(best.votes > 30, "{best:?}");
    }

    #[test]
    fn the_other_side_sees_no_peak_there() {
        let mut votes = Accumulator::default();
        votes.vote((64, 64), (&table(&ring(30.0, 25.0, 9.0)), 100), Side::Darker, (5.0, 12.0), 8);
        assert!(votes.peaks.iter().all(|p| (p.x - 30.0).hypot(p.y - 25.0) > 5.0));
    }

    #[test]
    fn rings_over_the_border_are_found() {
        let edges: Vec<_> =
            ring(3.0, 3.0, 8.0).into_iter().filter(|e| e.x > 0 && e.y > 0).collect();
        let mut votes = Accumulator::default();
        votes.vote((64, 64), (&table(&edges), 100), Side::Brighter, (5.0, 12.0), 8);
        let best = votes.peaks[0];
        assert!((best.x - 3.0).abs() < 1.0 && (best.y - 3.0).abs() < 1.0, "{best:?}");
    }
}
