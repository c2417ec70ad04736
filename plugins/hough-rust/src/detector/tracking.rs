//! Discs of the last pictures are looked for first.

use std::cell::OnceCell;

use super::{Found, HoughRust, SWEEPS, overlaps};
use crate::{
    belief::Demand,
    climb::{Candidate, Seed},
    image::Image,
    ring::{Circle, Ring},
    tracks::{Area, Sight},
};

/// How far off the circle where a disc should be its edge is looked for, beyond what a look
/// allows for: in pixels, as a share of its way from picture to picture, and at most, for the
/// rays have an end.
const DOUBT: (f64, f64, f64) = (1.0, 0.5, 4.0);
/// The part of its edge that counts as one, as a share of how steep it was.
const FAINTEST: f32 = 0.25;
/// Radii that may be its, over the one that it had.
const LIKE: (f64, f64) = (0.75, 1.33);
/// The score of a new disc that is worth as much as one that was followed.
const WORTH: f64 = 1.25;

impl Found {
    /// The same for a picture that begins (x, y) further to the upper left.
    fn at(mut self, x: f64, y: f64) -> Self {
        self.fit.circle.x += x;
        self.fit.circle.y += y;
        self
    }

    fn sight(&self) -> Sight {
        let Candidate { ring, sign, .. } = self.candidate;
        let is_neighbour = self.round > 0;
        Sight { ring: Ring { circle: self.fit.circle, ..ring }, sign, is_neighbour }
    }
}

impl HoughRust {
    /// Looks where the discs of the last pictures should be, and in the whole picture if one of
    /// the last picture is not there or when it is time for what is new.
    pub(super) fn track(&mut self, image: &Image<'_>) {
        let size = (image.width, image.height);
        let are_there = self.follow_tracks(image);
        let searches = !are_there || self.tracks.is_time_to_search();
        if searches {
            self.search_all(image);
        } else {
            self.found.clear();
        }
        // A disc may be found in both ways: what was followed stays, unless the other is much
        // better.
        self.followed.retain(|(_, old)| {
            !self.found.iter().any(|new| is_same(old, new) && new.score > WORTH * old.score)
        });
        let followed = &self.followed;
        self.found.retain(|new| !followed.iter().any(|(_, old)| is_same(old, new)));
        self.followed.extend(self.found.drain(..).map(|new| (None, new)));
        self.leave_worst_out();
        if searches {
            self.tracks.searched(self.followed.iter().any(|(track, _)| track.is_none()));
        }
        self.part_followed(image);
        self.tracks
            .update(size, self.followed.iter().map(|(track, found)| (*track, found.sight())));
    }

    /// Makes what was followed what is found, and fits those together that touch each other.
    fn part_followed(&mut self, image: &Image<'_>) {
        self.found.clear();
        self.found.extend(self.followed.iter().map(|(_, found)| *found));
        self.part(image, SWEEPS);
        for ((_, followed), found) in self.followed.iter_mut().zip(&self.found) {
            *followed = *found;
        }
    }

    /// Leaves out the worst of what was followed and what is new behind it if these are too many.
    fn leave_worst_out(&mut self) {
        if self.followed.len() <= self.config.max_circles {
            return;
        }
        let worth = |track: Option<usize>, score: f64| track.map_or(score, |_| WORTH * score);
        self.followed.sort_unstable_by(|(i, a), (j, b)| {
            worth(*j, b.score).total_cmp(&worth(*i, a.score)).then(i.is_none().cmp(&j.is_none()))
        });
        self.followed.truncate(self.config.max_circles);
        // As before: by tracks, then what is new, the best first.
        self.followed.sort_unstable_by(|(i, a), (j, b)| {
            let last = usize::MAX;
            i.unwrap_or(last).cmp(&j.unwrap_or(last)).then(b.score.total_cmp(&a.score))
        });
    }

    /// Looks for the discs of the last pictures where they should be now. Returns whether all
    /// of the last picture are there, and any at all.
    fn follow_tracks(&mut self, image: &Image<'_>) -> bool {
        self.followed.clear();
        self.grain = OnceCell::new();
        self.round = 0;
        let mut are_there = true;
        for i in 0..self.tracks.count((image.width, image.height)) {
            let area = self.tracks.area(i);
            let mut found = self.look_again(image, &area);
            if found.is_none() && !area.missing {
                found = self.search_area(image, &area);
                are_there &= found.is_some();
            }
            self.followed.extend(found.map(|found| (Some(i), found)));
        }
        are_there && !self.followed.is_empty()
    }

    /// Looks for a disc exactly where it should be: where the rays see it, or else where they
    /// would have, for the fit sees more.
    fn look_again(&mut self, image: &Image<'_>, area: &Area) -> Option<Found> {
        let Area { expected: Sight { ring, sign, is_neighbour }, speed, .. } = *area;
        let demand = if is_neighbour { Demand::Neighbour } else { Demand::Known };
        // The slope is that of one pixel, a step is one over two.
        let step = FAINTEST * 2.0 * ring.slope;
        let seed = Seed { level: 0, circle: ring.circle, coverage: 1.0, sign, step };
        let doubt = (DOUBT.0 + DOUBT.1 * speed).min(DOUBT.2);
        let seen = self.climber(image).look_again(&seed, doubt as f32);
        seen.and_then(|candidate| self.fit_again(image, candidate, &ring.circle, demand)).or_else(
            || {
                let remembered = self.climber(image).remember(&ring, sign)?;
                self.fit_again(image, remembered, &ring.circle, demand)
            },
        )
    }

    /// The disc of one candidate, if it is the one that should be at a circle.
    fn fit_again(
        &mut self,
        image: &Image<'_>,
        candidate: Candidate,
        circle: &Circle,
        demand: Demand,
    ) -> Option<Found> {
        self.candidates.clear();
        self.candidates.push(candidate);
        self.found.clear();
        self.refine(image, 0, demand);
        let found = self.found.first().filter(|f| overlaps(&f.fit.circle, circle));
        found.filter(|f| !self.is_followed(f)).copied()
    }

    /// Looks for a disc around where it should be.
    fn search_area(&mut self, image: &Image<'_>, area: &Area) -> Option<Found> {
        let Area { x, y, width, height, expected, .. } = *area;
        let circle = expected.ring.circle;
        let (least, most) = self.radii(image);
        let radii = ((LIKE.0 * circle.r).max(least), (LIKE.1 * circle.r).min(most));
        self.search(&image.crop(x, y, width, height), radii);
        // That of the area is not the picture's.
        self.grain = OnceCell::new();
        let here = self.found.iter().map(|f| f.at(x as f64, y as f64));
        let may_be_it = |f: &Found| area.holds(&f.fit.circle, image) && !self.is_followed(f);
        let far = |f: &Found| f.fit.circle.apart(&circle);
        here.filter(may_be_it).min_by(|a, b| far(a).total_cmp(&far(b)))
    }

    fn is_followed(&self, found: &Found) -> bool {
        self.followed.iter().any(|(_, old)| is_same(old, found))
    }
}

fn is_same(a: &Found, b: &Found) -> bool {
    overlaps(&a.fit.circle, &b.fit.circle)
}
