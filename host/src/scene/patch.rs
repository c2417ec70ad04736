//! A coverage mask of a part of the canvas: what one object covers of each pixel.

/// Where a row of a mask is non-zero and where it is one: columns
/// [start, end) may be covered, [solid, `solid_end`) are covered entirely.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) start: i32,
    pub(crate) solid: i32,
    pub(crate) solid_end: i32,
    pub(crate) end: i32,
}

/// A mask over the rectangle that an object touches, clipped to the canvas.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patch {
    canvas: [i32; 2],
    /// First column and row, then the columns and rows.
    x0: i32,
    y0: i32,
    width: i32,
    height: i32,
    alpha: Vec<f32>,
    rows: Vec<Row>,
}

impl Patch {
    /// An empty mask for a canvas of this size.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { canvas: [width as i32, height as i32], ..Self::default() }
    }

    /// Forgets the old mask and fills the pixels that [x0, x1] x [y0, y1]
    /// touches, row by row: `fill` gets the row's number, its first column and
    /// its zeroed values.
    pub(crate) fn rows(
        &mut self,
        x0: f64,
        y0: f64,
        x1: f64,
        y1: f64,
        mut fill: impl FnMut(i32, i32, &mut [f32]) -> Row,
    ) {
        let first = |v: f64, n: i32| ((v + 0.5).floor().clamp(0.0, f64::from(n))) as i32;
        let last = |v: f64, n: i32| ((v + 0.5).floor() + 1.0).clamp(0.0, f64::from(n)) as i32;
        (self.x0, self.y0) = (first(x0, self.canvas[0]), first(y0, self.canvas[1]));
        self.width = (last(x1, self.canvas[0]) - self.x0).max(0);
        self.height = (last(y1, self.canvas[1]) - self.y0).max(0);
        self.alpha.clear();
        self.alpha.resize(self.width as usize * self.height as usize, 0.0);
        self.rows.clear();
        if self.width == 0 {
            self.height = 0;
            return;
        }
        for (row, j) in self.alpha.chunks_exact_mut(self.width as usize).zip(self.y0..) {
            self.rows.push(fill(j, self.x0, row));
        }
    }

    /// The spans of row `y` and the values of its columns [start, end).
    pub(crate) fn row(&self, y: i32) -> (Row, &[f32]) {
        if y < self.y0 || y >= self.y0 + self.height {
            return (Row::default(), &[]);
        }
        let j = (y - self.y0) as usize;
        let (row, from) = (self.rows[j], j * self.width as usize);
        let at = |x: i32| from + (x - self.x0) as usize;
        if row.start < row.end {
            (row, &self.alpha[at(row.start)..at(row.end)])
        } else {
            (Row::default(), &[])
        }
    }

    /// The coverage of pixel (`x`, `y`).
    pub(crate) fn at(&self, x: i32, y: i32) -> f32 {
        let (row, alpha) = self.row(y);
        if (row.start..row.end).contains(&x) { alpha[(x - row.start) as usize] } else { 0.0 }
    }

    /// The rectangle that the mask may touch.
    pub(crate) fn bounds(&self) -> Rect {
        Rect { x0: self.x0, y0: self.y0, x1: self.x0 + self.width, y1: self.y0 + self.height }
    }
}

/// Columns [x0, x1), rows [y0, y1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) x0: i32,
    pub(crate) y0: i32,
    pub(crate) x1: i32,
    pub(crate) y1: i32,
}

impl Rect {
    pub(crate) fn is_empty(self) -> bool {
        self.x0 >= self.x1 || self.y0 >= self.y1
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.x0 < other.x1 && other.x0 < self.x1 && self.y0 < other.y1 && other.y0 < self.y1
    }

    /// The smallest rectangle that holds both.
    pub(crate) fn union(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            _ => Self {
                x0: self.x0.min(other.x0),
                y0: self.y0.min(other.y0),
                x1: self.x1.max(other.x1),
                y1: self.y1.max(other.y1),
            },
        }
    }
}
