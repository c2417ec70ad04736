//! Where the discs of the last picture should be in the next one.

use crate::{
    image::Image,
    ring::{Circle, Ring},
};

/// Pictures after which the whole is searched again, at most: after each search without a new
/// disc twice as many as before, after one with a new one a single one.
const REFRESH: u32 = 30;
/// Around a disc's expected place this is searched, in radii and in pixels.
const MARGIN: (f64, f64) = (1.0, 12.0);
/// What a fit reads around the rim, in pixels.
const RIM: f64 = 6.0;

/// Pictures in a row for which a disc that is not found is still looked for: one near
/// the limit of what can be seen comes and goes.
const PATIENCE: u32 = 10;

/// A disc as it was seen last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// Where it was, and what the rays saw of it.
    pub ring: Ring,
    /// 1 for a disc brighter than its surroundings, -1 for a darker one.
    pub sign: f32,
    /// Whether it was found because it touches others of its size.
    pub is_neighbour: bool,
}

impl Sight {
    fn moved(mut self, [x, y]: [f64; 2]) -> Self {
        self.ring.circle.x += x;
        self.ring.circle.y += y;
        self
    }
}

/// In place of the pictures that a track has missed: its disc was found.
const GONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Track {
    sight: Sight,
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
    /// The disc where it should be, at full resolution.
    pub expected: Sight,
    /// How far it goes from picture to picture, in pixels.
    pub speed: f64,
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
    interval: u32,
}

impl Tracks {
    /// How many discs are followed in a picture of this size.
    pub fn count(&self, size: (usize, usize)) -> usize {
        if self.size == size { self.now.len() } else { 0 }
    }

    /// Whether the whole picture must be searched for what is new.
    pub fn is_time_to_search(&self) -> bool {
        self.age >= self.interval
    }

    /// The area of disc `i`.
    pub fn area(&self, i: usize) -> Area {
        let Track { sight, velocity: [vx, vy], missed } = self.now[i];
        let expected = sight.moved([vx, vy]);
        let circle = expected.ring.circle;
        let speed = vx.hypot(vy);
        // Room for a bounce, which may send the disc anywhere.
        let half = circle.r * (1.0 + MARGIN.0) + MARGIN.1 + 2.0 * speed;
        let span = |c: f64, n: usize| {
            let from = (c - half).clamp(0.0, n as f64 - 1.0) as usize;
            let to = ((c + half).clamp(0.0, n as f64 - 1.0) as usize).max(from);
            (from, to - from + 1)
        };
        let (x, width) = span(circle.x, self.size.0);
        let (y, height) = span(circle.y, self.size.1);
        Area { x, y, width, height, expected, speed, missing: missed > 0 }
    }

    /// The whole picture was searched. Were there discs that had not been followed?
    pub fn searched(&mut self, any_new: bool) {
        self.age = 0;
        self.interval = if any_new { 1 } else { (2 * self.interval).clamp(1, REFRESH) };
    }

    /// Takes over what was found in a picture of this size: discs with the numbers of their
    /// tracks, then those that no track led to.
    pub fn update(
        &mut self,
        size: (usize, usize),
        found: impl Iterator<Item = (Option<usize>, Sight)>,
    ) {
        std::mem::swap(&mut self.now, &mut self.before);
        self.now.clear();
        self.age += 1;
        if self.size != size {
            self.before.clear();
            self.size = size;
        }
        for (track, sight) in found {
            let mut velocity = [0.0; 2];
            if let Some(i) = track.or_else(|| self.lost_near(&sight.ring.circle)) {
                let last = &mut self.before[i];
                let (from, to) = (last.sight.ring.circle, sight.ring.circle);
                velocity = [to.x - from.x, to.y - from.y];
                // Its disc goes on as this one.
                last.missed = GONE;
            }
            self.now.push(Track { sight, velocity, missed: 0 });
        }
        for &Track { sight, velocity, missed } in &self.before {
            if missed < PATIENCE {
                let sight = sight.moved(velocity);
                self.now.push(Track { sight, velocity, missed: missed + 1 });
            }
        }
    }

    /// The track of the last pictures that lost a disc which this may be.
    fn lost_near(&self, circle: &Circle) -> Option<usize> {
        let distance = |i: usize| self.before[i].sight.ring.circle.apart(circle);
        let lost = (0..self.before.len()).filter(|&i| self.before[i].missed < GONE);
        let nearest = lost.min_by(|&a, &b| distance(a).total_cmp(&distance(b)));
        nearest.filter(|&i| distance(i) < 4.0 * circle.r)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (320, 240);

    fn disc(x: f64, y: f64) -> Sight {
        let ring = Ring {
            circle: Circle { x, y, r: 10.0 },
            coverage: 1.0,
            hits: u64::MAX,
            visible: 1.0,
            contrast: 80.0,
            slope: 40.0,
            spread: 0.1,
            alike: 0.0,
            shape: [0.0; 2],
        };
        Sight { ring, sign: 1.0, is_neighbour: false }
    }

    /// Discs that no track led to.
    fn see(tracks: &mut Tracks, discs: &[Sight]) {
        tracks.update(SIZE, discs.iter().map(|disc| (None, *disc)));
    }

    #[test]
    fn a_disc_is_expected_further_along_its_way() {
        let mut tracks = Tracks::default();
        see(&mut tracks, &[disc(100.0, 80.0)]);
        see(&mut tracks, &[disc(106.0, 77.0)]);
        assert_eq!(tracks.count(SIZE), 1);
        let area = tracks.area(0);
        assert_eq!((area.expected.ring.circle.x, area.expected.ring.circle.y), (112.0, 74.0));
        assert!(area.x < 90 && area.x + area.width > 134);
    }

    #[test]
    fn another_size_and_a_long_time_want_a_whole_search() {
        let mut tracks = Tracks::default();
        assert_eq!(tracks.count(SIZE), 0);
        assert!(tracks.is_time_to_search());
        tracks.searched(true);
        see(&mut tracks, &[disc(100.0, 80.0)]);
        assert_eq!((tracks.count(SIZE), tracks.count((640, 480))), (1, 0));
        for interval in [1, 2, 4, 8, 16, REFRESH, REFRESH] {
            for age in 1..=interval {
                assert_eq!(tracks.is_time_to_search(), age == interval, "{age} of {interval}");
                if age < interval {
                    see(&mut tracks, &[disc(100.0, 80.0)]);
                }
            }
            tracks.searched(false);
            see(&mut tracks, &[disc(100.0, 80.0)]);
        }
        tracks.searched(true);
        see(&mut tracks, &[disc(100.0, 80.0)]);
        assert!(tracks.is_time_to_search());
    }

    #[test]
    fn a_disc_that_is_not_found_is_looked_for_a_while() {
        let mut tracks = Tracks::default();
        see(&mut tracks, &[disc(100.0, 80.0), disc(200.0, 90.0)]);
        for _ in 0..PATIENCE {
            see(&mut tracks, &[disc(200.0, 90.0)]);
            assert_eq!(tracks.count(SIZE), 2);
            assert!(!tracks.area(0).missing && tracks.area(1).missing);
            assert_eq!(tracks.area(1).expected.ring.circle.x, 100.0);
        }
        see(&mut tracks, &[disc(200.0, 90.0)]);
        assert_eq!(tracks.count(SIZE), 1);
        see(&mut tracks, &[disc(100.0, 80.0), disc(200.0, 90.0)]);
        see(&mut tracks, &[disc(200.0, 90.0)]);
        see(&mut tracks, &[disc(101.0, 80.0), disc(200.0, 90.0)]);
        assert!((0..2).all(|i| !tracks.area(i).missing));
    }

    #[test]
    fn a_new_disc_has_no_past_but_that_of_a_lost_one() {
        let mut tracks = Tracks::default();
        see(&mut tracks, &[disc(100.0, 80.0), disc(160.0, 80.0)]);
        // The first goes on, the second is lost, one beside the first is new.
        let found = [(Some(0), disc(101.0, 80.0)), (None, disc(122.0, 80.0))];
        tracks.update(SIZE, found.into_iter());
        assert_eq!(tracks.count(SIZE), 2);
        assert_eq!([tracks.area(0).speed, tracks.area(1).speed], [1.0, 38.0]);
        let mut tracks = Tracks::default();
        see(&mut tracks, &[disc(100.0, 80.0)]);
        let found = [(Some(0), disc(101.0, 80.0)), (None, disc(122.0, 80.0))];
        tracks.update(SIZE, found.into_iter());
        assert_eq!([tracks.area(0).speed, tracks.area(1).speed], [1.0, 0.0]);
    }

    #[test]
    fn an_area_at_the_border_holds_a_disc_that_is_cut_off() {
        let mut tracks = Tracks::default();
        see(&mut tracks, &[disc(4.0, 80.0)]);
        let area = tracks.area(0);
        let data = vec![0; SIZE.0 * SIZE.1];
        let image = Image::grey(&data, SIZE.0, SIZE.1, SIZE.0);
        assert!(area.holds(&disc(4.0, 80.0).ring.circle, &image));
        assert!(!area.holds(&disc(4.0, (area.y + area.height) as f64 - 12.0).ring.circle, &image));
    }
}
