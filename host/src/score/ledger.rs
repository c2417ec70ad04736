//! Pairs answers with ground truth by frame number.

use std::{collections::VecDeque, time::Duration};

use plumbline_plugin_api::Progress;

use super::{Ending, Hit, Rate, Row, Statistics, Truth};
use crate::wire::{Answer, Finding};

/// What a [`Ledger`] is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerConfig {
    /// How long a frame may be without an answer after it was sent.
    pub timeout: Duration,
    /// Frames that may be open at one time: generated, and not yet published.
    pub capacity: usize,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), capacity: 4096 }
    }
}

/// What an answer was worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It decided how its frame ended.
    Accepted,
    /// Its frame had timed out.
    Late,
    /// Its frame had an answer.
    Duplicate,
    /// There is no such frame, or it was never sent.
    Unknown,
}

/// How many frames went where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that the scene made.
    pub generated: u64,
    /// Frames that left for the client.
    pub sent: u64,
    /// Frames that the server dropped before sending them.
    pub not_sent: u64,
    /// Frames with a scored estimate.
    pub scored: u64,
    /// Frames in which the detector found nothing, or on which it failed.
    pub missed: u64,
    /// Frames that the client dropped.
    pub dropped: u64,
    /// Frames without an answer in time.
    pub timed_out: u64,
    /// Answers to frames that had timed out.
    pub late: u64,
    /// Answers to frames that had an answer.
    pub duplicate: u64,
    /// Answers to frames that do not exist or were never sent.
    pub unknown: u64,
}

impl Counts {
    /// Frames that were sent and have neither an answer nor a timeout.
    pub fn in_flight(&self) -> u64 {
        self.sent - self.scored - self.missed - self.dropped - self.timed_out
    }

    /// Frames that are made and neither sent nor given up; 0 in the end.
    pub fn waiting(&self) -> u64 {
        self.generated - self.sent - self.not_sent
    }

    /// Frames that a detector looked at.
    pub fn answered(&self) -> u64 {
        self.scored + self.missed
    }
}

/// A call that does not fit what the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Too many frames are open.
    #[error("{capacity} frames are open; wait for answers before making another")]
    Full {
        /// The configured capacity.
        capacity: usize,
    },
    /// Frame numbers must rise.
    #[error("frame {id} after frame {last}; the numbers of frames must rise")]
    Order {
        /// The frame.
        id: u64,
        /// The frame before it.
        last: u64,
    },
}

#[derive(Debug)]
enum State {
    Waiting,
    InFlight { deadline: Duration },
    Ended { ending: Ending, answered: bool },
}

#[derive(Debug)]
struct Open {
    id: u64,
    truth: Truth,
    left_scene: Duration,
    state: State,
}

/// A frame that was published: enough to name a stray answer.
#[derive(Debug)]
struct Past {
    id: u64,
    sent: bool,
    answered: bool,
}

/// Every frame's way from the scene to its row, in frame order.
///
/// Memory: a frame is open from [`Ledger::generated`] until
/// [`Ledger::drain_ready`] publishes it, which it does as soon as that frame
/// and all before it have ended. At most `capacity` frames are open, since
/// `generated` refuses more; each ends at its timeout at the latest. Of
/// published frames the last `capacity` are remembered by number only, to tell
/// late answers from repeated ones; answers to older ones count as late.
#[derive(Debug)]
pub struct Ledger {
    config: LedgerConfig,
    open: VecDeque<Open>,
    past: VecDeque<Past>,
    last: Option<u64>,
    counts: Counts,
    statistics: Statistics,
    rate: Rate,
    begin: Option<Duration>,
    last_answer: Duration,
}

impl Ledger {
    /// An empty one.
    pub fn new(config: LedgerConfig) -> Self {
        Self {
            config,
            open: VecDeque::new(),
            past: VecDeque::new(),
            last: None,
            counts: Counts::default(),
            statistics: Statistics::default(),
            rate: Rate::default(),
            begin: None,
            last_answer: Duration::ZERO,
        }
    }

    /// Whether [`Ledger::generated`] takes another frame.
    pub fn has_room(&self) -> bool {
        self.open.len() < self.config.capacity
    }

    /// The scene made frame `id`, which left it at `now`.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Full`] (ask [`Ledger::has_room`] first) or
    /// [`LedgerError::Order`]. The frame is then not counted.
    pub fn generated(
        &mut self,
        id: u64,
        truth: impl Into<Truth>,
        now: Duration,
    ) -> Result<(), LedgerError> {
        if let Some(last) = self.last.filter(|&last| id <= last) {
            return Err(LedgerError::Order { id, last });
        }
        if !self.has_room() {
            return Err(LedgerError::Full { capacity: self.config.capacity });
        }
        self.last = Some(id);
        self.begin.get_or_insert(now);
        self.counts.generated += 1;
        let truth = truth.into();
        self.open.push_back(Open { id, truth, left_scene: now, state: State::Waiting });
        Ok(())
    }

    /// Frame `id` was handed to the channel at `now`; its timeout runs from
    /// here. Without effect when it has ended, since an answer can be faster
    /// than the sender's report.
    pub fn sent(&mut self, id: u64, now: Duration) {
        let deadline = now.saturating_add(self.config.timeout);
        if let Some(frame) = self.find(id)
            && matches!(frame.state, State::Waiting)
        {
            frame.state = State::InFlight { deadline };
            self.counts.sent += 1;
        }
    }

    /// Frame `id` will never be sent. Without effect when it was.
    pub fn not_sent(&mut self, id: u64) {
        if let Some(frame) = self.find(id)
            && matches!(frame.state, State::Waiting)
        {
            frame.state = State::Ended { ending: Ending::NotSent, answered: false };
            self.counts.not_sent += 1;
        }
    }

    /// An answer arrived at `now`. An answer to a frame of which
    /// [`Ledger::sent`] was not yet told proves that it was sent.
    pub fn answer(&mut self, answer: Answer, now: Duration) -> Verdict {
        let verdict = self.judge(answer, now);
        match verdict {
            Verdict::Accepted => {}
            Verdict::Late => self.counts.late += 1,
            Verdict::Duplicate => self.counts.duplicate += 1,
            Verdict::Unknown => self.counts.unknown += 1,
        }
        verdict
    }

    fn judge(&mut self, answer: Answer, now: Duration) -> Verdict {
        let (id, counts) = (answer.id, &mut self.counts);
        let Ok(at) = self.open.binary_search_by_key(&id, |frame| frame.id) else {
            return self.judge_past(id);
        };
        let frame = &mut self.open[at];
        match &mut frame.state {
            State::Ended { ending: Ending::NotSent, .. } => return Verdict::Unknown,
            State::Ended { answered, .. } => {
                return if std::mem::replace(answered, true) {
                    Verdict::Duplicate
                } else {
                    Verdict::Late
                };
            }
            State::InFlight { deadline } if *deadline <= now => {
                frame.state = State::Ended { ending: Ending::TimedOut, answered: true };
                counts.timed_out += 1;
                return Verdict::Late;
            }
            State::Waiting => counts.sent += 1,
            State::InFlight { .. } => {}
        }
        let latency = now.saturating_sub(frame.left_scene);
        let detect = Duration::from_nanos(answer.detect_ns);
        let missed = |reason| Ending::Missed { latency, detect, reason };
        let ending = match answer.finding {
            Finding::Found(estimates) => match estimates.first() {
                Some(&best) => Ending::Scored(Hit::new(best, frame.truth.ball, latency, detect)),
                None => missed(None),
            },
            Finding::Nothing => missed(None),
            Finding::Failed(reason) => missed(Some(reason)),
            Finding::Dropped => Ending::Dropped,
        };
        match ending {
            Ending::Scored(_) => counts.scored += 1,
            Ending::Dropped => counts.dropped += 1,
            _ => counts.missed += 1,
        }
        if !matches!(ending, Ending::Dropped) {
            self.rate.add(now);
            self.last_answer = now;
        }
        frame.state = State::Ended { ending, answered: true };
        Verdict::Accepted
    }

    fn judge_past(&mut self, id: u64) -> Verdict {
        match self.past.binary_search_by_key(&id, |past| past.id) {
            Ok(at) => {
                let past = &mut self.past[at];
                match (past.sent, std::mem::replace(&mut past.answered, true)) {
                    (false, _) => Verdict::Unknown,
                    (true, true) => Verdict::Duplicate,
                    (true, false) => Verdict::Late,
                }
            }
            // Older than what is remembered: whatever it was, it is too late.
            Err(0) if self.past.len() == self.config.capacity => Verdict::Late,
            Err(_) => Verdict::Unknown,
        }
    }

    /// Ends the frames whose answer did not come in time; says how many.
    pub fn expire(&mut self, now: Duration) -> usize {
        let mut expired = 0;
        for frame in &mut self.open {
            if matches!(frame.state, State::InFlight { deadline } if deadline <= now) {
                frame.state = State::Ended { ending: Ending::TimedOut, answered: false };
                expired += 1;
            }
        }
        self.counts.timed_out += expired as u64;
        expired
    }

    /// When [`Ledger::expire`] is worth a call, if no answer comes.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.open
            .iter()
            .filter_map(|frame| match frame.state {
                State::InFlight { deadline } => Some(deadline),
                _ => None,
            })
            .min()
    }

    /// Nothing more will come: frames in flight time out, frames that wait
    /// were not sent. [`Ledger::drain_ready`] then publishes all that is left.
    pub fn finish(&mut self) {
        for frame in &mut self.open {
            let ending = match frame.state {
                State::Waiting => Ending::NotSent,
                State::InFlight { .. } => Ending::TimedOut,
                State::Ended { .. } => continue,
            };
            match ending {
                Ending::NotSent => self.counts.not_sent += 1,
                _ => self.counts.timed_out += 1,
            }
            frame.state = State::Ended { ending, answered: false };
        }
    }

    /// Publishes: appends the rows that are ready, in frame order, and takes
    /// them into the statistics.
    pub fn drain_ready(&mut self, rows: &mut Vec<Row>) {
        while matches!(self.open.front(), Some(Open { state: State::Ended { .. }, .. })) {
            let Some(Open { id, truth, state: State::Ended { ending, answered }, .. }) =
                self.open.pop_front()
            else {
                unreachable!("the front was looked at");
            };
            if self.past.len() == self.config.capacity {
                self.past.pop_front();
            }
            let sent = !matches!(ending, Ending::NotSent);
            self.past.push_back(Past { id, sent, answered });
            let mut row = Row { frame: id, truth, ending, cumulative_l1: 0.0 };
            self.statistics.add(&mut row);
            rows.push(row);
        }
    }

    fn find(&mut self, id: u64) -> Option<&mut Open> {
        let at = self.open.binary_search_by_key(&id, |frame| frame.id).ok()?;
        Some(&mut self.open[at])
    }

    /// How many frames went where.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Statistics of the rows that were published.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Time since the first frame left the scene.
    pub fn elapsed(&self, now: Duration) -> Duration {
        self.begin.map_or(Duration::ZERO, |begin| now.saturating_sub(begin))
    }

    /// Frames per second that a detector looked at, from the first frame
    /// leaving the scene to the last answer; 0 without answers.
    pub fn fps(&self) -> f64 {
        let span = self.elapsed(self.last_answer).as_secs_f64();
        if span > 0.0 { self.counts.answered() as f64 / span } else { 0.0 }
    }

    /// Where the session stands; `target` is the number of frames that it will
    /// have, or 0. Numbers of which there are none yet are 0.
    pub fn progress(&mut self, now: Duration, target: u64) -> Progress {
        let (counts, statistics) = (self.counts, &self.statistics);
        Progress {
            generated: counts.generated,
            sent: counts.sent,
            scored: counts.scored,
            missed: counts.missed,
            dropped: counts.dropped,
            timed_out: counts.timed_out,
            target,
            fps: self.rate.per_second(now),
            elapsed_s: self.elapsed(now).as_secs_f64(),
            l1_mean: statistics.l1.mean().unwrap_or(f64::NAN),
            l1_p95: statistics.l1_quantiles.at(0.95).unwrap_or(f64::NAN),
            rmse: statistics.rmse().unwrap_or(f64::NAN),
            latency_p50_ms: statistics.latency.at(0.5).unwrap_or(f64::NAN),
            latency_p95_ms: statistics.latency.at(0.95).unwrap_or(f64::NAN),
            ..Progress::default()
        }
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
