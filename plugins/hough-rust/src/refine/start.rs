//! Where a fit begins: the pixels of an annulus, and the parameters that they suggest.

use std::ops::Range;

use super::{
    kernel::{N, Pixels, ROUND},
    noise::densest,
};
use crate::{
    image::{Image, Weights},
    rays::median,
    ring::{Circle, Ring},
    simd::dispatch,
};

/// An annulus: the pixels of a picture that are at most `reach` from a circle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Annulus {
    pub(super) circle: Circle,
    pub(super) reach: f64,
}

/// Columns of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    y: u32,
    from: u32,
    to: u32,
}

impl Piece {
    fn len(self) -> usize {
        (self.to - self.from) as usize
    }
}

dispatch! {
    /// Lists the pieces of rows that make up an annulus, and returns how many pixels it has.
    pub(super) fn list(pieces: &mut Vec<Piece>, image: &Image<'_>, annulus: Annulus) -> usize {
        let Annulus { circle, reach } = annulus;
        pieces.clear();
        let outer = circle.r + reach;
        let inner = (circle.r - reach).max(0.0);
        let top = (circle.y - outer).ceil().max(0.0) as isize;
        let bottom = (circle.y + outer).floor().min(image.height as f64 - 1.0) as isize;
        for y in top..=bottom {
            let dy = y as f64 - circle.y;
            let half = (outer * outer - dy * dy).max(0.0).sqrt();
            let hole = (inner * inner - dy * dy).max(0.0).sqrt();
            let spans = if hole > 0.5 {
                [Some((circle.x - half, circle.x - hole)), Some((circle.x + hole, circle.x + half))]
            } else {
                [Some((circle.x - half, circle.x + half)), None]
            };
            for (from, to) in spans.into_iter().flatten() {
                let from = from.ceil().max(0.0);
                let to = to.floor().min(image.width as f64 - 1.0);
                if from <= to {
                    pieces.push(Piece { y: y as u32, from: from as u32, to: to as u32 + 1 });
                }
            }
        }
        pieces.iter().map(|piece| piece.len()).sum()
    }
}

dispatch! {
    /// Makes `pixels` those of the pieces; offsets are from `circle`.
    pub(super) fn gather(
        pixels: &mut Pixels, image: &Image<'_>, weights: &Weights, circle: &Circle, pieces: &[Piece],
    ) {
        pixels.clear();
        for piece in pieces {
            let columns = piece.from as usize..piece.to as usize;
            append(pixels, image, weights, circle, columns, piece.y as usize);
        }
    }
}

/// Makes `pixels` one of `every` pairs of neighbours among those of the pieces, from the first
/// on.
pub(super) fn gather_some(
    pixels: &mut Pixels,
    image: &Image<'_>,
    weights: &Weights,
    circle: &Circle,
    pieces: &[Piece],
    every: usize,
) {
    pixels.clear();
    // How many pixels lie before the next one, and whether that is the second of its pair.
    let (mut ahead, mut second) = (0, false);
    for piece in pieces {
        let (mut x, y) = (piece.from as usize, piece.y as usize);
        let end = piece.to as usize;
        while end - x > ahead {
            x += ahead;
            pixels.dx.push((x as f64 - circle.x) as f32);
            pixels.dy.push((y as f64 - circle.y) as f32);
            pixels.value.push(image.pixel(x, y, weights));
            x += 1;
            ahead = if second { 2 * every - 2 } else { 0 };
            second = !second;
        }
        ahead -= end - x;
    }
}

/// Appends the pixels of row `y` in the `columns`.
#[allow(clippy::inline_always, reason = "must be compiled inside the dispatched function")]
#[inline(always)]
fn append(
    pixels: &mut Pixels,
    image: &Image<'_>,
    weights: &Weights,
    circle: &Circle,
    columns: Range<usize>,
    y: usize,
) {
    let (n, more) = (pixels.len(), columns.len());
    for of in [&mut pixels.dx, &mut pixels.dy, &mut pixels.value] {
        of.resize(n + more, 0.0);
    }
    let first = columns.start as f64 - circle.x;
    for (k, dx) in pixels.dx[n..].iter_mut().enumerate() {
        *dx = (first + f64::from(k as i32)) as f32;
    }
    pixels.dy[n..].fill((y as f64 - circle.y) as f32);
    let values = &mut pixels.value[n..];
    if image.channels() == 1 && image.step() == 1 {
        let row = &image.row(0, y)[columns];
        values.iter_mut().zip(row).for_each(|(value, v)| *value = f32::from(*v));
    } else {
        values.iter_mut().zip(columns).for_each(|(value, x)| *value = image.pixel(x, y, weights));
    }
}

/// Levels from medians inside and outside. Of a disc with a `hidden` part perhaps
/// from where half of the values are closest together, which that leaves alone: the
/// first that agree with the `contrast` that the rays saw.
pub(super) fn first_guess(
    pixels: &Pixels,
    scratch: &mut Vec<f32>,
    ring: &Ring,
    width: f64,
    contrast: f64,
    hidden: bool,
) -> [f64; N] {
    let r = ring.circle.r;
    let [c2, s2] = ring.shape;
    let mut levels = [[0.0; 2]; 2];
    for (inside, levels) in levels.iter_mut().enumerate() {
        scratch.clear();
        for i in (0..pixels.len()).filter(|&i| pixels.mask[i] > 0.0) {
            let (dx, dy) = (pixels.dx[i], pixels.dy[i]);
            let rho2 = (dx * dx + dy * dy).max(0.25);
            let swing = (c2 * (dx * dx - dy * dy) + s2 * 2.0 * dx * dy) / rho2;
            let d = f64::from(rho2.sqrt() - swing) - r;
            if (inside == 1 && d < -width) || (inside == 0 && d > width) {
                scratch.push(pixels.value[i]);
            }
        }
        if !scratch.is_empty() {
            *levels = [f64::from(median(scratch)); 2];
            if hidden {
                levels[1] = f64::from(densest(scratch));
            }
        }
    }
    let [outside, inside] = levels;
    let mut pairs =
        [(1, 1), (0, 1), (1, 0), (0, 0)].into_iter().map(|(i, j)| (outside[i], inside[j]));
    let fits =
        |(outside, inside): &(f64, f64)| (inside - outside - contrast).abs() < 0.3 * contrast.abs();
    let (outside, inside) = if hidden {
        // Where none fits, most of what is outside is something else.
        pairs.find(fits).unwrap_or((inside[0] - contrast, inside[0]))
    } else {
        (outside[0], inside[0])
    };
    let mut p = [0.0; N];
    (p[2], p[3], p[4], p[5]) = (r, width, outside, inside - outside);
    (p[ROUND], p[ROUND + 1]) = (c2.into(), s2.into());
    if (p[5] > 0.0) != (contrast > 0.0) {
        p[5] = contrast;
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_pixels_are_every_so_many_pairs_of_all() {
        let data: Vec<u8> = (0..60 * 50).map(|i| (i * 7 % 251) as u8).collect();
        let image = Image::grey(&data, 60, 50, 60);
        // A part of it is beyond the border.
        let circle = Circle { x: 40.3, y: 24.8, r: 22.0 };
        let mut pieces = Vec::new();
        let n = list(&mut pieces, &image, Annulus { circle, reach: 3.5 });
        let (mut all, mut some) = (Pixels::default(), Pixels::default());
        gather(&mut all, &image, &[1.0; 3], &circle, &pieces);
        assert_eq!(all.len(), n);
        assert!(n > 500 && all.dx.iter().all(|dx| (-40.3..=18.7).contains(dx)));
        gather_some(&mut some, &image, &[1.0; 3], &circle, &pieces, 3);
        let every = |of: &[f32]| -> Vec<f32> {
            of.iter().enumerate().filter(|(i, _)| i % 6 < 2).map(|(_, v)| *v).collect()
        };
        assert_eq!(some.value, every(&all.value));
        assert_eq!((some.dx, some.dy), (every(&all.dx), every(&all.dy)));
    }
}
