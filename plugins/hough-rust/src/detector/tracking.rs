//! Discs of the last pictures are looked for first.

use std::cell::OnceCell;

use super::{Found, HoughRust, overlaps};
use crate::{
    belief::Demand,
    climb::{Climber, Seed},
    image::Image,
    tracks::{Area, Sight},
};

/// How much further than where a disc should be it is looked for, in pixels and as a share of
/// its way since the last picture.
const DOUBT: (f64, f64) = (1.0, 0.5);
/// The part of its edge, at the place where that is steepest, that counts as one.
const FAINTEST: f64 = 0.25;
/// Radii that may be its, over the one that it had.
const LIKE: (f64, f64) = (0.75, 1.33);

impl Found {
    /// The same for a picture that begins (x, y) further to the upper left.
    fn at(mut self, x: f64, y: f64) -> Self {
        self.fit.circle.x += x;
        self.fit.circle.y += y;
        self
    }

    fn sight(&self) -> Sight {
        Sight { circle: self.fit.circle, contrast: self.fit.contrast, width: self.fit.width }
    }
}

impl HoughRust {
    /// Looks where the discs of the last pictures should be, and in the whole picture if one of
    /// the last picture is not there or when it is time for what is new.
    pub(super) fn track(&mut self, image: &Image<'_>) {
        let size = (image.width, image.height);
        let are_there = self.follow_tracks(image);
        if are_there && !self.tracks.is_time_to_search() {
            self.found.clear();
        } else {
            self.search_all(image);
            // What is followed is the same disc wherever it was found once more.
            let followed = &self.followed;
            self.found.retain(|f| !followed.iter().any(|old| is_same(old, f)));
            self.tracks.searched(!self.found.is_empty());
        }
        self.found.extend_from_slice(&self.followed);
        self.found.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        self.found.truncate(self.config.max_circles);
        self.tracks.update(size, self.found.iter().map(Found::sight));
    }

    /// Looks for the discs of the last pictures where they should be now. Returns whether all
    /// of the last picture are there, and any at all.
    fn follow_tracks(&mut self, image: &Image<'_>) -> bool {
        self.followed.clear();
        let mut are_there = true;
        for i in 0..self.tracks.count((image.width, image.height)) {
            let area = self.tracks.area(i);
            let mut found = self.look_again(image, &area);
            if found.is_none() && !area.missing {
                found = self.search_area(image, &area);
                are_there &= found.is_some();
            }
            self.followed.extend(found);
        }
        are_there && !self.followed.is_empty()
    }

    /// Looks for a disc exactly where it should be.
    fn look_again(&mut self, image: &Image<'_>, area: &Area) -> Option<Found> {
        let Area { expected: Sight { circle, contrast, width }, way, .. } = *area;
        let steepest = libm::erf(std::f64::consts::FRAC_1_SQRT_2 / width) * contrast.abs();
        let seed = Seed {
            level: 0,
            circle,
            coverage: 1.0,
            sign: if contrast > 0.0 { 1.0 } else { -1.0 },
            step: (FAINTEST * steepest) as f32,
        };
        let climber = Climber { full: image, pyramid: &self.pyramid, rays: &self.rays };
        let candidate = climber.look_again(&seed, (DOUBT.0 + DOUBT.1 * way) as f32)?;
        self.candidates.clear();
        self.candidates.push(candidate);
        self.found.clear();
        self.grain = OnceCell::new();
        self.refine(image, 0, Demand::Known);
        let found = self.found.first().filter(|f| overlaps(&f.fit.circle, &circle));
        found.filter(|f| !self.followed.iter().any(|old| is_same(old, f))).copied()
    }

    /// Looks for a disc around where it should be.
    fn search_area(&mut self, image: &Image<'_>, area: &Area) -> Option<Found> {
        let Area { x, y, width, height, expected: Sight { circle, .. }, .. } = *area;
        let (least, most) = self.radii(image);
        let radii = ((LIKE.0 * circle.r).max(least), (LIKE.1 * circle.r).min(most));
        self.search(&image.crop(x, y, width, height), radii, Demand::Known);
        let here = self.found.iter().map(|f| f.at(x as f64, y as f64));
        let is_new = |f: &Found| !self.followed.iter().any(|old| is_same(old, f));
        here.filter(|f| area.holds(&f.fit.circle, image) && is_new(f)).min_by(|a, b| {
            let far = |f: &Found| {
                let c = f.fit.circle;
                (c.x - circle.x).hypot(c.y - circle.y) + (c.r - circle.r).abs()
            };
            far(a).total_cmp(&far(b))
        })
    }
}

fn is_same(a: &Found, b: &Found) -> bool {
    overlaps(&a.fit.circle, &b.fit.circle)
}
