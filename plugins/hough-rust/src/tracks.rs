//! Where the discs of the last picture should be in the next one.

use crate::{image::Image, ring::Circle};

/// Pictures after which the whole is searched again.
const REFRESH: u32 = 30;
/// Around a disc's expected place this is searched, in radii and in pixels.
const MARGIN: (f64, f64) = (1.0, 12.0);
/// What a fit reads around the rim, in pixels.
const RIM: f64 = 6.0;

/// Pictures in a row for which a disc that is not found is still looked for: one near
/// the limit of what can be seen comes and goes.
const PATIENCE: u32 = 10;

#[derive(Clone, Copy, Debug)]
struct Track {
    circle: Circle,
    /// Pixels per picture.
    velocity: [f64; 2],
    /// Pictures since it was found.
    missed: u32,
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
    /// Whether it was not there in the last picture either.
    pub missing: bool,
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
        let Track { circle, velocity: [vx, vy], missed } = self.now[i];
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
        Area { x, y, width, height, expected, missing: missed > 0 }
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
        if self.size != size {
            self.before.clear();
            self.size = size;
        }
        for circle in found {
            let distance = |t: &Track| (t.circle.x - circle.x).hypot(t.circle.y - circle.y);
            let nearest = (0..self.before.len())
                .min_by(|&a, &b| distance(&self.before[a]).total_cmp(&distance(&self.before[b])));
            let mut velocity = [0.0; 2];
            if let Some(i) = nearest.filter(|&i| distance(&self.before[i]) < 4.0 * circle.r) {
                let last = self.before[i].circle;
                velocity = [circle.x - last.x, circle.y - last.y];
                // Its disc goes on as this one.
                self.before[i].missed = PATIENCE;
            }
            self.now.push(Track { circle, velocity, missed: 0 });
        }
        for &Track { circle, velocity, missed } in &self.before {
            if missed < PATIENCE {
                let Circle { x, y, r } = circle;
                let circle = Circle { x: x + velocity[0], y: y + velocity[1], r };
                self.now.push(Track { circle, velocity, missed: missed + 1 });
            }
        }
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
    fn a_disc_that_is_not_found_is_looked_for_a_while() {
        let mut tracks = Tracks::default();
        tracks.update(SIZE, [disc(100.0, 80.0), disc(200.0, 90.0)].into_iter());
        for _ in 0..PATIENCE {
            tracks.update(SIZE, [disc(200.0, 90.0)].into_iter());
            assert_eq!(tracks.areas(SIZE), 2);
            assert!(!tracks.area(0).missing && tracks.area(1).missing);
            assert_eq!(tracks.area(1).expected.x, 100.0);
        }
        tracks.update(SIZE, [disc(200.0, 90.0)].into_iter());
        assert_eq!(tracks.areas(SIZE), 1);
        tracks.update(SIZE, [disc(100.0, 80.0), disc(200.0, 90.0)].into_iter());
        tracks.update(SIZE, [disc(200.0, 90.0)].into_iter());
        tracks.update(SIZE, [disc(101.0, 80.0), disc(200.0, 90.0)].into_iter());
        assert!((0..2).all(|i| !tracks.area(i).missing));
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
