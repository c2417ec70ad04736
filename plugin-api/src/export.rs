//! `export_plugin!` and the adapters behind it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use abi_stable::{
    sabi_trait::TD_Opaque,
    std_types::{RResult, RSlice, RStr, RString},
};
use serde::de::DeserializeOwned;

use crate::{
    Detections, Detector, Display, Flow, Frame, HostInfo, Overlay, PluginError, Progress, ScoreRow,
    abi::{
        DetectorBox, DisplayBox, Host_Ref, RawDetector, RawDetector_TO, RawDisplay, RawDisplay_TO,
    },
    logging,
};

/// Exports a detector or a display as the plugin of this library.
///
/// ```ignore
/// export_plugin! {
///     detector: MyDetector,       // or `display: MyDisplay`
///     name: "my-detector",        // as `config.toml` selects it
///     description: "One sentence",
/// }
/// ```
///
/// The plugin's version is its crate's version. A panic inside the plugin
/// becomes a [`PluginError`] and never reaches the host.
#[macro_export]
macro_rules! export_plugin {
    (detector: $ty:ty, name: $name:literal, description: $description:literal $(,)?) => {
        $crate::export_plugin!(@export $ty, Detector, $name, $description,
            DETECTOR, new_detector::<$ty>, no_display);
    };
    (display: $ty:ty, name: $name:literal, description: $description:literal $(,)?) => {
        $crate::export_plugin!(@export $ty, Display, $name, $description,
            DISPLAY, no_detector, new_display::<$ty>);
    };
    (@export $ty:ty, $trait:ident, $name:literal, $description:literal,
     $kind:ident, $detector:ident $(::<$d:ty>)?, $display:ident $(::<$v:ty>)?) => {
        // A block and not a module, so that `$ty` may be local to a function.
        const _: () = {
            use $crate::__private::abi_stable;

            type Config = <$ty as $crate::$trait>::Config;

            extern "C" fn new_detector(
                config: abi_stable::std_types::RStr<'_>,
                host: $crate::abi::Host_Ref,
            ) -> abi_stable::std_types::RResult<$crate::abi::DetectorBox, $crate::PluginError> {
                $crate::__private::$detector$(::<$d>)?(config, host, $name)
            }

            extern "C" fn new_display(
                config: abi_stable::std_types::RStr<'_>,
                host: $crate::abi::Host_Ref,
            ) -> abi_stable::std_types::RResult<$crate::abi::DisplayBox, $crate::PluginError> {
                $crate::__private::$display$(::<$v>)?(config, host, $name)
            }

            extern "C" fn config_schema() -> abi_stable::std_types::RString {
                $crate::__private::schema::<Config>()
            }

            extern "C" fn default_config() -> abi_stable::std_types::RString {
                $crate::__private::default_config::<Config>()
            }

            fn root_module() -> $crate::abi::PluginModule_Ref {
                use abi_stable::prefix_type::PrefixTypeTrait;
                $crate::abi::PluginModule {
                    api_version: abi_stable::std_types::RStr::from_str($crate::API_VERSION),
                    name: abi_stable::std_types::RStr::from_str($name),
                    version: abi_stable::std_types::RStr::from_str(env!("CARGO_PKG_VERSION")),
                    description: abi_stable::std_types::RStr::from_str($description),
                    config_schema,
                    default_config,
                    kind: $crate::abi::PluginKind::$kind,
                    new_detector,
                    new_display,
                }
                .leak_into_prefix()
            }

            extern "C" fn erased_module() -> abi_stable::library::RootModuleResult {
                abi_stable::library::__call_root_module_loader(root_module)
            }

            // The name is the one that abi_stable looks for; see the assertion
            // beside `export_plugin!`.
            #[allow(unsafe_code, non_upper_case_globals, unreachable_pub)]
            #[unsafe(no_mangle)]
            pub static _1as_0lib_1header_0root_bmodule_bloader: abi_stable::library::LibHeader =
                // SAFETY: `erased_module` returns a `PluginModule_Ref`, the type given here.
                unsafe {
                    abi_stable::library::LibHeader::from_constructor::<$crate::abi::PluginModule_Ref>(
                        erased_module,
                        abi_stable::library::CheckTypeLayout::Yes,
                    )
                };
        };
    };
}

/// The JSON Schema of a configuration type.
pub fn schema<C: schemars::JsonSchema>() -> RString {
    catch_unwind(|| schemars::schema_for!(C).to_value().to_string()).unwrap_or_default().into()
}

/// The default configuration as a JSON object; empty when it cannot be made.
pub fn default_config<C: Default + serde::Serialize>() -> RString {
    catch_unwind(|| serde_json::to_string(&C::default()).unwrap_or_default())
        .unwrap_or_default()
        .into()
}

// `no_mangle` takes no expression, so the name in `export_plugin!` is a literal;
// this is what keeps it honest.
const _: () = {
    let (a, b) = (
        abi_stable::library::ROOT_MODULE_LOADER_NAME.as_bytes(),
        b"_1as_0lib_1header_0root_bmodule_bloader",
    );
    assert!(a.len() == b.len());
    let mut i = 0;
    while i < a.len() {
        assert!(a[i] == b[i]);
        i += 1;
    }
};

/// Keeps the panics of `T` on this side of the boundary, those of its `Drop` included.
struct Shield<T>(Option<T>);

impl<T> Shield<T> {
    fn inner(&mut self) -> Result<&mut T, PluginError> {
        self.0.as_mut().ok_or_else(|| PluginError::failed("the instance is gone"))
    }
}

impl<T> Drop for Shield<T> {
    fn drop(&mut self) {
        let inner = self.0.take();
        if catch_unwind(AssertUnwindSafe(|| drop(inner))).is_err() {
            log::error!("panicked while being dropped");
        }
    }
}

fn guard<T>(f: impl FnOnce() -> Result<T, PluginError>) -> RResult<T, PluginError> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => result.into(),
        Err(payload) => RResult::RErr(PluginError::panicked(payload.as_ref())),
    }
}

fn parse<C: DeserializeOwned>(config: RStr<'_>) -> Result<C, PluginError> {
    serde_json::from_str(config.as_str()).map_err(|e| PluginError::config(e.to_string()))
}

fn host_info(host: Host_Ref) -> HostInfo {
    HostInfo { version: host.version().as_str(), role: host.role().as_str() }
}

/// Makes the detector `D` behind the boundary.
pub fn new_detector<D: Detector>(
    config: RStr<'_>,
    host: Host_Ref,
    name: &'static str,
) -> RResult<DetectorBox, PluginError> {
    guard(|| {
        logging::install(host, name);
        let detector = D::new(parse(config)?, &host_info(host))?;
        Ok(RawDetector_TO::from_value(Shield(Some(detector)), TD_Opaque))
    })
}

/// Makes the display `D` behind the boundary.
pub fn new_display<D: Display>(
    config: RStr<'_>,
    host: Host_Ref,
    name: &'static str,
) -> RResult<DisplayBox, PluginError> {
    guard(|| {
        logging::install(host, name);
        let display = D::new(parse(config)?, &host_info(host))?;
        Ok(RawDisplay_TO::from_value(Shield(Some(display)), TD_Opaque))
    })
}

/// What a display answers when it is asked to be a detector.
pub fn no_detector(
    _: RStr<'_>,
    _: Host_Ref,
    name: &'static str,
) -> RResult<DetectorBox, PluginError> {
    RResult::RErr(PluginError::failed(format!("{name} is not a detector")))
}

/// What a detector answers when it is asked to be a display.
pub fn no_display(
    _: RStr<'_>,
    _: Host_Ref,
    name: &'static str,
) -> RResult<DisplayBox, PluginError> {
    RResult::RErr(PluginError::failed(format!("{name} is not a display")))
}

impl<D: Detector> RawDetector for Shield<D> {
    fn detect(&mut self, frame: Frame<'_>, found: &mut Detections) -> RResult<(), PluginError> {
        guard(|| self.inner()?.detect(&frame, found))
    }

    fn reset(&mut self) -> RResult<(), PluginError> {
        guard(|| {
            self.inner()?.reset();
            Ok(())
        })
    }
}

impl<D: Display> RawDisplay for Shield<D> {
    fn show_frame(&mut self, frame: Frame<'_>, overlay: Overlay<'_>) -> RResult<Flow, PluginError> {
        guard(|| self.inner()?.show_frame(&frame, &overlay))
    }

    fn show_scores(
        &mut self,
        rows: RSlice<'_, ScoreRow>,
        progress: &Progress,
    ) -> RResult<Flow, PluginError> {
        guard(|| self.inner()?.show_scores(rows.as_slice(), progress))
    }

    fn idle(&mut self) -> RResult<Flow, PluginError> {
        guard(|| self.inner()?.idle())
    }

    fn finish(&mut self) -> RResult<(), PluginError> {
        guard(|| self.inner()?.finish())
    }
}
