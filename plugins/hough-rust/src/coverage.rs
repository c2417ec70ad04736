//! How much of a circle's rim the edges show: for a centre, the radius at which
//! edges that point at it fill the most directions.

use crate::{
    gradient::EdgeTable,
    sector::{SECTORS, middle, sector},
    simd::{dispatch, for_each_mark},
    votes::Side,
};

/// Radii that are told apart: half a pixel each.
const BINS: usize = 32;
/// Bins that count as one radius: a centre that is off by half a pixel spreads
/// the edges over a pixel, and so does their own grid.
const BAND: usize = 4;

/// What the edges say of a centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rim {
    /// Radius at which the most directions show an edge.
    pub r: f32,
    /// Share of the directions inside the picture that do.
    pub coverage: f32,
}

/// Looks for rims; keeps its memory.
#[derive(Debug, Default)]
pub struct Rims {
    marks: Vec<u8>,
}

impl Rims {
    /// The rim around (x, y) with a radius in `from..=to` in a picture of
    /// `width` x `height`.
    pub fn around(
        &mut self,
        edges: &EdgeTable,
        (x, y): (f32, f32),
        (from, to): (f32, f32),
        side: Side,
        (width, height): (usize, usize),
    ) -> Option<Rim> {
        let sign = if side == Side::Brighter { -1.0 } else { 1.0 };
        let first = from - 0.75;
        let last = (to + 0.75).min(first + BINS as f32 / 2.0 - 0.5);
        // Edges are in the order of their rows. A gradient that passes the centre
        // closely is at most a little longer than its part along the radius.
        let reach = 1.2 * last + 1.0;
        let begin = edges.y.partition_point(|row| *row < y - reach);
        let n = edges.y[begin..].partition_point(|row| *row <= y + reach);
        self.marks.resize(n.next_multiple_of(8), 0);
        mark_pointing(edges, begin, (x, y), (first, last), sign, &mut self.marks[..n]);
        self.marks[n..].fill(0);
        let mut filled = [0_u32; BINS];
        for_each_mark(&self.marks, |i| {
            let (dx, dy) = (edges.x[begin + i] - x, edges.y[begin + i] - y);
            let rho = (dx * dx + dy * dy).sqrt();
            let bin = (2.0 * (rho - first)).max(0.0) as usize;
            filled[bin.min(BINS - 1)] |= 1 << sector(dx, dy);
        });
        let mut best = Rim { r: 0.0, coverage: 0.0 };
        let (mut most, mut alike) = (0.0, 0.0_f32);
        for k in 0..=BINS - BAND {
            let mask = filled[k..k + BAND].iter().fold(0, |all, m| all | m);
            if mask == 0 {
                continue;
            }
            let r = first + 0.5 * (k as f32 + BAND as f32 / 2.0);
            let seen = visible((x, y), r, (width, height));
            // A small circle has fewer edges than sectors: two make one.
            let pairs = |m: u32| (m | m >> 1) & 0x5555_5555;
            let share = |shown: u32, seen: u32| {
                shown.count_ones() as f32 / seen.count_ones().max(SECTORS as u32 / 8) as f32
            };
            let coverage = share(pairs(mask & seen), pairs(seen));
            // The single sectors choose among radii that are alike.
            let value = coverage + 0.5 * share(mask & seen, seen);
            if value > most {
                (most, alike) = (value, 1.0);
                best = Rim { r, coverage };
            } else if value == most {
                // The middle of all that are alike.
                alike += 1.0;
                best.r += (r - best.r) / alike;
            }
        }
        (best.coverage > 0.0).then_some(best)
    }
}

/// The sectors in which a circle lies inside the picture.
fn visible((x, y): (f32, f32), r: f32, (width, height): (usize, usize)) -> u32 {
    let (right, bottom) = (width as f32 - 2.0, height as f32 - 2.0);
    if x - r >= 1.0 && y - r >= 1.0 && x + r <= right && y + r <= bottom {
        return u32::MAX;
    }
    let mut seen = 0;
    for k in 0..SECTORS {
        let (dx, dy, length) = middle(k);
        let scale = r / length;
        let (px, py) = (x + dx * scale, y + dy * scale);
        if px >= 1.0 && py >= 1.0 && px <= right && py <= bottom {
            seen |= 1 << k;
        }
    }
    seen
}

dispatch! {
    /// Puts 1 into `marks` for every edge from number `begin` on whose gradient, times
    /// `sign`, points away from the centre at a distance in `range`, and passes it closely.
    #[allow(clippy::needless_bitwise_bool, reason = "no branch, so that it is vectorised")]
    fn mark_pointing(
        edges: &EdgeTable, begin: usize, centre: (f32, f32), range: (f32, f32), sign: f32,
        marks: &mut [u8],
    ) {
        let n = marks.len();
        let (xs, ys) = (&edges.x[begin..][..n], &edges.y[begin..][..n]);
        let (uxs, uys) = (&edges.ux[begin..][..n], &edges.uy[begin..][..n]);
        for i in 0..n {
            let (dx, dy) = (xs[i] - centre.0, ys[i] - centre.1);
            let along = sign * (uxs[i] * dx + uys[i] * dy);
            let across = uxs[i] * dy - uys[i] * dx;
            let near = across.abs() <= 1.0 + 0.1 * along;
            marks[i] = u8::from((along >= range.0) & (along <= range.1) & near);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::Edge;

    fn table(cx: f32, cy: f32, r: f32, arc: f32) -> EdgeTable {
        let edges: Vec<_> = (0..64)
            .map(|i| {
                let (s, c) = libm::sincosf(i as f32 / 64.0 * arc * std::f32::consts::TAU);
                Edge {
                    x: (cx + r * c).round() as u16,
                    y: (cy + r * s).round() as u16,
                    gx: (-400.0 * c) as i16,
                    gy: (-400.0 * s) as i16,
                }
            })
            .collect();
        let mut table = EdgeTable::default();
        table.fill(&edges);
        table
    }

    #[test]
    fn a_whole_rim_is_seen_with_its_radius() {
        let edges = table(30.0, 25.0, 9.0, 1.0);
        let rim =
            Rims::default().around(&edges, (30.3, 24.8), (4.5, 11.0), Side::Brighter, (64, 64));
        let rim = rim.unwrap();
        assert!((rim.r - 9.0).abs() <= 0.75 && rim.coverage > 0.95, "{rim:?}");
    }

    #[test]
    fn half_a_rim_is_half() {
        let edges = table(30.0, 25.0, 9.0, 0.5);
        let rim =
            Rims::default().around(&edges, (30.0, 25.0), (4.5, 11.0), Side::Brighter, (64, 64));
        assert!((rim.unwrap().coverage - 0.5).abs() < 0.1, "{rim:?}");
    }

    #[test]
    fn what_the_border_cuts_off_does_not_count() {
        let edges = table(30.0, 25.0, 9.0, 0.5);
        // Rows above the centre are outside of the picture.
        let rim =
            Rims::default().around(&edges, (30.0, 0.0), (4.5, 11.0), Side::Brighter, (64, 64));
        assert!(rim.is_none_or(|r| r.coverage < 0.5));
        let mut up = table(30.0, 25.0, 9.0, 0.5);
        up.y.iter_mut().for_each(|y| *y -= 25.0);
        let rim = Rims::default().around(&up, (30.0, 0.0), (4.5, 11.0), Side::Brighter, (64, 64));
        assert!(rim.unwrap().coverage > 0.9, "{rim:?}");
    }

    #[test]
    fn the_other_side_sees_nothing() {
        let edges = table(30.0, 25.0, 9.0, 1.0);
        let rim = Rims::default().around(&edges, (30.0, 25.0), (4.5, 11.0), Side::Darker, (64, 64));
        assert!(rim.is_none());
    }
}
