//! Display that shows nothing and costs nothing.
//!
//! For runs without a screen. It takes no settings, and its calls return at
//! once, so that what is measured is the session and not the display.

use plumbline_plugin_api::prelude::*;

/// Ignores frames and scores.
struct Null;

impl Display for Null {
    type Config = NoConfig;

    fn new(_config: NoConfig, _host: &HostInfo) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

plumbline_plugin_api::export_plugin! {
    display: Null,
    name: "display-null",
    description: "Shows nothing",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_lets_the_session_go_on() {
        let host = HostInfo { version: "0", role: "tool" };
        let mut display = Null::new(NoConfig {}, &host).unwrap();
        let frame = Frame::packed(&[0; 3], 1, 1, PixelFormat::BGR8).unwrap();
        assert_eq!(display.show_frame(&frame, &Overlay::new(&[])).unwrap(), Flow::CONTINUE);
        assert_eq!(display.show_scores(&[], &Progress::default()).unwrap(), Flow::CONTINUE);
        assert_eq!(display.idle().unwrap(), Flow::CONTINUE);
        display.finish().unwrap();
    }
}
