//! Once warm, the detector takes no memory.

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};
use support::{Ball, Disc, Random, texture};

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: all calls go to the system's allocator; a number is counted up beside.
#[allow(unsafe_code, reason = "an allocator that counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        TAKEN.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_warm_detector_takes_no_memory() {
    let (w, h) = (320, 240);
    let mut random = Random(8);
    let pictures: Vec<_> = ["flat", "cloud", "polygons"]
        .iter()
        .map(|name| {
            let mut canvas = texture(name, w, h, 20.0, &mut random);
            canvas.disc(Disc { x: 150.4, y: 120.7, r: 31.3, blur: 0.5 }, |_, _| 240.0);
            let light = [70.0, -90.0, 60.0];
            canvas.ball(&Ball { x: 260.7, y: 60.2, r: 27.9, ambient: 30.0, light });
            // Many, so that pieces of rims and neighbours are looked for.
            if name == &"cloud" {
                for i in 0..18 {
                    let (x, y) = (f64::from(i % 6), f64::from(i / 6));
                    let (x, y) = (60.3 + 27.0 * x + 13.5 * (y % 2.0), 170.2 + 23.4 * y);
                    canvas.disc(Disc { x, y, r: 13.5, blur: 0.5 }, |_, _| 240.0);
                }
            }
            canvas.bytes(3.0, &mut random)
        })
        .collect();
    for tracking in [false, true] {
        let config = Config { tracking, ..Config::default() };
        let mut detector = HoughRust::with_config(config).unwrap();
        let mut found = Detections::new();
        let mut run = || {
            for data in &pictures {
                let frame = Frame::packed(data, w as u32, h as u32, PixelFormat::GRAY8).unwrap();
                found.clear();
                detector.detect(&frame, &mut found).unwrap();
                assert!(!found.is_empty());
            }
        };
        run();
        run();
        let before = TAKEN.with(Cell::get);
        run();
        assert_eq!(TAKEN.with(Cell::get) - before, 0, "allocations, tracking {tracking}");
    }
}
