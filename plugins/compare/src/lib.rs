//! The detectors that hough-rust is measured against, behind one trait.

use opencv::{
    core::{Mat, Ptr, Size, Vec3f, Vector},
    imgproc,
    prelude::*,
    ximgproc,
};
use plumbline_hough_rust::{Config, HoughRust};
use plumbline_plugin_api::{Detections, Detector, Frame, PixelFormat};

/// The best disc that a detector saw, pixel centres at integers.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Centre, pixels.
    pub x: f64,
    /// Centre, pixels.
    pub y: f64,
    /// Radius, pixels.
    pub radius: f64,
}

/// A detector on grey pictures.
pub trait Competitor {
    /// For the table.
    fn name(&self) -> &'static str;
    /// The best disc in a tightly packed picture.
    fn detect(&mut self, data: &[u8], width: usize, height: usize) -> Option<Answer>;
}

/// hough-rust.
pub struct Ours {
    name: &'static str,
    detector: HoughRust,
    found: Detections,
}

impl Ours {
    /// With default settings: no radius is given.
    #[allow(clippy::new_without_default, reason = "alike for all competitors")]
    pub fn new() -> Self {
        Self::with("hough-rust", Config::default())
    }

    /// Told the radius as OpenCV is.
    pub fn told((from, to): (i32, i32)) -> Self {
        let radii = Config { min_radius: from.into(), max_radius: to.into(), ..Config::default() };
        Self::with("hough-rust, told radius", radii)
    }

    fn with(name: &'static str, config: Config) -> Self {
        let detector = HoughRust::with_config(config).expect("these settings are valid");
        Self { name, detector, found: Detections::new() }
    }
}

impl Competitor for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    fn detect(&mut self, data: &[u8], width: usize, height: usize) -> Option<Answer> {
        let frame = Frame::packed(data, width as u32, height as u32, PixelFormat::GRAY8).ok()?;
        self.found.clear();
        self.detector.detect(&frame, &mut self.found).ok()?;
        self.found.first().map(|d| Answer { x: d.x, y: d.y, radius: d.radius })
    }
}

/// OpenCV's `HOUGH_GRADIENT` after a 5 x 5 Gaussian blur, told the radius
/// within a factor of 2.
pub struct Gradient {
    radii: (i32, i32),
    blurred: Mat,
}

impl Gradient {
    /// For radii between these.
    pub fn new(radii: (i32, i32)) -> Self {
        Self { radii, blurred: Mat::default() }
    }
}

fn mat(data: &[u8], height: usize) -> Option<opencv::boxed_ref::BoxedRef<'_, Mat>> {
    Mat::new_rows_cols_with_data(height as i32, (data.len() / height) as i32, data).ok()
}

impl Competitor for Gradient {
    fn name(&self) -> &'static str {
        "OpenCV GRADIENT"
    }

    fn detect(&mut self, data: &[u8], _width: usize, height: usize) -> Option<Answer> {
        let image = mat(data, height)?;
        imgproc::gaussian_blur_def(&image, &mut self.blurred, Size::new(5, 5), 1.2).ok()?;
        let mut circles = Vector::<Vec3f>::new();
        imgproc::hough_circles(
            &self.blurred,
            &mut circles,
            imgproc::HOUGH_GRADIENT,
            1.0,
            height as f64 / 4.0,
            100.0,
            40.0,
            self.radii.0,
            self.radii.1,
        )
        .ok()?;
        let c = circles.iter().next()?;
        Some(Answer { x: f64::from(c[0]), y: f64::from(c[1]), radius: f64::from(c[2]) })
    }
}

/// OpenCV's `EdgeDrawing` with its circle detection.
pub struct EdCircles {
    detector: Ptr<ximgproc::EdgeDrawing>,
    blurred: Mat,
}

impl EdCircles {
    /// With OpenCV's default parameters.
    ///
    /// # Errors
    ///
    /// When OpenCV cannot make one.
    pub fn new() -> opencv::Result<Self> {
        Ok(Self { detector: ximgproc::create_edge_drawing()?, blurred: Mat::default() })
    }
}

impl Competitor for EdCircles {
    fn name(&self) -> &'static str {
        "OpenCV EDCircles"
    }

    fn detect(&mut self, data: &[u8], _width: usize, height: usize) -> Option<Answer> {
        let image = mat(data, height)?;
        image.copy_to(&mut self.blurred).ok()?;
        self.detector.detect_edges(&self.blurred).ok()?;
        // A row of six numbers each: centre, radius of a circle or 0, axes, angle.
        let mut found = Mat::default();
        self.detector.detect_ellipses(&mut found).ok()?;
        let bytes = found.data_bytes().ok()?;
        let number = |b: &[u8]| f64::from_ne_bytes(b.try_into().expect("chunks of eight"));
        let rows = bytes.chunks_exact(48).map(|row| {
            let v: Vec<f64> = row.chunks_exact(8).map(number).collect();
            [v[0], v[1], v[2], v[3], v[4]]
        });
        let radius = |e: &[f64; 5]| if e[2] > 0.0 { e[2] } else { f64::midpoint(e[3], e[4]) };
        let best = rows.max_by(|a, b| radius(a).total_cmp(&radius(b)))?;
        Some(Answer { x: best[0], y: best[1], radius: radius(&best) })
    }
}

/// The crate radsym: fast radial symmetry and a circle fit, at six radii.
pub struct Radsym(radsym::DetectCirclesConfig);

impl Radsym {
    /// For radii between these.
    pub fn new((from, to): (i32, i32)) -> Self {
        let radii = (0..6).map(|k| (from + (to - from) * k / 5) as u32);
        let hint = i32::midpoint(from, to) as f32;
        Self(
            radsym::DetectCirclesConfig::for_radii(radii)
                .polarity(radsym::Polarity::Bright)
                .radius_hint(hint),
        )
    }
}

impl Competitor for Radsym {
    fn name(&self) -> &'static str {
        "radsym"
    }

    fn detect(&mut self, data: &[u8], width: usize, height: usize) -> Option<Answer> {
        let image = radsym::ImageView::from_slice(data, width, height).ok()?;
        let found = radsym::detect_circles(&image, &self.0).ok()?;
        let c = found.first()?.hypothesis;
        Some(Answer {
            x: f64::from(c.center.x),
            y: f64::from(c.center.y),
            radius: f64::from(c.radius),
        })
    }
}
