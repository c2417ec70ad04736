//! Keeps the failures of Xlib from ending the process.
//!
//! By default Xlib calls `exit` when the X server goes away or refuses a
//! request, and would take the host along.

#![allow(unsafe_code, reason = "handlers that Xlib calls")]

use std::{
    ffi::{c_int, c_uchar, c_ulong, c_void},
    ptr::null_mut,
    sync::atomic::{AtomicBool, Ordering},
};

use libloading::os::unix::Library;
use minifb::Window;
use plumbline_plugin_api::PluginError;
use raw_window_handle::{HasDisplayHandle, RawDisplayHandle};

/// The connection to the X server is broken.
static LOST: AtomicBool = AtomicBool::new(false);
/// The window does not exist any more, though we did not close it.
static GONE: AtomicBool = AtomicBool::new(false);
/// A refused request was reported; a second one says nothing new.
static REPORTED: AtomicBool = AtomicBool::new(false);

/// `XErrorEvent` of Xlib.h.
#[repr(C)]
struct ErrorEvent {
    kind: c_int,
    display: *mut c_void,
    resource: c_ulong,
    serial: c_ulong,
    error_code: c_uchar,
    request_code: c_uchar,
    minor_code: c_uchar,
}

/// A request was refused (`XErrorEvent`), or the connection broke.
type Handler = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
type SetHandler = unsafe extern "C" fn(Option<Handler>) -> *mut c_void;
type ExitHandler = unsafe extern "C" fn(*mut c_void, *mut c_void);
type SetExitHandler = unsafe extern "C" fn(*mut c_void, ExitHandler, *mut c_void);

unsafe extern "C" fn refused(_display: *mut c_void, event: *mut c_void) -> c_int {
    const BAD_WINDOW: c_uchar = 3;
    const BAD_DRAWABLE: c_uchar = 9;
    // SAFETY: Xlib hands an `XErrorEvent` to this handler, valid for the call.
    let ErrorEvent { error_code, request_code, .. } = unsafe { &*event.cast::<ErrorEvent>() };
    if matches!(*error_code, BAD_WINDOW | BAD_DRAWABLE) {
        GONE.store(true, Ordering::Relaxed);
    } else if !REPORTED.swap(true, Ordering::Relaxed) {
        log::warn!("the X server refused request {request_code}: error {error_code}");
    }
    0
}

unsafe extern "C" fn broken(_display: *mut c_void, _: *mut c_void) -> c_int {
    LOST.store(true, Ordering::Relaxed);
    0
}

unsafe extern "C" fn go_on(_display: *mut c_void, _: *mut c_void) {}

/// Makes failures of the connection of `window` survivable, as far as the
/// libX11 at hand can do that (1.7.0 and later).
pub(crate) fn survive(window: &Window) {
    for flag in [&LOST, &GONE, &REPORTED] {
        flag.store(false, Ordering::Relaxed);
    }
    let Ok(handle) = window.display_handle() else { return };
    let RawDisplayHandle::Xlib(handle) = handle.as_raw() else { return };
    let Some(display) = handle.display else { return };
    // SAFETY: the window has loaded libX11 already, so nothing is initialised
    // twice; the types are those of Xlib.h, where the handlers that are given
    // one argument ignore the second of ours; `display` is open as long as
    // `window`; and the handlers are never unloaded, since plugins are not.
    unsafe {
        let Ok(library) = Library::new("libX11.so.6") else { return };
        if let Ok(set) = library.get::<SetHandler>(b"XSetErrorHandler\0") {
            set(Some(refused));
        }
        if let Ok(set) = library.get::<SetExitHandler>(b"XSetIOErrorExitHandler\0") {
            set(display.as_ptr(), go_on, null_mut());
            if let Ok(set) = library.get::<SetHandler>(b"XSetIOErrorHandler\0") {
                set(Some(broken));
            }
        }
    }
}

/// An error once the connection is broken.
pub(crate) fn check() -> Result<(), PluginError> {
    if LOST.load(Ordering::Relaxed) {
        Err(PluginError::failed("the X server closed the connection of the window"))
    } else {
        Ok(())
    }
}

/// Whether someone else closed the window, as `xkill` and some window managers do.
pub(crate) fn gone() -> bool {
    GONE.load(Ordering::Relaxed)
}
