//! What a plugin for interface 1.99 looks like to this host: the version in its
//! header is newer, and its module has a field more.
#![allow(
    non_camel_case_types,
    unsafe_code,
    missing_docs,
    non_local_definitions,
    non_upper_case_globals,
    clippy::expl_impl_clone_on_copy,
    reason = "what the macros of abi_stable expand to"
)]

use abi_stable::{
    StableAbi,
    library::{
        __call_root_module_loader, CheckTypeLayout, LibHeader, RootModule, RootModuleResult,
    },
    prefix_type::PrefixTypeTrait,
    sabi_types::VersionStrings,
    std_types::RStr,
};

#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModule_Ref)))]
pub struct PluginModule {
    pub api_version: RStr<'static>,
    #[sabi(last_prefix_field)]
    pub name: RStr<'static>,
}

impl RootModule for PluginModule_Ref {
    abi_stable::declare_root_module_statics! {PluginModule_Ref}
    const BASE_NAME: &'static str = "plumbline_plugin";
    const NAME: &'static str = "plumbline_plugin";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.99.0");
}

fn root_module() -> PluginModule_Ref {
    PluginModule { api_version: RStr::from_str("1.99.0"), name: RStr::from_str("from-the-future") }
        .leak_into_prefix()
}

extern "C" fn erased_module() -> RootModuleResult {
    __call_root_module_loader(root_module)
}

#[unsafe(no_mangle)]
pub static _1as_0lib_1header_0root_bmodule_bloader: LibHeader =
    // SAFETY: `erased_module` returns a `PluginModule_Ref`, the type given here.
    unsafe {
        LibHeader::from_constructor::<PluginModule_Ref>(erased_module, CheckTypeLayout::Yes)
    };
