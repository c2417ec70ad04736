//! The binary interface: what a plugin library exports and what a host hands to it.
//!
//! Plugin authors do not need this module; [`export_plugin!`](crate::export_plugin)
//! fills it in. A host gets a [`PluginModule_Ref`] out of a library and calls
//! its fields.
//!
//! Only prefix types may grow, and only behind their last prefix field; a
//! third kind of plugin (frame sources) will join [`PluginModule`] that way in
//! a minor version.

#![allow(
    unsafe_code,
    clippy::expl_impl_clone_on_copy,
    clippy::used_underscore_binding,
    reason = "what the macros of abi_stable expand to"
)]

use abi_stable::{
    StableAbi,
    library::RootModule,
    package_version_strings, sabi_trait,
    sabi_types::VersionStrings,
    std_types::{RBox, RResult, RSlice, RStr, RString},
};

use crate::{Detections, Flow, Frame, Overlay, PluginError, Progress, ScoreRow};

/// How loud a log line is. An open set of values; smaller is more severe.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogLevel(pub u32);

impl LogLevel {
    /// Something failed.
    pub const ERROR: Self = Self(1);
    /// Something is off and the work goes on.
    pub const WARN: Self = Self(2);
    /// What a user wants to know.
    pub const INFO: Self = Self(3);
    /// What a developer wants to know.
    pub const DEBUG: Self = Self(4);
    /// Everything.
    pub const TRACE: Self = Self(5);
}

/// What the host offers to a plugin.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = Host_Ref)))]
#[sabi(missing_field(panic))]
pub struct Host {
    /// The host's version.
    pub version: RStr<'static>,
    /// `server`, `client` or `tool`.
    pub role: RStr<'static>,
    /// The most verbose level that the host's log lets through.
    pub max_log_level: LogLevel,
    /// Takes a log line: level, the plugin's name, target, message. Any thread may call it.
    #[sabi(last_prefix_field)]
    pub log: extern "C" fn(LogLevel, RStr<'_>, RStr<'_>, RStr<'_>),
}

/// The boundary's side of [`crate::Detector`].
#[sabi_trait]
pub trait RawDetector: Send {
    /// Finds discs in `frame`; `found` is empty when called.
    fn detect(&mut self, frame: Frame<'_>, found: &mut Detections) -> RResult<(), PluginError>;

    /// Forgets what was learnt from earlier frames.
    #[sabi(last_prefix_field)]
    fn reset(&mut self) -> RResult<(), PluginError>;
}

/// The boundary's side of [`crate::Display`].
#[sabi_trait]
pub trait RawDisplay {
    /// Shows a frame.
    fn show_frame(&mut self, frame: Frame<'_>, overlay: Overlay<'_>) -> RResult<Flow, PluginError>;

    /// Shows new score rows.
    fn show_scores(
        &mut self,
        rows: RSlice<'_, ScoreRow>,
        progress: &Progress,
    ) -> RResult<Flow, PluginError>;

    /// Nothing to show.
    fn idle(&mut self) -> RResult<Flow, PluginError>;

    /// The session is over.
    #[sabi(last_prefix_field)]
    fn finish(&mut self) -> RResult<(), PluginError>;
}

/// A detector behind the boundary.
pub type DetectorBox = RawDetector_TO<'static, RBox<()>>;
/// A display behind the boundary.
pub type DisplayBox = RawDisplay_TO<'static, RBox<()>>;

/// What a plugin is. An open set of values.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PluginKind(u32);

impl PluginKind {
    /// Finds discs in frames: [`PluginModule::new_detector`] works.
    pub const DETECTOR: Self = Self(1);
    /// Shows frames and scores: [`PluginModule::new_display`] works.
    pub const DISPLAY: Self = Self(2);

    /// `detector` or `display`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            1 => "detector",
            2 => "display",
            _ => "of an unknown kind",
        }
    }
}

impl std::fmt::Debug for PluginKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a plugin library exports.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModule_Ref)))]
#[sabi(missing_field(panic))]
pub struct PluginModule {
    /// The version of the interface that the plugin was built with.
    pub api_version: RStr<'static>,
    /// The name by which `config.toml` selects the plugin: lower case, digits and hyphens.
    pub name: RStr<'static>,
    /// The plugin's own version.
    pub version: RStr<'static>,
    /// One sentence for people.
    pub description: RStr<'static>,
    /// The JSON Schema of the plugin's configuration.
    pub config_schema: extern "C" fn() -> RString,
    /// The default configuration, a JSON object.
    pub default_config: extern "C" fn() -> RString,
    /// What the plugin is.
    pub kind: PluginKind,
    /// Makes a detector from its configuration, a JSON object.
    pub new_detector: extern "C" fn(RStr<'_>, Host_Ref) -> RResult<DetectorBox, PluginError>,
    /// Makes a display from its configuration, a JSON object.
    #[sabi(last_prefix_field)]
    pub new_display: extern "C" fn(RStr<'_>, Host_Ref) -> RResult<DisplayBox, PluginError>,
}

impl RootModule for PluginModule_Ref {
    abi_stable::declare_root_module_statics! {PluginModule_Ref}

    const BASE_NAME: &'static str = "plumbline_plugin";
    const NAME: &'static str = "plumbline_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
