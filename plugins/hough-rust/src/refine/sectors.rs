//! The annulus by directions: which sectors are hidden, and which show the disc.

use super::{
    kernel::{Pixels, Weighing},
    levels::Levels,
};
use crate::sector::{SECTORS, middle};

/// What the pixels say after a pass, by sectors.
pub(super) type Seen = [Sector; SECTORS];

/// What a sector saw.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sector {
    n: f32,
    outliers: f32,
    /// Sum of the residuals, outliers included.
    sum: f32,
    f: f32,
    ff: f32,
    v: f32,
    vv: f32,
    vf: f32,
    /// Sums for the local shift of the edge.
    je: f32,
    jj: f32,
    /// The same of the pixels that are not masked, without outliers.
    kept: Shift,
    /// Off the edge, outside and inside, without outliers: pixels and the sum of their
    /// residuals.
    flat: [(f32, f32); 2],
}

/// What the pixels say after a pass.
pub(super) fn collect(pixels: &Pixels, weighing: Weighing) -> Seen {
    let mut sectors = [Sector::default(); SECTORS];
    for i in 0..pixels.len() {
        let s = &mut sectors[usize::from(pixels.sector[i]) % SECTORS];
        let (f, v) = (pixels.share[i], pixels.value[i]);
        s.n += 1.0;
        let q = weighing.over_limit(pixels.residual[i], f);
        s.outliers += if q.abs() > 1.0 { 1.0 } else { 0.0 };
        s.f += f;
        s.ff += f * f;
        s.v += v;
        s.vv += v * v;
        s.vf += v * f;
        s.sum += pixels.residual[i];
        let j = pixels.by_radius[i];
        s.je += j * pixels.residual[i];
        s.jj += j * j;
        let weight = pixels.mask[i] * (1.0 - q * q).max(0.0) / weighing.scale(f);
        s.kept.0 += weight * j * pixels.residual[i];
        s.kept.1 += weight * j * j;
        let counts = pixels.mask[i] > 0.0 && q.abs() < 1.0;
        if counts && !(0.02..=0.98).contains(&f) {
            let side = &mut s.flat[usize::from(f > 0.5)];
            side.0 += 1.0;
            side.1 += pixels.residual[i];
        }
    }
    sectors
}

/// What the residuals of a round disc on even ground have to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Misfit {
    /// Chi squared of an edge that is shifted by cos and sin of twice the angle;
    /// 2 is chance.
    pub(super) shape: f32,
    /// The sectors, as bits, whose level is not what the model says, outside
    /// and inside.
    pub(super) uneven: [u32; 2],
    /// As of [`Support`].
    pub(super) scatter: f32,
}

/// Chi squared (of one degree of freedom) from which a sector's level is not the
/// model's: chance has it once in 2000 times.
const UNEVEN: f32 = 12.0;

/// Looks for structure in residuals of the given variance.
pub(super) fn misfit(sectors: &Seen, variance: f32) -> Misfit {
    let mut by = [(0.0, 0.0); 2];
    let mut uneven = [0; 2];
    for (k, s) in sectors.iter().enumerate() {
        let (x, y, length) = middle(k);
        let (sin, cos) = (y / length, x / length);
        for (sum, f) in by.iter_mut().zip([cos * cos - sin * sin, 2.0 * sin * cos]) {
            sum.0 += f * s.je;
            sum.1 += f * f * s.jj;
        }
        for ((n, e), uneven) in s.flat.into_iter().zip(&mut uneven) {
            *uneven |= u32::from(e * e > UNEVEN * n * variance) << k;
        }
    }
    let shape = by.iter().map(|(je, jj)| je * je / (jj * variance).max(1e-9)).sum();
    Misfit { shape, uneven, scatter: scatter(sectors.iter().map(|s| s.kept)) }
}

/// Masks the pixels of uneven sectors that are further than `reach` from the
/// circle at (x, y, r), on the side that is uneven.
pub(super) fn keep_rim(
    pixels: &mut Pixels,
    uneven: [u32; 2],
    (x, y, r): (f32, f32, f32),
    reach: f32,
) {
    for i in 0..pixels.len() {
        let (dx, dy) = (pixels.dx[i] - x, pixels.dy[i] - y);
        let d = (dx * dx + dy * dy).sqrt() - r;
        if d.abs() > reach && uneven[usize::from(d < 0.0)] >> pixels.sector[i] & 1 == 1 {
            pixels.mask[i] = 0.0;
        }
    }
}

/// Gaps in a rim: what one bar makes.
pub(crate) const MOST_GAPS: u32 = 2;

/// The sectors, as bits, in which the disc is hidden: those with many residuals
/// beyond the limit and, of a `disc` with a gap, neighbours that both do not show it;
/// and what lies next to these and is not beyond doubt.
pub(super) fn hidden(pixels: &Pixels, weighing: Weighing, disc: Option<&Disc>) -> u32 {
    let sectors = collect(pixels, weighing);
    let bits = |test: &dyn Fn(&Sector) -> bool| {
        sectors.iter().rev().fold(0_u32, |bits, s| bits << 1 | u32::from(test(s)))
    };
    let next_to = |bits: u32| bits.rotate_left(1) | bits.rotate_right(1);
    let share = |s: &Sector| if s.n > 0.0 { s.outliers / s.n } else { 0.0 };
    let absent = bits(&|s| disc.is_some_and(|d| d.explains(s, 0.0) == Some(false)));
    let mut gaps = absent & next_to(absent);
    if (gaps & !gaps.rotate_left(1)).count_ones() > MOST_GAPS {
        // The corners of a polygon.
        gaps = 0;
    }
    let covered = bits(&|s| share(s) > 0.2) | gaps;
    let doubtful = bits(&|s| share(s) > 0.02 || disc.is_some_and(|d| d.is_doubtful(s)));
    let hidden = covered | next_to(covered) & doubtful;
    if hidden.count_ones() as usize > SECTORS * 3 / 4 { 0 } else { hidden }
}

/// Masks the `hidden` sectors and no others, and weighs those with `levels` of their
/// own. Returns the share of the pixels that is left.
pub(super) fn mask(pixels: &mut Pixels, hidden: u32, levels: &Levels) -> f32 {
    if hidden == 0 && !levels.is_any() {
        pixels.mask.fill(1.0);
        pixels.mask_others();
        return 1.0;
    }
    let mut left = 0.0;
    for i in 0..pixels.len() {
        let keep = hidden >> pixels.sector[i] & 1 == 0;
        pixels.mask[i] = if keep { levels.weight(pixels.sector[i]) } else { 0.0 };
        left += if keep { 1.0 } else { 0.0 };
    }
    pixels.mask_others();
    left / pixels.len() as f32
}

/// Polygons that are told from discs: those with 3 to 8 corners.
const POLYGONS: usize = 6;
/// Chi squared (of two degrees of freedom) of an edge's shift with that many
/// periods: chance has it once in 10^5.
const CORNERED: f32 = 24.0;
/// Share of the shifts that such a swing explains: near the edge, and of all of the area
/// between edge and circle, where a bar in front of a disc, too, swings three or four times.
/// Around fewer pixels than this radius has, a texture swings by as much.
const SWINGS: f32 = 0.4;
const SWINGS_IN_AREA: [f32; 2] = [0.6, 0.52];
const LARGE: f32 = 12.0;

/// Whether the edge swings around the circle as that of a regular polygon does.
fn is_polygon(sectors: &Seen, disc: &Disc) -> bool {
    // A shift near the edge is exact and small; the area beyond it tells of any.
    let in_area = |s: &Sector| {
        let weight = (disc.contrast * disc.arc() / disc.every).powi(2) / s.n.max(1.0);
        (disc.displacement(s) * weight, if s.n > 0.0 { weight } else { 0.0 })
    };
    swings(sectors, disc, |s| s.kept, [SWINGS; 2])
        || (disc.r > LARGE && swings(sectors, disc, in_area, SWINGS_IN_AREA))
}

/// Whether shifts of the edge, weighted (`je` and `jj` of each sector), go by `cos(n t)` and
/// `sin(n t)` for n corners, and these explain a share of them (for up to four corners and
/// for more). The amplitude is `2 / n^2` of the radius, the Fourier coefficient of
/// `1 / cos(t)`, and somewhat more for few corners: 0.14 for a square, 0.06 for a hexagon.
fn swings(
    sectors: &Seen,
    disc: &Disc,
    shift: impl Fn(&Sector) -> (f32, f32),
    shares: [f32; 2],
) -> bool {
    let Disc { r, noise, rough, .. } = *disc;
    // Sums of je f, jj f and jj f^2 for f = cos and sin, by the number of corners.
    let mut swings = [[(0.0_f32, 0.0_f32, 0.0_f32); 2]; POLYGONS];
    let (mut all, mut weight) = (0.0, 0.0);
    for (k, sector) in sectors.iter().enumerate() {
        let (je, jj) = shift(sector);
        if jj <= 0.0 {
            continue;
        }
        all += je * je / jj;
        weight += jj;
        let (x, y, length) = middle(k);
        let (c, s) = (x / length, y / length);
        let turn = |(x, y): (f32, f32)| (x * c - y * s, x * s + y * c);
        let mut times = turn((c, s));
        for swing in &mut swings {
            // Three times the angle at first, then one more each.
            times = turn(times);
            for (sum, f) in swing.iter_mut().zip([times.0, times.1]) {
                *sum = (sum.0 + je * f, sum.1 + jj * f, sum.2 + jj * f * f);
            }
        }
    }
    swings.into_iter().enumerate().any(|(i, swing)| {
        let corners = 3.0 + i as f32;
        let amplitude = 0.06 + rough + r * (1.2 / (corners * corners)).min(0.03);
        let share = shares[usize::from(corners > 4.0)];
        let (mut explained, mut square) = (0.0, 0.0);
        for (je, mean, jj) in swing {
            // Without what the radius takes up where only parts are seen.
            let jj = (jj - mean * mean / weight).max(1e-9);
            explained += je * je / jj;
            square += (je / jj).powi(2);
        }
        explained > CORNERED * noise * noise
            && explained > share * all
            && square > amplitude * amplitude
    })
}

/// By how much the edge of a disc that is made of whole pixels is off the circle, in pixels,
/// how many of them a sector has too many or too few, and the share of the directions that
/// must show one.
const WHOLE_PIXELS: f32 = 0.3;
const PIXELS_OFF: f32 = 1.25;
const ALL: f32 = 0.9;

/// What the directions say of a disc, which may be made of whole pixels where its edge is as
/// sharp as sampling allows.
pub(super) fn support(sectors: &Seen, disc: &Disc, is_sharp: bool) -> Support {
    // The corners of a square are off by as much: it takes nearly all directions.
    let drawn = is_sharp.then(|| shown(sectors, &Disc { rough: WHOLE_PIXELS, ..*disc }));
    let (share, gaps) =
        drawn.filter(|drawn| drawn.0 >= ALL).unwrap_or_else(|| shown(sectors, disc));
    let directions = sectors.iter().map(|s| (s.kept, disc.is_shown_by(s)));
    Support {
        share,
        gaps,
        scatter: scatter(directions.clone().map(|(shift, _)| shift)),
        roughness: roughness(directions),
    }
}

/// What the directions say of a disc or a ball.
#[derive(Clone, Copy, Debug)]
pub(super) struct Support {
    /// The share of them that show it, of those with something to say.
    pub(super) share: f32,
    /// The arcs in which they do not.
    pub(super) gaps: u32,
    /// The variance of the pixels that the differences between the directions
    /// tell: that of noise when it is white, more on a texture.
    pub(super) scatter: f32,
    /// Root mean square distance of the edge from the circle, in pixels, where it is shown.
    pub(super) roughness: f32,
}

/// The sums of a sector's shift of the edge, without outliers: of the residuals and of their
/// weights.
type Shift = (f32, f32);

impl Support {
    /// That of directions with these shifts, which show what is looked for, do not, or have
    /// nothing to say.
    pub(super) fn of(directions: impl Iterator<Item = (Shift, Option<bool>)> + Clone) -> Self {
        let (share, gaps) = tally(directions.clone().map(|(_, shown)| shown));
        let scatter = scatter(directions.clone().map(|(shift, _)| shift));
        Self { share, gaps, scatter, roughness: roughness(directions) }
    }
}

/// Root mean square shift of the edge in the directions that show it, in pixels.
fn roughness(directions: impl Iterator<Item = (Shift, Option<bool>)>) -> f32 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for ((je, jj), _) in directions.filter(|((_, jj), shown)| *jj > 0.0 && *shown == Some(true)) {
        sum += je * je / jj;
        weight += jj;
    }
    if weight > 0.0 { (sum / weight).sqrt() } else { f32::INFINITY }
}

/// Variance of the pixels that the directions' shifts of the edge tell.
fn scatter(shifts: impl Iterator<Item = Shift>) -> f32 {
    let (mut sum, mut n) = (0.0, 0.0);
    for (je, jj) in shifts.filter(|(_, jj)| *jj > 0.0) {
        sum += je * je / jj;
        n += 1.0;
    }
    // The centre and the radius have taken up what they could.
    if n > 6.0 { sum / (n - 3.0) } else { 0.0 }
}

/// Share of the directions that have something to say that show it, and the number of arcs that
/// do not.
fn tally(shown: impl Iterator<Item = Option<bool>> + Clone) -> (f32, u32) {
    let (mut good, mut all, mut gaps) = (0, 0, 0);
    let mut before = shown.clone().flatten().last();
    for shown in shown.flatten() {
        all += 1;
        good += i32::from(shown);
        gaps += u32::from(before == Some(true) && !shown);
        before = Some(shown);
    }
    let enough = all >= SECTORS as i32 / 4;
    (if enough { good as f32 / all as f32 } else { 0.0 }, gaps)
}

/// What a sector is held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disc {
    pub(super) r: f32,
    /// Grey levels inside minus outside.
    pub(super) contrast: f32,
    /// Standard deviation of a pixel by noise alone.
    pub(super) noise: f32,
    /// By how much its edge may be off the circle for the way it was drawn, in pixels.
    rough: f32,
    /// One pair of so many neighbours is looked at.
    pub(super) every: f32,
}

impl Disc {
    /// A disc whose edge is on its circle.
    pub(super) fn new(r: f32, contrast: f32, noise: f32) -> Self {
        Self { r, contrast, noise, rough: 0.0, every: 1.0 }
    }

    /// Whether a sector shows the disc, noise considered.
    fn is_shown_by(&self, s: &Sector) -> Option<bool> {
        self.explains(s, self.noise)
    }

    /// Whether the disc's profile explains at least half of the variance in a sector
    /// that pixels with this `noise` leave to be explained, with at least 0.35 of its
    /// contrast, and the edge is where the circle has it. A square's sides pass the first
    /// test and fail the last. `None` where the picture's border has cut the edge off.
    fn explains(&self, s: &Sector, noise: f32) -> Option<bool> {
        let ff = s.ff - s.f * s.f / s.n;
        let vf = s.vf - s.v * s.f / s.n;
        let vv = (s.vv - s.v * s.v / s.n).max(1e-6);
        if s.n < 4.0 || ff < 0.02 * s.n {
            return None;
        }
        let amplitude = vf / ff / self.contrast;
        let signal = self.contrast * self.contrast * ff;
        let explainable = signal / (signal + noise * noise * s.n);
        let shift = s.je / s.jj.max(1e-9);
        let blurry = (self.noise / s.jj.max(1e-9).sqrt()).min(0.35);
        let tolerance = 0.02 * self.r + 2.0 * blurry + self.rough;
        let explained = vf * vf / (ff * vv);
        // Of a sharp edge no pixel tells that it is off by more than one.
        let is_near =
            self.rough == 0.0 || self.displacement(s).abs() < tolerance + PIXELS_OFF / self.arc();
        Some(
            amplitude > 0.35 && explained > 0.5 * explainable && shift.abs() < tolerance && is_near,
        )
    }

    /// Length of the circle in a sector, in pixels.
    fn arc(&self) -> f32 {
        self.r * std::f32::consts::TAU / SECTORS as f32
    }

    /// How far the edge is outside of the circle in a sector, in pixels: the area between
    /// them over the length.
    fn displacement(&self, s: &Sector) -> f32 {
        s.sum * self.every / (self.contrast * self.arc())
    }

    /// Whether the level on one side is off by more than a share of the contrast
    /// and noise together: something else may begin there.
    fn is_doubtful(&self, s: &Sector) -> bool {
        s.flat.iter().any(|&(n, sum)| {
            sum.abs() > 0.1 * self.contrast.abs() * n + 2.0 * self.noise * n.sqrt()
        })
    }
}

/// Share of the sectors that show the disc, and the number of arcs that do not. No
/// sector shows a polygon.
fn shown(sectors: &Seen, disc: &Disc) -> (f32, u32) {
    if is_polygon(sectors, disc) {
        return (0.0, 1);
    }
    tally(sectors.iter().map(|s| disc.is_shown_by(s)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_quarter_is_masked_and_the_rest_stays() {
        let mut pixels = Pixels::default();
        for i in 0..3600 {
            let (s, c) = libm::sincosf(i as f32 / 3600.0 * std::f32::consts::TAU);
            pixels.dx.push(20.0 * c);
            pixels.dy.push(20.0 * s);
            pixels.value.push(0.0);
        }
        pixels.seal();
        for i in 0..900 {
            pixels.residual[i] = 50.0;
        }
        let disc = Disc::new(20.0, 100.0, 1.0);
        let bits = hidden(&pixels, Weighing::within(5.0), Some(&disc));
        let left = mask(&mut pixels, bits, &Levels::default());
        assert!((left - 0.75).abs() < 0.04, "{left}");
        assert_eq!((pixels.mask[450], pixels.mask[2000]), (0.0, 1.0));
    }

    fn swinging(shift: impl Fn(f32) -> f32) -> [Sector; SECTORS] {
        std::array::from_fn(|k| {
            let (x, y, _) = middle(k);
            Sector { kept: (25.0 * shift(libm::atan2f(y, x)), 25.0), ..Sector::default() }
        })
    }

    #[test]
    fn a_square_is_a_polygon_and_a_disc_with_a_dent_is_not() {
        let disc = Disc::new(10.0, 100.0, 1.0);
        let quarter = std::f32::consts::FRAC_PI_2;
        let square = |t: f32| {
            let u = (t + 10.0 * quarter + 0.3) % quarter - quarter / 2.0;
            9.0 / libm::cosf(u) - 10.1
        };
        assert!(is_polygon(&swinging(square), &disc));
        let dent = |t: f32| if (0.0..0.8).contains(&t) { -3.0 } else { 0.4 };
        assert!(!is_polygon(&swinging(dent), &disc));
        assert!(!is_polygon(&swinging(|t| 0.3 * libm::cosf(4.0 * t)), &disc));
        let noise = |t: f32| 0.2 * libm::sinf(1000.0 * t);
        assert!(!is_polygon(&swinging(noise), &disc));
    }
}
