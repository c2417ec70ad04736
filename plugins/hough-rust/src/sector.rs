//! Directions in 32 sectors, by a pseudo-angle: monotonic in the angle, and cheap.

/// Directions that are told apart.
pub(crate) const SECTORS: usize = 32;

/// The sector that an offset lies in.
#[allow(clippy::inline_always, reason = "must be vectorised inside the caller's loop")]
#[inline(always)]
pub(crate) fn sector(dx: f32, dy: f32) -> usize {
    let t = dy / (dx.abs() + dy.abs()).max(1e-6);
    let turn = if dx >= 0.0 { 1.0 + t } else { 3.0 - t };
    ((turn * (SECTORS as f32 / 4.0)) as i32) as usize % SECTORS
}

/// An offset in the direction of a sector's middle, and its length.
pub(crate) fn middle(k: usize) -> (f32, f32, f32) {
    let turn = (k as f32 + 0.5) / (SECTORS as f32 / 4.0);
    let (t, ahead) = if turn < 2.0 { (turn - 1.0, 1.0) } else { (3.0 - turn, -1.0) };
    let (dx, dy) = (ahead * (1.0 - t.abs()), t);
    (dx, dy, (dx * dx + dy * dy).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_go_round_once() {
        let mut seen = [0; SECTORS];
        let mut turns = 0;
        let mut last = sector(1.0, -1e-3);
        for i in 0..720 {
            let (s, c) = libm::sincosf(i as f32 / 720.0 * std::f32::consts::TAU);
            let k = sector(c, s);
            seen[k] += 1;
            turns += usize::from(k != last);
            last = k;
        }
        assert!(seen.iter().all(|n| *n > 10), "{seen:?}");
        assert!((SECTORS - 1..=SECTORS + 1).contains(&turns), "{turns}");
    }

    #[test]
    fn a_sectors_middle_lies_in_it() {
        for k in 0..SECTORS {
            let (dx, dy, length) = middle(k);
            assert_eq!(sector(7.0 * dx / length, 7.0 * dy / length), k);
        }
    }
}
