//! Which detection belongs to which ball.

use plumbline_plugin_api::Circle;

/// A gate is this share of the radius, and at least [`LEAST_GATE`].
const GATE: f64 = 0.5;
/// Pixels.
const LEAST_GATE: f64 = 2.0;

/// The distance in pixels up to which a detection can belong to a ball of this radius.
pub fn gate(radius: f64) -> f64 {
    (GATE * radius).max(LEAST_GATE)
}

/// A ball that detections are matched to.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Where it is.
    pub circle: Circle,
    /// Distance up to which a detection can belong to it, in pixels: [`gate`].
    pub gate: f64,
    /// By how much the radius of a detection that belongs to it may be off, in pixels.
    pub radius_gate: f64,
    /// Too little of it is visible: finding it is no success, missing it no failure.
    pub ignored: bool,
}

/// What became of the detections of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// For every ball the detection that it got.
    pub of_ball: Vec<Option<usize>>,
    /// Detections that belong to no ball, in their order.
    pub false_positives: Vec<usize>,
    /// How many of these sit on a circle that is not a ball.
    pub on_clutter: usize,
}

/// Gives every detection to at most one ball and the other way round, the
/// closest pair first, up to the gate of the ball and that of its radius (a detection
/// without a radius has the right one). Of a detection that is within the gates of several balls,
/// as of circles within each other, the difference of the radii counts as distance, too. What an
/// ignored ball gets counts as nothing. What remains may fall on an ignored ball (within its gate
/// or anywhere on its disc); the rest is false.
pub fn matching(balls: &[Target], clutter: &[Circle], found: &[Circle]) -> Matching {
    let distance = |c: &Circle, d: &Circle| (d.x - c.x).hypot(d.y - c.y);
    let fits = |ball: &Target, d: &Circle| {
        d.radius.is_nan() || (d.radius - ball.circle.radius).abs() <= ball.radius_gate
    };
    let mut pairs: Vec<(f64, usize, usize)> = balls
        .iter()
        .enumerate()
        .flat_map(|(b, ball)| {
            let fitting = found.iter().enumerate().filter(move |(_, at)| fits(ball, at));
            fitting.map(move |(d, at)| (distance(&ball.circle, at), b, d))
        })
        .filter(|(distance, b, _)| *distance <= balls[*b].gate)
        .collect();
    let mut balls_of = vec![0; found.len()];
    for &(_, _, d) in &pairs {
        balls_of[d] += 1;
    }
    for (distance, b, d) in &mut pairs {
        let off = (found[*d].radius - balls[*b].circle.radius).abs();
        if balls_of[*d] > 1 && !off.is_nan() {
            *distance += off;
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut of_ball = vec![None; balls.len()];
    let mut taken = vec![false; found.len()];
    for (_, ball, detection) in pairs {
        if of_ball[ball].is_none() && !taken[detection] {
            of_ball[ball] = Some(detection);
            taken[detection] = true;
        }
    }
    // An ignored ball keeps its detection from others, and gains nothing.
    for (of, ball) in of_ball.iter_mut().zip(balls) {
        *of = of.filter(|_| !ball.ignored);
    }
    let excused = |at: &Circle| {
        balls.iter().any(|ball| {
            ball.ignored && distance(&ball.circle, at) <= ball.gate.max(ball.circle.radius)
        })
    };
    let false_positives: Vec<usize> =
        (0..found.len()).filter(|&d| !taken[d] && !excused(&found[d])).collect();
    let on_clutter = false_positives
        .iter()
        .filter(|&&d| clutter.iter().any(|c| distance(c, &found[d]) <= gate(c.radius)))
        .count();
    Matching { of_ball, false_positives, on_clutter }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ball(x: f64, radius: f64, ignored: bool) -> Target {
        let circle = Circle { x, y: 0.0, radius };
        Target { circle, gate: gate(radius), radius_gate: f64::INFINITY, ignored }
    }

    /// Matches answers at these x.
    fn matching(balls: &[Target], clutter: &[Circle], found: &[f64]) -> Matching {
        let found: Vec<Circle> =
            found.iter().map(|&x| Circle { x, y: 0.0, radius: f64::NAN }).collect();
        super::matching(balls, clutter, &found)
    }

    #[test]
    fn a_circle_of_another_radius_is_no_find() {
        let balls = [Target { radius_gate: 5.0, ..ball(0.0, 20.0, false) }];
        let found = [14.0, 25.1, f64::NAN, 24.0].map(|radius| Circle { x: 1.0, y: 0.0, radius });
        let of_ball = |n: usize| super::matching(&balls, &[], &found[..n]).of_ball;
        assert_eq!([of_ball(2), of_ball(3), of_ball(4)], [[None], [Some(2)], [Some(2)]]);
        assert_eq!(super::matching(&balls, &[], &found[..2]).false_positives, [0, 1]);
    }

    #[test]
    fn of_circles_within_each_other_the_one_of_like_radius_is_found() {
        let balls = [ball(0.0, 20.0, false), ball(0.2, 14.0, true)];
        let found = [13.5, 20.5].map(|radius| Circle { x: 0.2, y: 0.0, radius });
        let of = |found: &[Circle]| super::matching(&balls, &[], found).of_ball;
        assert_eq!(of(&found), [Some(1), None]);
        assert_eq!((of(&found[1..]), of(&found[..1])), (vec![Some(0), None], vec![None, None]));
    }

    #[test]
    fn what_belongs_to_an_ignored_ball_is_no_find_of_the_one_in_front() {
        let balls = [ball(281.7, 24.0, false), ball(277.0, 24.0, true)];
        let m = matching(&balls, &[], &[277.02]);
        assert_eq!((m.of_ball, m.false_positives), (vec![None, None], vec![]));
        let m = matching(&balls, &[], &[277.02, 281.6]);
        assert_eq!((m.of_ball, m.false_positives), (vec![Some(1), None], vec![]));
    }

    #[test]
    fn the_closest_pair_comes_first_and_a_second_answer_is_false() {
        let balls = [ball(0.0, 20.0, false), ball(12.0, 20.0, false)];
        let m = matching(&balls, &[], &[7.0, 11.0, 12.5]);
        // 12.5 is closest to the ball at 12; then 7 is closest to the one at 0.
        assert_eq!(m.of_ball, [Some(0), Some(2)]);
        assert_eq!(m.false_positives, [1]);
    }

    #[test]
    fn the_gate_is_half_a_radius_and_at_least_two_pixels() {
        let m = matching(&[ball(0.0, 20.0, false)], &[], &[10.01]);
        assert_eq!((m.of_ball, m.false_positives), (vec![None], vec![0]));
        assert_eq!(matching(&[ball(0.0, 20.0, false)], &[], &[10.0]).of_ball, [Some(0)]);
        assert_eq!(matching(&[ball(0.0, 1.0, false)], &[], &[2.0]).of_ball, [Some(0)]);
    }

    #[test]
    fn an_ignored_ball_takes_what_nobody_wants() {
        let balls = [ball(0.0, 20.0, true), ball(25.0, 20.0, false)];
        let m = matching(&balls, &[], &[15.0, 19.0, 60.0]);
        assert_eq!(m.of_ball, [None, Some(1)]);
        assert_eq!(m.false_positives, [2]);
    }

    #[test]
    fn circles_that_are_no_balls_are_false_and_counted() {
        let clutter = [Circle { x: 100.0, y: 0.0, radius: 30.0 }];
        let m = matching(&[], &clutter, &[110.0, 200.0]);
        assert_eq!((m.false_positives.len(), m.on_clutter), (2, 1));
    }
}
