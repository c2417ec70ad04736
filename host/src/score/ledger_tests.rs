use proptest::prelude::*;

use super::*;
use crate::wire::Estimate;
use plumbline_plugin_api::{Circle, Outcome};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const BALL: Circle = Circle { x: 10.0, y: 20.0, radius: 5.0 };

fn ledger() -> Ledger {
    Ledger::new(LedgerConfig { timeout: ms(100), capacity: 8 })
}

fn found(id: u64, dx: f64) -> Answer {
    let estimate =
        Estimate { x: BALL.x + dx, y: BALL.y, radius: 5.0, score: 0.5, covariance: None };
    let worse = Estimate { x: 0.0, y: 0.0, ..estimate };
    Answer { id, finding: Finding::Found(vec![estimate, worse]), detect_ns: 2_000_000 }
}

fn other(id: u64, finding: Finding) -> Answer {
    Answer { id, finding, detect_ns: 0 }
}

fn send(ledger: &mut Ledger, id: u64, now: Duration) {
    ledger.generated(id, BALL, now).unwrap();
    ledger.sent(id, now);
}

fn drain(ledger: &mut Ledger) -> Vec<Row> {
    let mut rows = Vec::new();
    ledger.drain_ready(&mut rows);
    rows
}

fn outcomes(rows: &[Row]) -> Vec<(u64, &'static str)> {
    rows.iter().map(|row| (row.frame, row.ending.outcome().name())).collect()
}

#[test]
fn answers_are_paired_by_number_and_published_in_frame_order() {
    let mut ledger = ledger();
    for id in 0..3 {
        send(&mut ledger, id, ms(id));
    }
    assert_eq!(ledger.answer(found(2, 1.0), ms(10)), Verdict::Accepted);
    assert!(drain(&mut ledger).is_empty());
    assert_eq!(ledger.answer(found(0, -3.0), ms(11)), Verdict::Accepted);
    assert_eq!(outcomes(&drain(&mut ledger)), [(0, "scored")]);
    assert_eq!(ledger.answer(other(1, Finding::Nothing), ms(12)), Verdict::Accepted);
    let rows = drain(&mut ledger);
    assert_eq!(outcomes(&rows), [(1, "missed"), (2, "scored")]);
    assert_eq!((rows[0].cumulative_l1, rows[1].cumulative_l1), (3.0, 4.0));
    assert_eq!(rows[1].latency(), Some(ms(8)));
    assert_eq!(rows[1].detect(), Some(ms(2)));
    assert_eq!(rows[1].to_score_row().outcome, Outcome::SCORED);
}

#[test]
fn a_failed_detector_is_a_miss_with_a_reason() {
    let mut ledger = ledger();
    send(&mut ledger, 0, ms(0));
    ledger.answer(other(0, Finding::Failed("panicked".into())), ms(1));
    let rows = drain(&mut ledger);
    assert_eq!(rows[0].reason(), Some("panicked"));
    assert_eq!(rows[0].ending.outcome(), Outcome::MISSED);
}

#[test]
fn a_frame_without_an_answer_times_out_and_its_answer_is_late_once() {
    let mut ledger = ledger();
    send(&mut ledger, 0, ms(0));
    assert_eq!(ledger.next_deadline(), Some(ms(100)));
    assert_eq!(ledger.expire(ms(99)), 0);
    assert_eq!(ledger.expire(ms(100)), 1);
    assert_eq!(ledger.next_deadline(), None);
    assert_eq!(outcomes(&drain(&mut ledger)), [(0, "timed_out")]);
    assert_eq!(ledger.answer(found(0, 0.0), ms(101)), Verdict::Late);
    assert_eq!(ledger.answer(found(0, 0.0), ms(102)), Verdict::Duplicate);
    // An answer after the deadline is late even when nobody called `expire`.
    send(&mut ledger, 1, ms(200));
    assert_eq!(ledger.answer(found(1, 0.0), ms(300)), Verdict::Late);
    assert_eq!(outcomes(&drain(&mut ledger)), [(1, "timed_out")]);
    let counts = ledger.counts();
    assert_eq!((counts.timed_out, counts.late, counts.duplicate), (2, 2, 1));
    assert_eq!(ledger.statistics().l1.count(), 0);
}

#[test]
fn only_the_first_answer_counts() {
    let mut ledger = ledger();
    send(&mut ledger, 0, ms(0));
    send(&mut ledger, 1, ms(0));
    assert_eq!(ledger.answer(found(1, 1.0), ms(1)), Verdict::Accepted);
    assert_eq!(ledger.answer(found(1, 9.0), ms(2)), Verdict::Duplicate);
    assert_eq!(ledger.answer(found(7, 9.0), ms(2)), Verdict::Unknown);
    ledger.answer(other(0, Finding::Dropped), ms(3));
    let rows = drain(&mut ledger);
    assert_eq!(outcomes(&rows), [(0, "dropped"), (1, "scored")]);
    assert_eq!(rows[1].cumulative_l1, 1.0);
    assert_eq!(rows[0].latency(), None);
}

#[test]
fn a_frame_that_was_not_sent_cannot_be_answered() {
    let mut ledger = ledger();
    ledger.generated(0, BALL, ms(0)).unwrap();
    ledger.not_sent(0);
    assert_eq!(ledger.answer(found(0, 0.0), ms(1)), Verdict::Unknown);
    assert_eq!(outcomes(&drain(&mut ledger)), [(0, "not_sent")]);
    assert_eq!(ledger.answer(found(0, 0.0), ms(1)), Verdict::Unknown);
}

#[test]
fn an_answer_may_overtake_the_senders_report() {
    let mut ledger = ledger();
    ledger.generated(0, BALL, ms(0)).unwrap();
    assert_eq!(ledger.answer(found(0, 0.0), ms(1)), Verdict::Accepted);
    ledger.sent(0, ms(2));
    ledger.not_sent(0);
    let counts = ledger.counts();
    assert_eq!((counts.sent, counts.not_sent, counts.in_flight()), (1, 0, 0));
}

#[test]
fn open_frames_are_bounded_and_numbers_rise() {
    let mut ledger = ledger();
    for id in 0..8 {
        send(&mut ledger, id, ms(0));
    }
    assert!(!ledger.has_room());
    assert_eq!(ledger.generated(8, BALL, ms(0)), Err(LedgerError::Full { capacity: 8 }));
    ledger.answer(found(0, 0.0), ms(1));
    drain(&mut ledger);
    assert_eq!(ledger.generated(7, BALL, ms(0)), Err(LedgerError::Order { id: 7, last: 7 }));
    assert_eq!(ledger.generated(8, BALL, ms(0)), Ok(()));
    assert_eq!(ledger.counts().generated, 9);
}

#[test]
fn rates_and_progress() {
    let mut ledger = ledger();
    assert_eq!(ledger.progress(ms(0), 5).fps, 0.0);
    for id in 0..100 {
        send(&mut ledger, id, ms(id * 10));
        ledger.answer(found(id, 0.5), ms(id * 10 + 10));
        drain(&mut ledger);
    }
    assert_eq!(ledger.fps(), 100.0);
    let progress = ledger.progress(ms(1000), 200);
    assert!((progress.fps - 100.0).abs() < 12.0, "{}", progress.fps);
    assert_eq!((progress.scored, progress.target), (100, 200));
    assert_eq!((progress.l1_mean, progress.rmse, progress.elapsed_s), (0.5, 0.5, 1.0));
    assert_eq!(progress.latency_p95_ms, 10.0);
}

#[derive(Debug, Clone)]
enum Step {
    Generate(u64),
    Sent(u64),
    NotSent(u64),
    Answer(u64, u8),
    Expire,
    Drain,
    Finish,
}

fn step() -> impl Strategy<Value = (Step, u64)> {
    let id = 0u64..40;
    let step = prop_oneof![
        6 => (1u64..3).prop_map(Step::Generate),
        6 => id.clone().prop_map(Step::Sent),
        1 => id.clone().prop_map(Step::NotSent),
        9 => (id, 0u8..4).prop_map(|(id, kind)| Step::Answer(id, kind)),
        2 => Just(Step::Expire),
        4 => Just(Step::Drain),
        1 => Just(Step::Finish),
    ];
    (step, 0u64..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn whatever_happens_the_outcomes_add_up(steps in proptest::collection::vec(step(), 1..200)) {
        let mut ledger = ledger();
        let (mut now, mut next, mut accepted, mut answers) = (0, 0, 0, 0);
        let mut rows = Vec::new();
        let mut made = Vec::new();
        for (step, passed) in steps {
            now += passed;
            match step {
                Step::Generate(gap) => {
                    next += gap;
                    if ledger.generated(next, BALL, ms(now)).is_ok() {
                        made.push(next);
                    }
                }
                Step::Sent(id) => ledger.sent(id, ms(now)),
                Step::NotSent(id) => ledger.not_sent(id),
                Step::Answer(id, kind) => {
                    let answer = match kind {
                        0 => found(id, 1.0),
                        1 => other(id, Finding::Nothing),
                        2 => other(id, Finding::Dropped),
                        _ => other(id, Finding::Failed("x".into())),
                    };
                    answers += 1;
                    accepted += u64::from(ledger.answer(answer, ms(now)) == Verdict::Accepted);
                }
                Step::Expire => { ledger.expire(ms(now)); }
                Step::Drain => ledger.drain_ready(&mut rows),
                Step::Finish => ledger.finish(),
            }
            let c = ledger.counts();
            // `in_flight` and `waiting` would underflow if more ended than began.
            prop_assert_eq!(c.generated, c.sent + c.not_sent + c.waiting());
            prop_assert_eq!(c.sent, c.scored + c.missed + c.dropped + c.timed_out + c.in_flight());
            prop_assert_eq!(accepted, c.scored + c.missed + c.dropped);
            prop_assert_eq!(answers, accepted + c.late + c.duplicate + c.unknown);
            prop_assert!(ledger.open.len() <= 8 && ledger.past.len() <= 8);
            let in_flight =
                ledger.open.iter().filter(|f| matches!(f.state, State::InFlight { .. })).count();
            prop_assert_eq!(c.in_flight(), in_flight as u64);
        }
        ledger.finish();
        ledger.drain_ready(&mut rows);
        let c = ledger.counts();
        prop_assert_eq!((c.in_flight(), c.waiting()), (0, 0));
        prop_assert_eq!(rows.iter().map(|row| row.frame).collect::<Vec<_>>(), made);
        let count = |outcome| rows.iter().filter(|r| r.ending.outcome() == outcome).count() as u64;
        prop_assert_eq!(count(Outcome::SCORED), c.scored);
        prop_assert_eq!(count(Outcome::MISSED), c.missed);
        prop_assert_eq!(count(Outcome::DROPPED), c.dropped);
        prop_assert_eq!(count(Outcome::TIMED_OUT), c.timed_out);
        prop_assert_eq!(count(Outcome::NOT_SENT), c.not_sent);
        prop_assert_eq!(ledger.statistics().cumulative_l1.value(), c.scored as f64);
    }
}

#[test]
fn where_nothing_was_measured_the_progress_says_so() {
    let mut ledger = ledger();
    send(&mut ledger, 0, ms(0));
    let empty = ledger.progress(ms(1), 0);
    let numbers = [empty.l1_mean, empty.l1_p95, empty.rmse, empty.latency_p50_ms];
    assert!(numbers.iter().all(|number| number.is_nan()), "{numbers:?}");
    // A frame in which nothing was found has a latency and no error.
    ledger.answer(other(0, Finding::Nothing), ms(5));
    assert_eq!(drain(&mut ledger).len(), 1);
    let missed = ledger.progress(ms(6), 0);
    assert!(missed.l1_mean.is_nan() && missed.latency_p95_ms > 0.0, "{missed:?}");
}
