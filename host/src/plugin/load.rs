//! Opening a library: symbols, interface version, layout, descriptor.
#![allow(unsafe_code, reason = "opening a dynamic library runs its initialisers")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use abi_stable::library::{AbiHeader, LibraryError, lib_header_from_path};
use plumbline_plugin_api::{
    API_VERSION, PluginError,
    abi::{DetectorBox, PluginModule_Ref},
};
use serde_json::{Map, Value};

use super::{
    Descriptor, Detector, Display, FindError, Kind, LoadError, PluginFault, Role,
    descriptor::well_formed_name, elf, load_error, remote::Pool,
};

/// A loaded plugin, which makes instances. Stays loaded until the program ends.
#[derive(Clone)]
pub struct Plugin {
    module: PluginModule_Ref,
    descriptor: Arc<Descriptor>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({} from {})", self.descriptor.name, self.descriptor.path.display())
    }
}

impl Plugin {
    /// Loads the library at `path` into this process.
    ///
    /// # Errors
    ///
    /// [`LoadError`], a sentence with the path, the cause and the next step.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let unreadable = |reason| LoadError::Unreadable { path: path.to_owned(), reason };
        // Without a slash the dynamic linker would look in its own search path.
        let path = std::path::absolute(path).map_err(unreadable)?;
        elf::check(&path)
            .map_err(unreadable)?
            .map_err(|reason| LoadError::NotALibrary { path: path.clone(), reason })?;
        bind_all_symbols(&path)?;
        let module = root_module(&path)?;
        let descriptor = describe(module, path)?;
        Ok(Self { module, descriptor: Arc::new(descriptor) })
    }

    /// What the plugin says about itself.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Makes a detector. `table` is its `[plugin.<name>]`, laid over its defaults.
    ///
    /// # Errors
    ///
    /// When the plugin is no detector, or refuses its configuration.
    pub fn detector(
        &self,
        table: Option<&Map<String, Value>>,
        role: Role,
    ) -> Result<Detector, PluginFault> {
        let plugin = self.clone();
        let config = Value::Object(self.descriptor.config(table)).to_string();
        Detector::start(&self.descriptor.name, move || plugin.instance(&config, role))
    }

    /// Makes a detector in a process of its own, one of `pool`.
    ///
    /// # Errors
    ///
    /// As of [`Self::detector`], and when there is no process.
    pub fn remote_detector(
        &self,
        table: Option<&Map<String, Value>>,
        pool: &Pool,
    ) -> Result<Detector, PluginFault> {
        let (pool, config) = (pool.clone(), self.descriptor.config(table));
        let config = Value::Object(config).to_string();
        Detector::start_remote(&self.descriptor.name, move || pool.instance(&config))
    }

    /// Makes an instance with this configuration, in JSON.
    pub(super) fn instance(&self, config: &str, role: Role) -> Result<DetectorBox, PluginError> {
        self.module.new_detector()(config.into(), role.host()).into_result()
    }

    /// Makes a display. `table` is its `[plugin.<name>]`, laid over its defaults.
    ///
    /// # Errors
    ///
    /// When the plugin is no display, or cannot show anything here.
    pub fn display(
        &self,
        table: Option<&Map<String, Value>>,
        role: Role,
    ) -> Result<Display, PluginFault> {
        let config = Value::Object(self.descriptor.config(table)).to_string();
        let made = self.module.new_display()(config.as_str().into(), role.host()).into_result();
        Display::new(&self.descriptor.name, made)
    }

    /// The plugin itself if it is of the `wanted` kind.
    ///
    /// # Errors
    ///
    /// [`FindError::WrongKind`].
    pub fn expect_kind(self, wanted: Kind) -> Result<Self, FindError> {
        let Descriptor { name, kind, .. } = self.descriptor();
        if *kind == wanted {
            return Ok(self);
        }
        Err(FindError::WrongKind { name: name.clone(), kind: *kind, wanted })
    }
}

/// Binds every symbol now: a missing one would otherwise end the process when
/// it is first called, in the middle of a session.
fn bind_all_symbols(path: &Path) -> Result<(), LoadError> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: the initialisers of the library run, which is what loading a
    // plugin means; finding plugins by name does it in a child process.
    match unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) } {
        Ok(library) => {
            // Never unloaded: threads and thread-locals of the library may outlive any use of it.
            std::mem::forget(library);
            Ok(())
        }
        Err(libloading::Error::DlOpen { source }) => {
            Err(load_error::from_linker(path.to_owned(), &source.to_string()))
        }
        Err(other) => Err(LoadError::Linker { path: path.to_owned(), message: other.to_string() }),
    }
}

/// The plugin's root module, its version and layout checked.
///
/// Not `RootModule::load_from_file`: that keeps one module per type and would
/// return the first library again for every later one.
fn root_module(path: &Path) -> Result<PluginModule_Ref, LoadError> {
    let header = lib_header_from_path(path).map_err(|e| explain(path, e))?;
    let found = header.version_strings().version.as_str();
    if !load_error::compatible(found, API_VERSION) {
        return Err(LoadError::InterfaceVersion {
            path: path.to_owned(),
            found: found.to_owned(),
            ours: API_VERSION,
        });
    }
    header.init_root_module::<PluginModule_Ref>().map_err(|error| match explain(path, error) {
        LoadError::Layout { path, mismatch, .. } => {
            LoadError::Layout { path, version: found.to_owned(), mismatch }
        }
        other => other,
    })
}

fn explain(path: &Path, error: LibraryError) -> LoadError {
    let path = path.to_owned();
    match error {
        LibraryError::GetSymbolError { .. } => LoadError::NoPlugin { path },
        LibraryError::OpenError { err, .. } => load_error::from_linker(path, &err.to_string()),
        LibraryError::InvalidAbiHeader(found) => {
            let version = |h: &AbiHeader| format!("{}.{}", h.abi_major, h.abi_minor);
            LoadError::AbiStable { path, found: version(&found), ours: version(&AbiHeader::VALUE) }
        }
        LibraryError::AbiInstability(difference) => {
            let difference = difference.to_string();
            tracing::debug!(path = %path.display(), "layout of the plugin interface: {difference}");
            let mismatch = load_error::essence(&difference);
            LoadError::Layout { path, version: String::new(), mismatch }
        }
        other => LoadError::Start { path, message: load_error::essence(&other.to_string()) },
    }
}

fn describe(module: PluginModule_Ref, path: PathBuf) -> Result<Descriptor, LoadError> {
    let broken = |problem: String| LoadError::Descriptor { path: path.clone(), problem };
    let name = module.name().as_str();
    if !well_formed_name(name) {
        return Err(broken(format!(
            "it calls itself {name:?}, but a plugin's name is lower-case words joined by hyphens"
        )));
    }
    let api_version = module.api_version().as_str();
    if !load_error::compatible(api_version, API_VERSION) {
        return Err(LoadError::InterfaceVersion {
            path: path.clone(),
            found: api_version.to_owned(),
            ours: API_VERSION,
        });
    }
    let kind = Kind::of(module.kind()).ok_or_else(|| {
        broken("it is of a kind that this host does not know; update the host".into())
    })?;
    let schema: Value = serde_json::from_str(&module.config_schema()())
        .map_err(|e| broken(format!("the schema of its configuration is no JSON: {e}")))?;
    let default_config: Map<String, Value> = serde_json::from_str(&module.default_config()())
        .map_err(|e| broken(format!("its default configuration is no JSON object: {e}")))?;
    Ok(Descriptor {
        name: name.to_owned(),
        kind,
        version: module.version().as_str().to_owned(),
        api_version: api_version.to_owned(),
        description: module.description().as_str().to_owned(),
        schema,
        default_config,
        path,
    })
}
