//! Where the discs of the last picture should be in the next one.

use crate::{image::Image, rays::Circle};

/// Pictures after which the whole is searched again.
const REFRESH: u32 = 30;
/// Around a disc's expected place this is searched, in radii and in pixels.
const MARGIN: (f64, f64) = (1.0, 12.0);
/// What a fit reads around the rim, in pixels.
const RIM: f64 = 6.0;

#[derive(Clone, Copy, Debug)]
struct Track {
    circle: Circle,
    /// Pixels per picture.
    velocity: [f64; 2],
}

/// A part of the picture in which a disc is expected.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Where the disc should be, at full resolution.
    pub expected: Circle,
}

impl Area {
    /// Whether all that a fit reads around `circle` is in the area, or outside
    /// of the picture: then it is the same as in the whole picture.
    pub fn holds(&self, circle: &Circle, image: &Image<'_>) -> bool {
        let reach = circle.r + RIM;
        let fits = |c: f64, from: usize, n: usize, all: usize| {
            (from == 0 || c - reach >= from as f64)
                && (from + n == all || c + reach <= (from + n - 1) as f64)
        };
        fits(circle.x, self.x, self.width, image.width)
            && fits(circle.y, self.y, self.height, image.height)
    }
}

/// The discs that are followed.
#[derive(Debug, Default)]
pub struct Tracks {
    now: Vec<Track>,
    before: Vec<Track>,
    size: (usize, usize),
    age: u32,
}

impl Tracks {
    /// How many areas there are to look at in a picture of this size: 0 when the
    /// whole must be searched.
    pub fn areas(&self, size: (usize, usize)) -> usize {
        if self.size == size && self.age < REFRESH { self.now.len() } else { 0 }
    }

    /// The area of disc `i`.
    pub fn area(&self, i: usize) -> Area {
        let Track { circle, velocity: [vx, vy] } = self.now[i];
        let expected = Circle { x: circle.x + vx, y: circle.y + vy, r: circle.r };
        // Room for a bounce, which may send the disc anywhere.
        let half = circle.r * (1.0 + MARGIN.0) + MARGIN.1 + 2.0 * vx.hypot(vy);
        let span = |c: f64, n: usize| {
            let from = (c - half).clamp(0.0, n as f64 - 1.0) as usize;
            let to = ((c + half).clamp(0.0, n as f64 - 1.0) as usize).max(from);
            (from, to - from + 1)
        };
        let (x, width) = span(expected.x, self.size.0);
        let (y, height) = span(expected.y, self.size.1);
        Area { x, y, width, height, expected }
    }

    /// The whole picture was searched.
    pub fn searched(&mut self) {
        self.age = 0;
    }

    /// Takes over what was found in a picture of this size.
    pub fn update(&mut self, size: (usize, usize), found: impl Iterator<Item = Circle>) {
        std::mem::swap(&mut self.now, &mut self.before);
        self.now.clear();
        self.age += 1;
        for circle in found {
            let distance = |t: &Track| (t.circle.x - circle.x).hypot(t.circle.y - circle.y);
            let last = self.before.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            let velocity = match last {
                Some(t) if self.size == size && distance(t) < 4.0 * circle.r => {
                    [circle.x - t.circle.x, circle.y - t.circle.y]
                }
                _ => [0.0; 2],
            };
            self.now.push(Track { circle, velocity });
        }
        self.size = size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (320, 240);

    fn disc(x: f64, y: f64) -> Circle {
        Circle { x, y, r: 10.0 }
    }

    #[test]
    fn a_disc_is_expected_further_along_its_way() {
        let mut tracks = Tracks::default();
        tracks.update(SIZE, [disc(100.0, 80.0)].into_iter());
        tracks.update(SIZE, [disc(106.0, 77.0)].into_iter());
        assert_eq!(tracks.areas(SIZE), 1);
        let area = tracks.area(0);
        assert_eq!((area.expected.x, area.expected.y), (112.0, 74.0));
        assert!(area.x < 90 && area.x + area.width > 134);
    }

    #[test]
    fn another_size_and_a_long_time_want_a_whole_search() {
        let mut tracks = Tracks::default();
        assert_eq!(tracks.areas(SIZE), 0);
        tracks.update(SIZE, [disc(100.0, 80.0)].into_iter());
        assert_eq!(tracks.areas((640, 480)), 0);
        for _ in 0..REFRESH {
            tracks.update(SIZE, [disc(100.0, 80.0)].into_iter());
        }
        assert_eq!(tracks.areas(SIZE), 0);
        tracks.searched();
        assert_eq!(tracks.areas(SIZE), 1);
    }

    #[test]
    fn an_area_at_the_border_holds_a_disc_that_is_cut_off() {
        let mut tracks = Tracks::default();
        tracks.update(SIZE, [disc(4.0, 80.0)].into_iter());
        let area = tracks.area(0);
        let data = vec![0; SIZE.0 * SIZE.1];
        let image = Image::grey(&data, SIZE.0, SIZE.1, SIZE.0);
        assert!(area.holds(&disc(4.0, 80.0), &image));
        assert!(!area.holds(&disc(4.0, (area.y + area.height) as f64 - 12.0), &image));
    }
}
