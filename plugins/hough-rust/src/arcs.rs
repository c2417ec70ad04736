//! Arcs: edges that follow each other along a circle.
//!
//! Votes need a whole rim that stands out from all others of its level. A piece of a rim
//! is found by its neighbourhood alone, whatever else the picture is full of: edges are
//! linked into chains along their tangents, and a chain is cut into pieces that a circle
//! fits.

use crate::{
    gradient::{Edge, EdgeTable},
    linalg,
    ring::Circle,
};

/// Cosine of the largest angle between the gradients of an edge and the next of its chain.
const TURN: f32 = 0.75;
/// Fewest edges of an arc, and those that the search for one begins with.
const SHORTEST: usize = 9;
/// What the edges of an arc may be off the circle, root mean square, in pixels: whole
/// pixels alone are off by 0.29.
const OFF: f64 = 0.4;
/// Smallest part of a circle that an arc shows, in radians.
const SPAN: f64 = 1.2;

/// How far the gradient must turn along an arc, as a share of its span.
const TURNS: f64 = 0.5;

/// A piece of a rim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arc {
    /// The circle that it lies on.
    pub circle: Circle,
    /// 1 where the circle's inside is brighter, -1 where it is darker.
    pub sign: f32,
    /// How much of the circle it shows, in radians.
    pub span: f64,
}

/// Finds arcs; keeps its memory between pictures.
#[derive(Debug, Default)]
pub struct Arcs {
    places: Places,
    chain: Vec<u32>,
    /// Sums of the moments of the edges of a chain before each.
    sums: Vec<Moments>,
    /// The arcs of the last picture.
    pub arcs: Vec<Arc>,
}

/// Which pixels have an edge: bits, since most neighbours that are asked for have none, and
/// numbers for all pixels would not stay in the nearer caches.
#[derive(Debug, Default)]
struct Places {
    /// Words in a row.
    words: usize,
    /// The pixels with an edge.
    all: Vec<u64>,
    /// Those of which it has not been taken.
    left: Vec<u64>,
    /// How many edges come before each word.
    before: Vec<u32>,
}

impl Places {
    /// Takes over edges in the order of their rows and columns.
    fn fill(&mut self, edges: &[Edge], (width, height): (usize, usize)) {
        self.words = width.div_ceil(64);
        self.all.clear();
        self.all.resize(self.words * height, 0);
        for e in edges {
            let (word, bit) = self.at(e.x.into(), e.y.into());
            self.all[word] |= bit;
        }
        self.left.clone_from(&self.all);
        let mut n = 0;
        self.before.clear();
        self.before.extend(self.all.iter().map(|word| {
            n += word.count_ones();
            n - word.count_ones()
        }));
    }

    fn at(&self, x: usize, y: usize) -> (usize, u64) {
        (y * self.words + x / 64, 1 << (x % 64))
    }

    /// Whether an edge has not been taken.
    fn holds(&self, e: Edge) -> bool {
        let (word, bit) = self.at(e.x.into(), e.y.into());
        self.left[word] & bit != 0
    }

    fn take(&mut self, e: Edge) {
        let (word, bit) = self.at(e.x.into(), e.y.into());
        self.left[word] &= !bit;
    }

    /// The number of the edge at a pixel, if there is one that has not been taken.
    fn number_at(&self, x: usize, y: usize) -> Option<usize> {
        let (word, bit) = self.at(x, y);
        (self.left[word] & bit != 0).then(|| {
            let earlier = (self.all[word] & (bit - 1)).count_ones();
            (self.before[word] + earlier) as usize
        })
    }
}

/// Sums over points of x, y, x², xy, y², xz, yz, z, z² with z = x² + y², and their number.
#[derive(Clone, Copy, Debug, Default)]
struct Moments([f64; 10]);

impl Moments {
    fn with(&self, x: f64, y: f64) -> Self {
        let z = x * x + y * y;
        let terms = [x, y, x * x, x * y, y * y, x * z, y * z, z, z * z, 1.0];
        Self(std::array::from_fn(|k| self.0[k] + terms[k]))
    }

    fn since(&self, earlier: &Self) -> Self {
        Self(std::array::from_fn(|k| self.0[k] - earlier.0[k]))
    }

    /// The circle that minimises the sum of (z - 2 a x - 2 b y - c)² (Kåsa 1976), and
    /// about how far points are off it, root mean square.
    fn circle(&self) -> Option<(Circle, f64)> {
        let [x, y, xx, xy, yy, xz, yz, z, zz, n] = self.0;
        let a = [[xx, xy, x], [xy, yy, y], [x, y, n]];
        let b = [xz, yz, z];
        let p = linalg::solve(&a, &b, 3)?;
        let centre = [p[0] / 2.0, p[1] / 2.0];
        let r2 = p[2] + centre[0] * centre[0] + centre[1] * centre[1];
        let squares = zz - p[0] * xz - p[1] * yz - p[2] * z;
        let r = r2.max(0.0).sqrt();
        let off = (squares.max(0.0) / n).sqrt() / (2.0 * r);
        (r > 0.0).then_some((Circle { x: centre[0], y: centre[1], r }, off))
    }
}

impl Arcs {
    /// Lists the arcs with radii in `from..=to` among the edges of a picture of `width` x
    /// `height`, which are in the order of their rows and columns, none on the border.
    pub fn find(
        &mut self,
        (edges, table): (&[Edge], &EdgeTable),
        (width, height): (usize, usize),
        radii: (f64, f64),
    ) {
        self.arcs.clear();
        self.places.fill(edges, (width, height));
        for i in 0..edges.len() {
            if self.places.holds(edges[i]) {
                self.link((edges, table), i);
                if self.chain.len() >= SHORTEST {
                    self.cut(edges, radii);
                }
            }
        }
    }

    /// The chain with edge `first` in it, which is taken out of the picture.
    fn link(&mut self, edges: (&[Edge], &EdgeTable), first: usize) {
        self.chain.clear();
        self.places.take(edges.0[first]);
        self.chain.push(first as u32);
        self.follow(edges, first, 1);
        self.chain.reverse();
        self.follow(edges, first, -1);
    }

    /// Appends what follows edge `first`, with the brighter side to the right of the way
    /// (`sense` 1) or to the left (-1).
    fn follow(&mut self, (edges, table): (&[Edge], &EdgeTable), first: usize, sense: i32) {
        let mut last = first;
        while let Some(next) = self.next((edges, table), last, sense) {
            self.places.take(edges[next]);
            self.chain.push(next as u32);
            last = next;
        }
    }

    /// Of the neighbours ahead of edge `i` the one whose gradient is most like its own.
    fn next(&self, (edges, table): (&[Edge], &EdgeTable), i: usize, sense: i32) -> Option<usize> {
        let e = &edges[i];
        let (gx, gy) = (i32::from(e.gx), i32::from(e.gy));
        let octant = octant(sense * gy, -sense * gx);
        let mut best = (TURN, None);
        for turn in [0, 1, 7] {
            let (dx, dy) = STEPS[(octant + turn) % 8];
            // Edges are never at a border.
            let (x, y) = (i32::from(e.x) + dx, i32::from(e.y) + dy);
            let Some(k) = self.places.number_at(x as usize, y as usize) else { continue };
            let alike = table.ux[i] * table.ux[k] + table.uy[i] * table.uy[k];
            if alike > best.0 {
                best = (alike, Some(k));
            }
        }
        best.1
    }

    /// Cuts the chain into arcs.
    fn cut(&mut self, edges: &[Edge], (from, to): (f64, f64)) {
        let origin = &edges[self.chain[0] as usize];
        let (x0, y0) = (f64::from(origin.x), f64::from(origin.y));
        self.sums.clear();
        self.sums.push(Moments::default());
        for &i in &self.chain {
            let e = &edges[i as usize];
            let last = self.sums[self.sums.len() - 1];
            self.sums.push(last.with(f64::from(e.x) - x0, f64::from(e.y) - y0));
        }
        let n = self.chain.len();
        let sums = &self.sums;
        let fit = |i: usize, j: usize| sums[j].since(&sums[i]).circle().filter(|f| f.1 <= OFF);
        let mut i = 0;
        while i + SHORTEST <= n {
            let mut j = i + SHORTEST;
            let Some(mut best) = fit(i, j) else {
                i += SHORTEST / 3;
                continue;
            };
            // Ever longer steps, then ever shorter ones.
            let mut step = SHORTEST / 2;
            while step > 0 {
                match (j + step <= n).then(|| fit(i, j + step)).flatten() {
                    Some(longer) => {
                        best = longer;
                        j += step;
                        step *= 2;
                    }
                    None => step /= 2,
                }
            }
            let (circle, _) = best;
            let circle = Circle { x: circle.x + x0, y: circle.y + y0, r: circle.r };
            let span = (j - i) as f64 / circle.r;
            if span >= SPAN && (from..=to).contains(&circle.r) {
                let edge = |k: usize| edges[self.chain[k] as usize];
                let quarters = [0, 1, 2, 3, 4].map(|k| edge(i + k * (j - 1 - i) / 4));
                // A slanting line is a staircase, which is round here and there.
                let turn: f64 = quarters.windows(2).map(|two| angle(two[0], two[1])).sum();
                if turn.abs() < TURNS * span {
                    i = j;
                    continue;
                }
                let middle = quarters[2];
                let (dx, dy) = (circle.x - f64::from(middle.x), circle.y - f64::from(middle.y));
                let inwards = f64::from(middle.gx) * dx + f64::from(middle.gy) * dy;
                let sign = if inwards > 0.0 { 1.0 } else { -1.0 };
                self.arcs.push(Arc { circle, sign, span });
            }
            i = j;
        }
    }
}

/// The angle from the gradient of `a` to that of `b`, in radians.
fn angle(a: Edge, b: Edge) -> f64 {
    let [ax, ay, bx, by] = [a.gx, a.gy, b.gx, b.gy].map(f64::from);
    libm::atan2(ax * by - ay * bx, ax * bx + ay * by)
}

/// Steps to the eight neighbours, by their direction.
const STEPS: [(i32, i32); 8] =
    [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)];

/// The neighbour in whose direction (x, y) points.
fn octant(x: i32, y: i32) -> usize {
    // 5 / 12 is about the tangent of 22.5 degrees.
    let (ax, ay) = (x.abs(), y.abs());
    let (flat, steep) = (12 * ay < 5 * ax, 12 * ax < 5 * ay);
    match (flat, steep, x > 0, y > 0) {
        (true, _, true, _) => 0,
        (true, _, false, _) => 4,
        (_, true, _, true) => 2,
        (_, true, _, false) => 6,
        (_, _, true, true) => 1,
        (_, _, false, true) => 3,
        (_, _, false, false) => 5,
        (_, _, true, false) => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gradient::{EdgeFinder, Wanted},
        image::Image,
    };

    /// The arcs in a picture of 120 x 100.
    fn arcs(inside: impl Fn(f64, f64) -> bool, (low, high): (u8, u8)) -> Vec<Arc> {
        let (w, h) = (120, 100);
        let data: Vec<u8> = (0..w * h)
            .map(|i| if inside((i % w) as f64, (i / w) as f64) { high } else { low })
            .collect();
        let image = Image::grey(&data, w, h, w);
        let mut finder = EdgeFinder::default();
        finder.begin(&image, Wanted::Usual);
        finder.find(&image);
        let mut table = EdgeTable::default();
        table.fill(&finder.edges);
        let mut arcs = Arcs::default();
        // Twice, since it keeps its memory.
        arcs.find((&finder.edges, &table), (w, h), (5.0, 40.0));
        let first = arcs.arcs.clone();
        arcs.find((&finder.edges, &table), (w, h), (5.0, 40.0));
        assert_eq!(arcs.arcs, first);
        first
    }

    #[test]
    fn a_rim_is_an_arc_or_a_few() {
        let disc = |x: f64, y: f64| (x - 57.3).hypot(y - 48.6) < 21.4;
        for (levels, sign) in [((40, 180), 1.0), ((180, 40), -1.0)] {
            let found = arcs(disc, levels);
            assert!(!found.is_empty());
            for Arc { circle, sign: side, .. } in &found {
                assert_eq!(*side, sign);
                assert!((circle.x - 57.3).hypot(circle.y - 48.6) < 0.7, "{circle:?}");
                assert!((circle.r - 21.4).abs() < 0.7, "{circle:?}");
            }
            let whole: f64 = found.iter().map(|arc| arc.span).sum();
            assert!(whole > 0.8 * std::f64::consts::TAU * 0.9, "{whole}");
        }
    }

    #[test]
    fn a_quarter_of_a_rim_is_enough() {
        let quarter = |x: f64, y: f64| x > 50.0 && y > 40.0 && (x - 50.0).hypot(y - 40.0) < 30.0;
        let found = arcs(quarter, (40, 180));
        let best = found.iter().max_by(|a, b| a.span.total_cmp(&b.span)).unwrap();
        let Circle { x, y, r } = best.circle;
        assert!((x - 50.0).hypot(y - 40.0) < 3.0 && (r - 30.0).abs() < 3.0, "{best:?}");
    }

    #[test]
    fn straight_edges_are_none() {
        let bar = |x: f64, y: f64| (30.0..70.0).contains(&(x + 0.3 * y));
        assert_eq!(arcs(bar, (40, 180)), []);
    }

    #[test]
    fn the_octant_is_the_neighbour_that_is_nearest_to_the_direction() {
        for degrees in (0..360).step_by(3) {
            let (s, c) = f64::from(degrees).to_radians().sin_cos();
            let (dx, dy) = STEPS[octant((1000.0 * c) as i32, (1000.0 * s) as i32)];
            let cosine = (c * f64::from(dx) + s * f64::from(dy)) / f64::from(dx).hypot(dy.into());
            assert!(cosine > 23.0_f64.to_radians().cos(), "{degrees}");
        }
    }
}
