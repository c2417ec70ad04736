//! Plumbline: qualifies and calibrates camera-based detection over a real network.
//!
//! A server films a [`scene`] whose ground truth it knows, sends the frames
//! over a WebRTC data channel ([`signaling`], [`transport`], [`wire`]) to a
//! client, which runs a detector [`plugin`] on them and answers; the server
//! scores every frame ([`session`], [`score`], [`report`]).
//!
//! | module | what lives there | knows tokio, sockets, clocks |
//! |---|---|---|
//! | [`cli`] | one file per verb | yes |
//! | [`config`] | typed configuration, errors with line and column | no |
//! | [`scene`] | motion, rendering, degradations, ground truth, pacing | no |
//! | [`wire`] | messages, fragments, reassembly | no |
//! | [`signaling`] | how offer and answer travel | yes |
//! | [`transport`] | the data channel behind our own trait | yes |
//! | [`picture_file`] | pictures in files, as detectors get them | files |
//! | [`plugin`] | discovery, loading, instances | clocks, for deadlines |
//! | [`session`] | the two roles | yes |
//! | [`score`] | ledger, errors, statistics | no |
//! | [`evaluate`] | detectors on scenes and pictures, offline: metrics, comparisons, report | threads |
//! | [`report`] | summary, records, tables | no |

pub mod cli;
pub mod config;
pub mod evaluate;
pub mod picture_file;
pub mod plugin;
pub mod report;
pub mod scene;
pub mod score;
pub mod session;
pub mod signaling;
pub mod transport;
pub mod wire;
