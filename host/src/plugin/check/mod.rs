//! The test harness for plugins: what a host relies on, one check each.
//!
//! | file | subject |
//! |---|---|
//! | `run` | the parent: starts the worker, judges crashes and hangs |
//! | `work` | the worker: runs the checks one after another |
//! | `library` | descriptor, schema, configuration |
//! | `detector`, `display` | what instances do |
//! | `fuzz` | configurations and frames out of a seed |

mod detector;
mod display;
mod fuzz;
mod library;
mod run;
mod work;

use serde::{Deserialize, Serialize};

use super::Kind;

pub use run::{Options, Report, run};
pub use work::{WorkerArgs, answer};

/// One thing that a plugin has to do right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The library opens.
    Loads,
    /// The descriptor makes sense.
    DescribesItself,
    /// The schema is a schema.
    SchemaIsValid,
    /// The schema accepts the defaults.
    DefaultsFitSchema,
    /// No key is required.
    EmptyTableFitsSchema,
    /// The defaults make an instance.
    DefaultsWork,
    /// Unknown keys are refused.
    UnknownKeyRefused,
    /// Wrong types are refused.
    WrongTypesRefused,
    /// Values at the ends of their ranges are survived.
    RangeEndsSurvived,
    /// Finds discs in grey frames.
    GoldenGray,
    /// Finds discs in colour frames.
    GoldenColour,
    /// Finds a dark disc.
    GoldenDark,
    /// Finds nothing where nothing is.
    PlainPictures,
    /// Shows frames with overlays.
    ShowsFrames,
    /// Shows scores.
    ShowsScores,
    /// Survives frames without pixels.
    EmptyFrames,
    /// Survives tiny and odd sizes.
    OddSizes,
    /// Padding changes nothing.
    PaddedRows,
    /// Same frame, same answer.
    Deterministic,
    /// The frame is not written to.
    FrameUnmodified,
    /// Finite, in the picture, best first.
    SaneAnswers,
    /// Survives rows and progress without numbers.
    OddScores,
    /// Survives configurations out of a seed.
    FuzzConfig,
    /// Survives frames out of a seed.
    FuzzFrames,
    /// Instances in several threads.
    Threads,
    /// A thousand instances without growth.
    CreateDestroy,
    /// A thousand frames without growth.
    SteadyMemory,
    /// In time for a camera.
    Deadline,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Done right.
    Pass,
    /// Could be better.
    Warn,
    /// Done wrong.
    Fail,
    /// Could not be tried.
    Skip,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Skip => "skip",
        })
    }
}

/// The highest level.
pub const MAX_LEVEL: u8 = 8;

impl Check {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 28] = [
        Self::Loads,
        Self::DescribesItself,
        Self::SchemaIsValid,
        Self::DefaultsFitSchema,
        Self::EmptyTableFitsSchema,
        Self::DefaultsWork,
        Self::UnknownKeyRefused,
        Self::WrongTypesRefused,
        Self::RangeEndsSurvived,
        Self::GoldenGray,
        Self::GoldenColour,
        Self::GoldenDark,
        Self::PlainPictures,
        Self::ShowsFrames,
        Self::ShowsScores,
        Self::EmptyFrames,
        Self::OddSizes,
        Self::PaddedRows,
        Self::Deterministic,
        Self::FrameUnmodified,
        Self::SaneAnswers,
        Self::OddScores,
        Self::FuzzConfig,
        Self::FuzzFrames,
        Self::Threads,
        Self::CreateDestroy,
        Self::SteadyMemory,
        Self::Deadline,
    ];

    /// From 1 (it loads) to 8 (it is quick and lean). Level 5 is what a host needs.
    pub const fn level(self) -> u8 {
        match self {
            Self::Loads | Self::DescribesItself | Self::SchemaIsValid => 1,
            Self::DefaultsFitSchema
            | Self::EmptyTableFitsSchema
            | Self::DefaultsWork
            | Self::UnknownKeyRefused
            | Self::WrongTypesRefused
            | Self::RangeEndsSurvived => 2,
            Self::GoldenGray
            | Self::GoldenColour
            | Self::GoldenDark
            | Self::PlainPictures
            | Self::ShowsFrames
            | Self::ShowsScores => 3,
            Self::EmptyFrames | Self::OddSizes | Self::PaddedRows => 4,
            Self::Deterministic | Self::FrameUnmodified | Self::SaneAnswers | Self::OddScores => 5,
            Self::FuzzConfig | Self::FuzzFrames => 6,
            Self::Threads | Self::CreateDestroy => 7,
            Self::SteadyMemory | Self::Deadline => 8,
        }
    }

    /// One sentence for people.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Loads => "The library loads, with all of its symbols and the right interface.",
            Self::DescribesItself => "It has a version and a description.",
            Self::SchemaIsValid => {
                "Its JSON Schema is one, describes a table and refuses unknown keys."
            }
            Self::DefaultsFitSchema => "Its default configuration satisfies its schema.",
            Self::EmptyTableFitsSchema => {
                "No key is required: an empty table satisfies the schema."
            }
            Self::DefaultsWork => "An instance can be made from the configuration.",
            Self::UnknownKeyRefused => "An unknown key is an error, not a panic.",
            Self::WrongTypesRefused => "A value of the wrong type is an error, not a panic.",
            Self::RangeEndsSurvived => "Values at the ends of their ranges cause no panic.",
            Self::GoldenGray => "Finds a bright disc in gray8 frames, within half its radius.",
            Self::GoldenColour => "Finds a bright disc in bgr8 frames, within half its radius.",
            Self::GoldenDark => "Finds a dark disc on a bright background.",
            Self::PlainPictures => "Finds nothing in black, grey and white pictures.",
            Self::ShowsFrames => "Shows frames with and without detections.",
            Self::ShowsScores => "Shows score rows and progress.",
            Self::EmptyFrames => "Frames without pixels cause no panic.",
            Self::OddSizes => "Tiny, narrow and odd frame sizes cause no panic.",
            Self::PaddedRows => "Padding between rows is not looked at.",
            Self::Deterministic => "The same frames give the same answers, bit for bit.",
            Self::FrameUnmodified => "The frame is not written to.",
            Self::SaneAnswers => "Answers are finite, in the picture and best first.",
            Self::OddScores => "Rows without numbers and an empty progress cause no panic.",
            Self::FuzzConfig => "Random configurations that satisfy the schema cause no panic.",
            Self::FuzzFrames => "Random frames cause no panic and no nonsense.",
            Self::Threads => "Instances in several threads at once answer like one alone.",
            Self::CreateDestroy => "A thousand instances come and go without growth.",
            Self::SteadyMemory => "A thousand frames pass without growth.",
            Self::Deadline => "95 of 100 frames of 640x480 take less than 33 ms.",
        }
    }

    /// Does a failure only mean that the plugin could be better?
    pub const fn is_advice(self) -> bool {
        matches!(self, Self::GoldenDark) || self.level() == MAX_LEVEL
    }

    /// Has the check a meaning for plugins of this kind?
    pub const fn applies_to(self, kind: Kind) -> bool {
        let detectors_only = matches!(
            self,
            Self::GoldenGray
                | Self::GoldenColour
                | Self::GoldenDark
                | Self::PlainPictures
                | Self::PaddedRows
                | Self::Deterministic
                | Self::FrameUnmodified
                | Self::SaneAnswers
                | Self::Threads
                | Self::SteadyMemory
                | Self::Deadline
        );
        let displays_only = matches!(self, Self::ShowsFrames | Self::ShowsScores | Self::OddScores);
        match kind {
            Kind::Detector => !displays_only,
            Kind::Display => !detectors_only,
        }
    }

    /// Its name in reports: lower case with hyphens.
    pub fn id(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_in_the_list_once_and_levels_rise() {
        for (i, check) in Check::ALL.iter().enumerate() {
            assert_eq!(*check as usize, i, "{check:?} is out of order");
        }
        assert!(Check::ALL.is_sorted_by_key(|c| c.level()));
        assert!(Check::ALL.iter().all(|c| (1..=MAX_LEVEL).contains(&c.level())));
    }

    #[test]
    fn ids_are_kebab_case() {
        assert_eq!(Check::EmptyTableFitsSchema.id(), "empty-table-fits-schema");
    }
}
