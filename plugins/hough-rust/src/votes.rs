//! Every edge votes for the centres that it can belong to: cells along its
//! gradient, within the range of radii.

use crate::gradient::Edge;

/// On which side of its edge a disc lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Along the gradient: the disc is brighter than what surrounds it.
    Brighter,
    /// Against the gradient.
    Darker,
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

/// Votes that 3 x 3 cells need to be a peak.
const MIN_PEAK: u32 = 7;

/// Cells that are looked at in one picture, at most.
const MAX_CELLS: usize = 1 << 14;

/// The accumulator. Its memory is kept between pictures.
#[derive(Debug, Default)]
pub struct Accumulator {
    cells: Vec<u8>,
    busy: Vec<u32>,
    margin: usize,
    stride: usize,
    /// The peaks of the last vote, best first.
    pub peaks: Vec<Peak>,
}

impl Accumulator {
    /// Counts the votes of `edges` in a picture of `width` x `height` for radii
    /// `from..=to`, and lists at most `limit` peaks.
    pub fn vote(
        &mut self,
        (width, height): (usize, usize),
        edges: &[Edge],
        side: Side,
        (from, to): (f32, f32),
        limit: usize,
    ) {
        self.margin = to.ceil() as usize + 3;
        self.stride = width + 2 * self.margin;
        let n = self.stride * (height + 2 * self.margin);
        self.cells.clear();
        self.cells.resize(n, 0);
        self.busy.clear();
        self.peaks.clear();

        let sign = if side == Side::Brighter { 65536.0 } else { -65536.0 };
        let steps = (to - from).ceil() as usize + 1;
        let half = 32768 + ((self.margin as i32) << 16);
        for edge in edges {
            let (gx, gy) = (f32::from(edge.gx), f32::from(edge.gy));
            let unit = sign / (gx * gx + gy * gy).sqrt();
            let (dx, dy) = (gx * unit, gy * unit);
            let mut x = (i32::from(edge.x) << 16) + half + (dx * from) as i32;
            let mut y = (i32::from(edge.y) << 16) + half + (dy * from) as i32;
            let (dx, dy) = (dx as i32, dy as i32);
            for _ in 0..steps {
                let i = (y >> 16) as usize * self.stride + (x >> 16) as usize;
                let cell = self.cells[i].saturating_add(1);
                self.cells[i] = cell;
                if cell == MIN_CELL && self.busy.len() < MAX_CELLS {
                    self.busy.push(i as u32);
                }
                x += dx;
                y += dy;
            }
        }
        self.collect_peaks();
        self.peaks.sort_unstable_by(|a, b| {
            b.votes.cmp(&a.votes).then(a.y.total_cmp(&b.y)).then(a.x.total_cmp(&b.x))
        });
        self.peaks.truncate(limit);
    }

    fn collect_peaks(&mut self) {
        for &i in &self.busy {
            let i = i as usize;
            let centre = self.cells[i];
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
            if is_peak && sum as u32 >= MIN_PEAK {
                let (cx, cy) = (i % self.stride, i / self.stride);
                self.peaks.push(Peak {
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
        votes.vote((64, 64), &ring(30.0, 25.0, 9.0), Side::Brighter, (5.0, 12.0), 8);
        let best = votes.peaks[0];
        assert!((best.x - 30.0).abs() < 0.7 && (best.y - 25.0).abs() < 0.7, "{best:?}");
        assert!(best.votes > 30, "{best:?}");
    }

    #[test]
    fn the_other_side_sees_no_peak_there() {
        let mut votes = Accumulator::default();
        votes.vote((64, 64), &ring(30.0, 25.0, 9.0), Side::Darker, (5.0, 12.0), 8);
        assert!(votes.peaks.iter().all(|p| (p.x - 30.0).hypot(p.y - 25.0) > 5.0));
    }

    #[test]
    fn rings_over_the_border_are_found() {
        let edges: Vec<_> =
            ring(3.0, 3.0, 8.0).into_iter().filter(|e| e.x > 0 && e.y > 0).collect();
        let mut votes = Accumulator::default();
        votes.vote((64, 64), &edges, Side::Brighter, (5.0, 12.0), 8);
        let best = votes.peaks[0];
        assert!((best.x - 3.0).abs() < 1.0 && (best.y - 3.0).abs() < 1.0, "{best:?}");
    }
}
