//! Pictures of discs whose truth is exact, made independently of the
//! program's own scenes.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use std::f64::consts::{PI, SQRT_2};

/// A small seeded generator (splitmix64).
pub struct Random(pub u64);

/// Nodes and weights of Gauss-Legendre quadrature over [-1/2, 1/2].
const NODES: [(f64, f64); 4] = [
    (-0.430_568_155_797_026_3, 0.173_927_422_568_726_93),
    (-0.169_990_521_792_428_13, 0.326_072_577_431_273_07),
    (0.169_990_521_792_428_13, 0.326_072_577_431_273_07),
    (0.430_568_155_797_026_3, 0.173_927_422_568_726_93),
];

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn range(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// Normal with standard deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (2.0 * PI * self.unit()).cos()
    }
}

/// A picture in linear grey values.
#[derive(Clone)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
pub struct Disc {
    pub x: f64,
    pub y: f64,
    pub r: f64,
    /// Gaussian blur, pixels; 0 for area sampling alone.
    pub blur: f64,
}

impl Disc {
    /// Share of the pixel at (px, py) that the disc covers, blurred.
    pub fn coverage(&self, px: f64, py: f64) -> f64 {
        let d = (px - self.x).hypot(py - self.y) - self.r;
        let reach = 4.5 * self.blur + 0.75;
        if d > reach {
            return 0.0;
        }
        if d < -reach {
            return 1.0;
        }
        if self.blur == 0.0 {
            return self.area(px, py);
        }
        if self.r < 30.0 {
            return self.blurred(px, py);
        }
        // Mean over the pixel of the blurred disc: 4 x 4 Gauss-Legendre points;
        // the blur of a curved edge to second order in 1 / r.
        let mut sum = 0.0;
        for (oy, wy) in NODES {
            for (ox, wx) in NODES {
                let rho = (px + ox - self.x).hypot(py + oy - self.y).max(1e-9);
                let d = rho + self.blur * self.blur / (rho + self.r) - self.r;
                sum += wx * wy * 0.5 * libm::erfc(d / (SQRT_2 * self.blur));
            }
        }
        sum
    }

    /// The blurred disc exactly: over y in closed form, over x by the midpoint
    /// rule.
    fn blurred(&self, px: f64, py: f64) -> f64 {
        const STEPS: usize = 96;
        let b = self.blur;
        let phi = |x: f64| 0.5 * libm::erfc(-x / (SQRT_2 * b));
        // Integral of phi.
        let ramp = |x: f64| x * phi(x) + b * (-0.5 * x * x / (b * b)).exp() / (2.0 * PI).sqrt();
        // Share of the pixel's height, blurred, below y.
        let below = |y: f64| ramp(y - py + 0.5) - ramp(y - py - 0.5);
        let reach = 5.0 * b + 0.5;
        let (from, to) = ((px - reach).max(self.x - self.r), (px + reach).min(self.x + self.r));
        if to <= from {
            return 0.0;
        }
        // x = r sin(t) takes the corner out of the chord's ends.
        let angle = |x: f64| ((x - self.x) / self.r).clamp(-1.0, 1.0).asin();
        let (from, to) = (angle(from), angle(to));
        let step = (to - from) / STEPS as f64;
        let mut sum = 0.0;
        for i in 0..STEPS {
            let (sin, cos) = (from + (i as f64 + 0.5) * step).sin_cos();
            let (x, h) = (self.x + self.r * sin, self.r * cos);
            let wx = phi(x - px + 0.5) - phi(x - px - 0.5);
            sum += wx * h * (below(self.y + h) - below(self.y - h));
        }
        sum * step
    }

    /// Exact area of the pixel inside the disc: the chord's extent integrated
    /// over 64 columns by the midpoint rule.
    fn area(&self, px: f64, py: f64) -> f64 {
        const STEPS: usize = 64;
        let mut sum = 0.0;
        for i in 0..STEPS {
            let x = px - 0.5 + (i as f64 + 0.5) / STEPS as f64 - self.x;
            let h2 = self.r * self.r - x * x;
            if h2 > 0.0 {
                let h = h2.sqrt();
                let top = (self.y - h).max(py - 0.5);
                let bottom = (self.y + h).min(py + 0.5);
                sum += (bottom - top).max(0.0);
            }
        }
        sum / STEPS as f64
    }
}

/// A matte ball by Lambert's law.
#[derive(Clone, Copy, Debug)]
pub struct Ball {
    pub x: f64,
    pub y: f64,
    pub r: f64,
    /// Grey level in shadow.
    pub ambient: f64,
    /// Where light comes from (right, down, towards who looks), as long as it is bright.
    pub light: [f64; 3],
}

impl Ball {
    /// Its level at a place, if it is there.
    fn level(&self, x: f64, y: f64) -> Option<f64> {
        let (u, v) = ((x - self.x) / self.r, (y - self.y) / self.r);
        let rest = 1.0 - u * u - v * v;
        let [a, b, c] = self.light;
        (rest > 0.0).then(|| self.ambient + (a * u + b * v + c * rest.sqrt()).max(0.0))
    }
}

impl Canvas {
    /// Puts a ball over what is there: the mean over 8 x 8 points of each pixel.
    pub fn ball(&mut self, ball: &Ball) {
        let clamp = |v: f64, n: usize| v.clamp(0.0, n as f64 - 1.0) as usize;
        let reach = ball.r + 1.0;
        for y in clamp(ball.y - reach, self.height)..=clamp(ball.y + reach, self.height) {
            for x in clamp(ball.x - reach, self.width)..=clamp(ball.x + reach, self.width) {
                let ground = self.values[y * self.width + x];
                let mut sum = 0.0;
                for k in 0..64_u8 {
                    let (i, j) = (f64::from(k % 8), f64::from(k / 8));
                    let at = (x as f64 + (i - 3.5) / 8.0, y as f64 + (j - 3.5) / 8.0);
                    sum += ball.level(at.0, at.1).unwrap_or(ground);
                }
                self.values[y * self.width + x] = sum / 64.0;
            }
        }
    }

    /// Blurs all of it by a Gaussian that is wider than half a pixel.
    pub fn blur(&mut self, sigma: f64) {
        let reach = (4.0 * sigma).ceil() as isize;
        let kernel: Vec<f64> =
            (-reach..=reach).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
        let total: f64 = kernel.iter().sum();
        for (step, n, lines) in
            [(1, self.width, self.height), (self.width, self.height, self.width)]
        {
            for line in 0..lines {
                let first = if step == 1 { line * self.width } else { line };
                let old: Vec<f64> = (0..n).map(|i| self.values[first + i * step]).collect();
                for i in 0..n {
                    let sum: f64 = kernel
                        .iter()
                        .zip(-reach..)
                        .map(|(k, o)| k * old[(i as isize + o).clamp(0, n as isize - 1) as usize])
                        .sum();
                    self.values[first + i * step] = sum / total;
                }
            }
        }
    }

    pub fn new(width: usize, height: usize, level: f64) -> Self {
        Self { width, height, values: vec![level; width * height] }
    }

    /// Adds the light of a disc, as where blurred discs beside each other share pixels.
    pub fn light(&mut self, disc: Disc, light: f64) {
        for y in 0..self.height {
            for x in 0..self.width {
                let share = disc.coverage(x as f64, y as f64);
                self.values[y * self.width + x] += light * share;
            }
        }
    }

    /// Puts a disc over what is there; `level` is its grey value at a pixel.
    pub fn disc(&mut self, disc: Disc, level: impl Fn(f64, f64) -> f64) {
        let reach = disc.r + 4.5 * disc.blur + 2.0;
        let clamp = |v: f64, n: usize| v.clamp(0.0, n as f64 - 1.0) as usize;
        for y in clamp(disc.y - reach, self.height)..=clamp(disc.y + reach, self.height) {
            for x in clamp(disc.x - reach, self.width)..=clamp(disc.x + reach, self.width) {
                let share = disc.coverage(x as f64, y as f64);
                let v = &mut self.values[y * self.width + x];
                *v += share * (level(x as f64, y as f64) - *v);
            }
        }
    }

    pub fn each(&mut self, mut f: impl FnMut(usize, usize, f64) -> f64) {
        for y in 0..self.height {
            for x in 0..self.width {
                let v = &mut self.values[y * self.width + x];
                *v = f(x, y, *v);
            }
        }
    }

    /// Adds Gaussian noise and rounds to bytes.
    pub fn bytes(&self, noise: f64, random: &mut Random) -> Vec<u8> {
        let add = |v: f64, n: f64| (v + n + 0.5).floor().clamp(0.0, 255.0) as u8;
        self.values
            .iter()
            .map(|&v| add(v, if noise > 0.0 { noise * random.normal() } else { 0.0 }))
            .collect()
    }
}

/// The Cramer-Rao bound of a full circle's x (or y), in pixels; the radius has
/// this over the square root of 2.
pub fn bound(r: f64, contrast: f64, noise: f64, blur: f64) -> f64 {
    let sigma = (noise * noise + 1.0 / 12.0).sqrt();
    let edge = (blur * blur + 1.0 / 12.0).sqrt();
    1.062 * sigma / contrast * (edge / r).sqrt()
}

/// Backgrounds without a disc.
pub const TEXTURES: [&str; 9] =
    ["flat", "shade", "noise", "grain", "cloud", "fractal", "stripes", "checkers", "polygons"];

/// A background of the kind `name`, mean 128, of a standard deviation of about
/// `strength` (for those that have one).
pub fn texture(name: &str, w: usize, h: usize, strength: f64, random: &mut Random) -> Canvas {
    let mut canvas = Canvas::new(w, h, 128.0);
    let mut cloud = |scale: usize| {
        let mut c = Canvas::new(w, h, 0.0);
        c.each(|_, _, _| random.normal());
        for _ in 0..3 {
            box_blur(&mut c, scale);
        }
        let sd = (c.values.iter().map(|v| v * v).sum::<f64>() / c.values.len() as f64).sqrt();
        c.values.iter_mut().for_each(|v| *v *= strength / sd.max(1e-9));
        c
    };
    match name {
        "shade" => canvas.each(|x, y, v| {
            v + 90.0 * (x as f64 / w as f64 - 0.5) + 40.0 * (y as f64 / h as f64 - 0.5)
        }),
        "noise" => canvas.each(|_, _, v| v + strength * random.normal()),
        "grain" => canvas.values.iter_mut().zip(cloud(1).values).for_each(|(v, c)| *v += c),
        "cloud" => canvas.values.iter_mut().zip(cloud(6).values).for_each(|(v, c)| *v += c),
        "fractal" => {
            for scale in [1, 2, 4, 8, 16, 32] {
                canvas.values.iter_mut().zip(cloud(scale).values).for_each(|(v, c)| *v += 0.6 * c);
            }
        }
        "stripes" => {
            let (p, a) = (random.range(8.0, 40.0), random.range(0.0, PI));
            canvas.each(|x, y, v| {
                v + 1.4
                    * strength
                    * ((x as f64 * a.cos() + y as f64 * a.sin()) * 2.0 * PI / p).sin()
            });
        }
        "checkers" => {
            let n = random.range(10.0, 40.0) as usize;
            canvas.each(|x, y, v| {
                if (x / n + y / n).is_multiple_of(2) { v + strength } else { v - strength }
            });
        }
        "polygons" => {
            for _ in 0..120 {
                let (x, y) = (random.range(0.0, w as f64), random.range(0.0, h as f64));
                let (a, b) = (random.range(5.0, 60.0), random.range(5.0, 60.0));
                let (s, c) = random.range(0.0, PI).sin_cos();
                let level = 128.0 + 2.0 * strength * random.normal();
                canvas.each(|px, py, v| {
                    let (dx, dy) = (px as f64 - x, py as f64 - y);
                    let inside = (dx * c + dy * s).abs() < a && (dy * c - dx * s).abs() < b;
                    if inside { level } else { v }
                });
            }
        }
        _ => {}
    }
    canvas
}

fn box_blur(c: &mut Canvas, radius: usize) {
    let (w, h) = (c.width, c.height);
    let mut pass = |n: usize, m: usize, at: &dyn Fn(usize, usize) -> usize| {
        for line in 0..m {
            let old: Vec<f64> = (0..n).map(|i| c.values[at(line, i)]).collect();
            for i in 0..n {
                let (a, b) = (i.saturating_sub(radius), (i + radius).min(n - 1));
                c.values[at(line, i)] = old[a..=b].iter().sum::<f64>() / (b - a + 1) as f64;
            }
        }
    };
    pass(w, h, &|y, x| y * w + x);
    pass(h, w, &|x, y| y * w + x);
}
