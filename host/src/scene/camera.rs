//! What the camera makes of a ball: the outline of its image, and its truth.
//!
//! Perspective first, then distortion, then the rolling shutter. During an
//! exposure the image moves in a straight line without changing its form.

use std::f64::consts::{PI, TAU};

use super::{config::SceneConfig, degradation::Center};

/// A camera over a canvas.
#[derive(Debug, Clone)]
pub(crate) struct Camera {
    middle: [f64; 2],
    focal: f64,
    perspective: bool,
    k: [f64; 3],
    p: [f64; 2],
    center: Center,
    open: f64,
    /// Readout time per row, as a share of the frame interval.
    row_time: f64,
}

/// The image of a ball in one frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Image {
    pub(crate) outline: Outline,
    pub(crate) centroid: [f64; 2],
    pub(crate) projection: [f64; 2],
    /// Radius of the disc with the same area.
    pub(crate) radius: f64,
    /// How far the image moves during the exposure, in pixels.
    pub(crate) smear: [f64; 2],
}

/// The rim of a ball's image in the middle of the exposure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outline {
    /// A circle: centre and radius.
    Circle([f64; 2], f64),
    /// An ellipse through the lens and the rolling shutter.
    Curve(Ellipse, Shear),
}

/// centre + a cos t major + b sin t minor, where minor is major turned by 90 degrees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ellipse {
    center: [f64; 2],
    axes: [f64; 2],
    major: [f64; 2],
}

/// The rolling shutter: row y is exposed at the time `row_time` (y - middle),
/// when the image has moved by velocity times that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shear {
    velocity: [f64; 2],
    row_time: f64,
    middle: f64,
}

impl Shear {
    fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        // Solves y' = y + vy row_time (y' - middle).
        let slope = self.velocity[1] * self.row_time;
        let seen = (y - slope * self.middle) / (1.0 - slope);
        [x + self.velocity[0] * self.row_time * (seen - self.middle), seen]
    }

    fn apply_vector(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let seen = y / (1.0 - self.velocity[1] * self.row_time);
        [x + self.velocity[0] * self.row_time * seen, seen]
    }
}

/// Points at which area and centroid are integrated. The integrand is smooth
/// and periodic, so the sum converges faster than any power of the spacing.
const MOMENT_POINTS: usize = 256;

/// Step of the fourth-order difference for tangents, in radians. The error is
/// its fourth power over 30 times the fifth derivative: 5e-13 of the radius.
const TANGENT_STEP: f64 = 2e-3;
/// Steps per axis of the grid on which [`Camera::fold`] looks.
const FOLD_STEPS: u32 = 64;
/// Step of the central difference for the velocity of an image, in frames.
const VELOCITY_STEP: f64 = 1e-4;

impl Camera {
    pub(crate) fn new(config: &SceneConfig) -> Self {
        let (lens, shutter) = (&config.lens, &config.shutter);
        Self {
            middle: [config.width, config.height].map(|n| 0.5 * (f64::from(n) - 1.0)),
            focal: lens.focal,
            perspective: lens.perspective,
            k: [lens.k1, lens.k2, lens.k3],
            p: [lens.p1, lens.p2],
            center: lens.truth,
            open: shutter.open,
            row_time: shutter.readout / f64::from(config.height),
        }
    }

    /// The image of a ball at `position` with this radius and velocity.
    pub(crate) fn image(&self, position: [f64; 2], radius: f64, velocity: [f64; 2]) -> Image {
        if self.is_plain() {
            return Image {
                outline: Outline::Circle(position, radius),
                centroid: position,
                projection: position,
                radius,
                smear: velocity.map(|v| v * self.open),
            };
        }
        let motion = self.image_velocity(position, velocity);
        let shear = Shear { velocity: motion, row_time: self.row_time, middle: self.middle[1] };
        let ellipse = self.ellipse(position, radius);
        let outline = Outline::Curve(ellipse, shear);
        let (area, centroid) = self.moments(&outline);
        Image {
            outline,
            centroid,
            projection: shear.apply(self.distort(position)),
            radius: (area / PI).sqrt(),
            smear: shear.apply_vector(motion.map(|v| v * self.open)),
        }
    }

    /// The point of an image that counts as its centre.
    pub(crate) fn truth(&self, image: &Image) -> [f64; 2] {
        match self.center {
            Center::Centroid => image.centroid,
            Center::Projection => image.projection,
        }
    }

    /// The point of an outline at the parameter `t`.
    pub(crate) fn point(&self, outline: &Outline, t: f64) -> [f64; 2] {
        let (sin, cos) = libm::sincos(t);
        match outline {
            Outline::Circle([x, y], r) => [x + r * cos, y + r * sin],
            Outline::Curve(e, shear) => {
                let (a, b) = (e.axes[0] * cos, e.axes[1] * sin);
                let [ux, uy] = e.major;
                shear.apply(
                    self.distort([e.center[0] + a * ux - b * uy, e.center[1] + a * uy + b * ux]),
                )
            }
        }
    }

    /// The derivative of [`Camera::point`] by `t`.
    pub(crate) fn tangent(&self, outline: &Outline, t: f64) -> [f64; 2] {
        if let Outline::Circle(_, r) = outline {
            let (sin, cos) = libm::sincos(t);
            return [-r * sin, r * cos];
        }
        let at = |k: f64| self.point(outline, t + k * TANGENT_STEP);
        let (a, b, c, d) = (at(-2.0), at(-1.0), at(1.0), at(2.0));
        [0, 1].map(|i| (a[i] - 8.0 * b[i] + 8.0 * c[i] - d[i]) / (12.0 * TANGENT_STEP))
    }

    /// Largest speed |d point / dt| of [`Camera::point`], in pixels per radian:
    /// the radius of a circle, the long half-axis of an ellipse.
    pub(crate) fn longest(&self, outline: &Outline) -> f64 {
        if let Outline::Circle(_, r) = outline {
            return *r;
        }
        let speed = |k: u32| {
            let [x, y] = self.tangent(outline, TAU * f64::from(k) / 16.0);
            (x * x + y * y).sqrt()
        };
        (0..16).map(speed).fold(0.0, f64::max)
    }

    /// How far a ball's image reaches from its centre before distortion, at
    /// most, in pixels: a sphere's is the longest in the corner of the canvas.
    pub(crate) fn reach(&self, radius: f64) -> f64 {
        let corner = self.middle.map(|m| 2.0 * m + 0.5);
        let ellipse = self.ellipse(corner, radius);
        let [x, y] = [0, 1].map(|a| ellipse.center[a] - corner[a]);
        (x * x + y * y).sqrt() + ellipse.axes[0]
    }

    fn is_plain(&self) -> bool {
        !self.perspective && !self.distorts() && self.row_time == 0.0
    }

    fn distorts(&self) -> bool {
        self.k != [0.0; 3] || self.p != [0.0; 2]
    }

    fn distort(&self, point: [f64; 2]) -> [f64; 2] {
        if !self.distorts() {
            return point;
        }
        let [x, y] = [0, 1].map(|a| (point[a] - self.middle[a]) / self.focal);
        let ([k1, k2, k3], [p1, p2]) = (self.k, self.p);
        let q = x * x + y * y;
        let radial = 1.0 + q * (k1 + q * (k2 + q * k3));
        [
            self.middle[0] + self.focal * (x * radial + 2.0 * p1 * x * y + p2 * (q + 2.0 * x * x)),
            self.middle[1] + self.focal * (y * radial + p1 * (q + 2.0 * y * y) + 2.0 * p2 * x * y),
        ]
    }

    /// A point up to `reach` pixels outside of the canvas at which the lens
    /// folds the picture over: where the derivative of the distortion does not
    /// keep the orientation, two places are drawn at one.
    pub(crate) fn fold(&self, reach: f64) -> Option<[f64; 2]> {
        if !self.distorts() {
            return None;
        }
        let half = self.middle.map(|m| m + 0.5 + reach);
        let steps = f64::from(FOLD_STEPS);
        let grid = (0..=FOLD_STEPS).flat_map(|j| (0..=FOLD_STEPS).map(move |i| [i, j]));
        grid.map(|at| [0, 1].map(|a| half[a] * (2.0 * f64::from(at[a]) / steps - 1.0)))
            .find(|offset| !self.keeps_orientation(offset.map(|v| v / self.focal)))
            .map(|offset| [0, 1].map(|a| self.middle[a] + offset[a]))
    }

    fn keeps_orientation(&self, [x, y]: [f64; 2]) -> bool {
        let ([k1, k2, k3], [p1, p2]) = (self.k, self.p);
        let q = x * x + y * y;
        let radial = 1.0 + q * (k1 + q * (k2 + q * k3));
        let slope = 2.0 * (k1 + q * (2.0 * k2 + q * 3.0 * k3));
        let xx = radial + slope * x * x + 2.0 * p1 * y + 6.0 * p2 * x;
        let yy = radial + slope * y * y + 6.0 * p1 * y + 2.0 * p2 * x;
        let xy = slope * x * y + 2.0 * p1 * x + 2.0 * p2 * y;
        xx > 0.0 && xx * yy - xy * xy > 0.0
    }

    fn image_velocity(&self, position: [f64; 2], velocity: [f64; 2]) -> [f64; 2] {
        if !self.distorts() {
            return velocity;
        }
        let at = |s: f64| self.distort([0, 1].map(|a| position[a] + s * velocity[a]));
        let (before, after) = (at(-VELOCITY_STEP), at(VELOCITY_STEP));
        [0, 1].map(|a| (after[a] - before[a]) / (2.0 * VELOCITY_STEP))
    }

    /// The image of a sphere: the cut of its tangent cone with the image plane.
    ///
    /// The sphere's centre is seen at `position`, and on the optical axis its
    /// image would have `radius`. With the angle f between the axis and the
    /// cone, and the cone's half-angle g, the ellipse points away from the
    /// middle and reaches from tan(f - g) to tan(f + g); its semi-axes are
    /// sin g cos g / (cos^2 f - sin^2 g) and sin g / sqrt(cos^2 f - sin^2 g).
    fn ellipse(&self, position: [f64; 2], radius: f64) -> Ellipse {
        let [x, y] = [0, 1].map(|a| (position[a] - self.middle[a]) / self.focal);
        let off = (x * x + y * y).sqrt();
        if !self.perspective || off < 1e-12 {
            return Ellipse { center: position, axes: [radius; 2], major: [1.0, 0.0] };
        }
        // Sphere of radius s whose centre has the depth 1.
        let tan = radius / self.focal;
        let s2 = tan * tan / (1.0 + tan * tan);
        let distance2 = 1.0 + off * off;
        let (sin2, cos2) = (s2 / distance2, 1.0 - s2 / distance2);
        let spread = 1.0 / distance2 - sin2;
        let tan_g = (sin2 / cos2).sqrt();
        let (near, far) =
            ((off - tan_g) / (1.0 + off * tan_g), (off + tan_g) / (1.0 - off * tan_g));
        let center = 0.5 * (near + far) * self.focal / off;
        Ellipse {
            center: [self.middle[0] + center * x, self.middle[1] + center * y],
            axes: [self.focal * (sin2 * cos2).sqrt() / spread, self.focal * (sin2 / spread).sqrt()],
            major: [x / off, y / off],
        }
    }

    /// Area and centroid, by Green's theorem.
    fn moments(&self, outline: &Outline) -> (f64, [f64; 2]) {
        let origin = self.point(outline, 0.0);
        let (mut area, mut mx, mut my) = (0.0, 0.0, 0.0);
        for k in 0..MOMENT_POINTS {
            let t = TAU * k as f64 / MOMENT_POINTS as f64;
            let [x, y] = self.point(outline, t);
            let [dx, dy] = self.tangent(outline, t);
            let (x, y) = (x - origin[0], y - origin[1]);
            area += 0.5 * (x * dy - y * dx);
            mx += 0.5 * x * x * dy;
            my -= 0.5 * y * y * dx;
        }
        let step = TAU / MOMENT_POINTS as f64;
        (area * step, [origin[0] + mx / area, origin[1] + my / area])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::degradation::{Lens, Shutter};

    fn camera(lens: Lens, shutter: Shutter) -> Camera {
        Camera::new(&SceneConfig { lens, shutter, ..SceneConfig::default() })
    }

    /// Independent of the ellipse: is the ray through an image point within
    /// the sphere's tangent cone?
    #[test]
    fn the_rim_of_a_sphere_is_where_rays_touch_it() {
        let lens = Lens { focal: 500.0, perspective: true, ..Lens::default() };
        let camera = camera(lens, Shutter::default());
        let (position, radius) = ([560.0, 90.0], 45.0);
        let image = camera.image(position, radius, [0.0; 2]);
        // Depth 1: on the axis, a sphere of radius s is seen at tan(asin(s)).
        let s = libm::sin(libm::atan(radius / 500.0));
        let center = [(position[0] - 319.5) / 500.0, (position[1] - 239.5) / 500.0, 1.0];
        for k in 0..32 {
            let [x, y] = camera.point(&image.outline, f64::from(k) * 0.2);
            let ray = [(x - 319.5) / 500.0, (y - 239.5) / 500.0, 1.0];
            let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
            let along = dot(center, ray);
            let distance2 = dot(center, center) - along * along / dot(ray, ray);
            assert!((distance2.sqrt() - s).abs() < 1e-12, "{}", distance2.sqrt() - s);
        }
        assert!(image.centroid != image.projection);
    }

    /// The figure of the literature: focal length 1000, 20 degrees off axis,
    /// angular radius 0.06: 1.5 px between the two centres.
    #[test]
    fn the_two_centres_differ_by_what_is_known() {
        let mut camera = camera(
            Lens { focal: 1000.0, perspective: true, ..Lens::default() },
            Shutter::default(),
        );
        camera.middle = [0.0, 0.0];
        let off = 1000.0 * (20.0f64.to_radians()).tan();
        // At that place the angular radius of a sphere of constant depth is
        // smaller by the cosine.
        let radius = 1000.0 * (0.06f64.sin() / 20.0f64.to_radians().cos()).asin().tan();
        let image = camera.image([off, 0.0], radius, [0.0; 2]);
        let shift = image.centroid[0] - image.projection[0];
        assert!((shift - 1.5).abs() < 0.05, "{shift}");
    }

    /// Reference: `cv2.projectPoints` of `OpenCV` 5.0 with the same coefficients.
    #[test]
    fn the_distortion_is_that_of_opencv() {
        let (focal, k1, k2, k3) = (420.0, -0.18, 0.03, -0.004);
        let lens = Lens { focal, k1, k2, k3, p1: 0.002, p2: -0.001, ..Lens::default() };
        let camera = camera(lens, Shutter::default());
        for (from, to) in [
            ([40.0, 30.0], [71.05156454205607, 54.07353465632096]),
            ([319.5, 239.5], [319.5, 239.5]),
            ([600.0, 100.0], [573.3402446791383, 113.60972145827417]),
            ([500.0, 450.0], [486.8307110753901, 435.2215550313315]),
            ([10.0, 470.0], [49.66876944340265, 440.9017774016016]),
        ] {
            let [x, y] = camera.distort(from);
            assert!((x - to[0]).abs() < 1e-9 && (y - to[1]).abs() < 1e-9, "{from:?}: {x} {y}");
        }
    }

    #[test]
    fn a_fold_is_where_the_distortion_turns_back() {
        let lens = |k1| Lens { focal: 420.0, k1, ..Lens::default() };
        // r (1 + k1 r^2) turns back at r = 1 / sqrt(-3 k1): 0.91 for k1 = -0.4,
        // and the corner of the canvas is at 0.95.
        assert_eq!(camera(lens(-0.3), Shutter::default()).fold(0.0), None);
        let [x, y] = camera(lens(-0.4), Shutter::default()).fold(0.0).unwrap();
        assert!(((x - 319.5).hypot(y - 239.5) / 420.0) > 0.9);
        assert!(camera(lens(-0.3), Shutter::default()).fold(100.0).is_some());
        assert_eq!(camera(lens(0.9), Shutter::default()).fold(100.0), None);
    }

    #[test]
    fn a_rolling_shutter_shows_each_row_where_the_ball_was_then() {
        let camera = camera(Lens::default(), Shutter { open: 0.0, readout: 0.8 });
        let (position, radius, velocity) = ([300.0, 100.0], 30.0, [15.0, -20.0]);
        let image = camera.image(position, radius, velocity);
        for k in 0..16 {
            let [x, y] = camera.point(&image.outline, f64::from(k) * 0.4);
            let time = 0.8 * (y - 239.5) / 480.0;
            let (dx, dy) =
                (x - position[0] - velocity[0] * time, y - position[1] - velocity[1] * time);
            assert!((dx.hypot(dy) - radius).abs() < 1e-9);
        }
        // The centroid of an affine image is the image of the centroid.
        for a in [0, 1] {
            assert!((image.centroid[a] - image.projection[a]).abs() < 1e-9);
        }
    }

    #[test]
    fn area_and_centroid_are_those_of_a_fine_polygon() {
        let lens = Lens {
            focal: 420.0,
            perspective: true,
            k1: -0.2,
            k2: 0.05,
            p1: 0.003,
            p2: -0.002,
            ..Lens::default()
        };
        let camera = camera(lens, Shutter { open: 0.5, readout: 0.7 });
        let image = camera.image([560.0, 400.0], 50.0, [9.0, 6.0]);
        let n = 100_000;
        let points: Vec<[f64; 2]> = (0..n)
            .map(|k| camera.point(&image.outline, TAU * f64::from(k) / f64::from(n)))
            .collect();
        let (mut area, mut mx, mut my) = (0.0, 0.0, 0.0);
        for (k, [x0, y0]) in points.iter().enumerate() {
            let [x1, y1] = points[(k + 1) % points.len()];
            let cross = x0 * y1 - x1 * y0;
            area += 0.5 * cross;
            mx += (x0 + x1) * cross / 6.0;
            my += (y0 + y1) * cross / 6.0;
        }
        assert!((image.radius - (area / PI).sqrt()).abs() < 1e-6);
        assert!((image.centroid[0] - mx / area).abs() < 1e-6);
        assert!((image.centroid[1] - my / area).abs() < 1e-6);
    }
}
