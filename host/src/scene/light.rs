//! Illumination of the picture and brightness across a ball.

use super::degradation::{Shading, Surface};

/// The field S(p) times the gain, constant within a pixel.
#[derive(Debug, Clone)]
pub(crate) struct Light {
    gain: f32,
    /// u(p) = `across` . (p - middle)
    across: [f32; 2],
    middle: [f32; 2],
    radial: f32,
}

impl Light {
    /// `None` when every pixel keeps its light.
    pub(crate) fn new(shading: &Shading, gain: f64, [width, height]: [u32; 2]) -> Option<Self> {
        if shading.linear == 0.0 && shading.radial == 0.0 && gain == 1.0 {
            return None;
        }
        let half = [width, height].map(|n| 0.5 * (f64::from(n) - 1.0));
        let (sin, cos) = libm::sincos(shading.angle.to_radians());
        let reach = half[0] * cos.abs() + half[1] * sin.abs();
        let corner = half[0] * half[0] + half[1] * half[1];
        Some(Self {
            gain: gain as f32,
            across: [cos, sin].map(|n| (shading.linear * n / reach) as f32),
            middle: half.map(|v| v as f32),
            radial: (shading.radial / corner) as f32,
        })
    }

    /// Lights the columns from `x0` on of row `y`.
    pub(crate) fn row(&self, values: &mut [f32], channels: usize, x0: i32, y: i32) {
        let dy = y as f32 - self.middle[1];
        let (base, square) = (1.0 + self.across[1] * dy, dy * dy);
        for (pixel, x) in values.chunks_exact_mut(channels).zip(x0..) {
            let dx = x as f32 - self.middle[0];
            let s = (base + self.across[0] * dx) * (1.0 - self.radial * (dx * dx + square));
            let factor = self.gain * s;
            for v in pixel {
                *v *= factor;
            }
        }
    }
}

/// The brightness across a ball.
#[derive(Debug, Clone)]
pub(crate) struct Gloss {
    linear: [f32; 2],
    limb: f32,
    highlight: f32,
    /// 1 / (2 s^2)
    sharpness: f32,
}

/// Where the highlight sits, in radii.
const HIGHLIGHT: [f32; 2] = [-0.318_198, -0.318_198];

impl Gloss {
    /// `None` when a ball has one colour.
    pub(crate) fn new(surface: &Surface) -> Option<Self> {
        if surface.linear == 0.0 && surface.limb == 0.0 && surface.highlight == 0.0 {
            return None;
        }
        let (sin, cos) = libm::sincos(surface.angle.to_radians());
        Some(Self {
            linear: [cos, sin].map(|n| (surface.linear * n) as f32),
            limb: surface.limb as f32,
            highlight: surface.highlight as f32,
            sharpness: (0.5 / (surface.highlight_size * surface.highlight_size)) as f32,
        })
    }

    /// Factor on the ball's colour and addition to it at the offset (`dx`,
    /// `dy`) from its centre, in radii.
    pub(crate) fn at(&self, dx: f32, dy: f32) -> (f32, f32) {
        let shade = 1.0 + self.linear[0] * dx + self.linear[1] * dy;
        let limb = (1.0 - self.limb * (dx * dx + dy * dy)).max(0.0);
        let (hx, hy) = (dx - HIGHLIGHT[0], dy - HIGHLIGHT[1]);
        let fall = (hx * hx + hy * hy) * self.sharpness;
        let shine = match self.highlight {
            h if h > 0.0 && fall < 16.0 => h * libm::expf(-fall),
            _ => 0.0,
        };
        (shade * limb, shine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_the_formula() {
        let shading = Shading { linear: 0.3, angle: 0.0, radial: 0.5 };
        let light = Light::new(&shading, 2.0, [101, 81]).unwrap();
        let at = |x: i32, y: i32| {
            let mut v = [100.0];
            light.row(&mut v, 1, x, y);
            v[0]
        };
        assert!((at(50, 40) - 200.0).abs() < 1e-3);
        assert!((at(100, 40) - 200.0 * 1.3 * (1.0 - 0.5 * 2500.0 / 4100.0)).abs() < 1e-2);
        assert!((at(0, 0) - 200.0 * 0.7 * 0.5).abs() < 1e-2);
    }

    #[test]
    fn a_ball_is_brighter_on_one_side_and_has_a_highlight() {
        let surface =
            Surface { linear: 0.3, angle: 0.0, limb: 0.2, highlight: 50.0, ..Surface::default() };
        let gloss = Gloss::new(&surface).unwrap();
        assert!((gloss.at(1.0, 0.0).0 - 1.3 * 0.8).abs() < 1e-6);
        assert!((gloss.at(-1.0, 0.0).0 - 0.7 * 0.8).abs() < 1e-6);
        assert!((gloss.at(HIGHLIGHT[0], HIGHLIGHT[1]).1 - 50.0).abs() < 1e-4);
    }
}
