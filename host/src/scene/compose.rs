//! Puts objects over the background and quantises once, at the end.

use std::ops::Range;

use plumbline_plugin_api::Circle;

use super::{
    ball::Ball,
    camera::Camera,
    config::SceneConfig,
    light::{Gloss, Light},
    objects::{self, Distractor},
    optics::Optics,
    patch::{Patch, Rect},
    sensor::{NoiseSource, Tone, quantise},
    strip::Strip,
    texture,
};

/// Turns masks into pixels.
#[derive(Debug, Clone)]
pub(crate) struct Composer {
    width: usize,
    height: usize,
    channels: usize,
    background: Vec<f32>,
    /// A row of it, so that a flat ground is one copy and not one per pixel.
    background_linear: Vec<f32>,
    ball: Vec<f32>,
    occluder: Vec<f32>,
    /// Grey levels to add to the background, for every pixel.
    texture: Option<Vec<f32>>,
    distractors: Vec<Distractor>,
    /// Their grey levels.
    distractor_levels: Vec<Vec<f32>>,
    bars: Vec<Strip>,
    gloss: Option<Gloss>,
    light: Option<Light>,
    noise: Option<NoiseSource>,
    tone: Tone,
    /// Whether colours reach the picture unchanged, so that rows can be copied.
    plain: bool,
    /// A row of background and one of ball, finished.
    background_row: Vec<u8>,
    ball_row: Vec<u8>,
    linear: Vec<f32>,
}

impl Composer {
    pub(crate) fn new(
        config: &SceneConfig,
        channels: usize,
        camera: &Camera,
        optics: &mut Optics,
    ) -> Self {
        let size = [config.width, config.height];
        let ground = config.background.color;
        let mix = |share: f64, color: [f64; 3]| -> [f64; 3] {
            std::array::from_fn(|c| ground[c] + share * (color[c] - ground[c]))
        };
        let background = levels(ground, channels);
        let ball = levels(mix(config.ball.contrast, config.ball.color), channels);
        let distractors = objects::distractors(config, camera, optics);
        let distractor_levels = distractors
            .iter()
            .map(|d| {
                let color = mix(config.ball.contrast * d.contrast, config.ball.color);
                levels(color.map(|v| v.clamp(0.0, 255.0)), channels)
            })
            .collect();
        let background_config = &config.background;
        let amplitude = background_config.amplitude as f32;
        let texture =
            texture::pattern(background_config.texture, background_config.scale, config.seed, size)
                .map(|t| t.into_iter().map(|v| v * amplitude).collect::<Vec<_>>());
        let light = Light::new(&config.shading, config.exposure.gain, size);
        let tone = Tone::new(&config.exposure);
        let gloss = Gloss::new(&config.surface);
        let bars = objects::bars(config);
        let plain = texture.is_none()
            && distractors.is_empty()
            && bars.is_empty()
            && config.occlusion.cover == 0.0
            && gloss.is_none()
            && light.is_none()
            && tone.is_identity();
        let width = config.width as usize;
        let row = |level: &[f32]| -> Vec<u8> {
            level.iter().map(|&v| quantise(v)).collect::<Vec<_>>().repeat(width)
        };
        Self {
            width,
            height: config.height as usize,
            channels,
            background_row: row(&background),
            ball_row: row(&ball),
            linear: vec![0.0; width * channels],
            background_linear: background.repeat(width),
            background,
            ball,
            occluder: levels(config.occlusion.color, channels),
            texture,
            distractors,
            distractor_levels,
            bars,
            gloss,
            light,
            noise: NoiseSource::new(&config.noise, config.seed),
            tone,
            plain,
        }
    }

    /// The whole canvas.
    pub(crate) fn whole(&self) -> Rect {
        Rect { x0: 0, y0: 0, x1: self.width as i32, y1: self.height as i32 }
    }

    /// Whether every pixel is new in every frame.
    pub(crate) fn is_noisy(&self) -> bool {
        self.noise.is_some()
    }

    /// The bars in front of the balls.
    pub(crate) fn bars(&self) -> &[Strip] {
        &self.bars
    }

    /// The circles that are not the ball, the farthest one first.
    pub(crate) fn distractors(&self) -> &[Distractor] {
        &self.distractors
    }

    /// The circles that are not the ball.
    pub(crate) fn clutter(&self) -> impl Iterator<Item = Circle> {
        self.distractors.iter().map(|d| d.circle)
    }

    /// Draws the pixels of `rect` anew; with noise it must be the whole
    /// canvas. `balls` run from front to back.
    pub(crate) fn compose(&mut self, canvas: &mut [u8], rect: Rect, balls: &[Ball], frame: u64) {
        let copies = self.plain && self.noise.is_none();
        for y in rect.y0..rect.y1 {
            let start = y as usize * self.width * self.channels;
            let row = &mut canvas[start..start + self.width * self.channels];
            let mut touching = balls
                .iter()
                .filter(|b| b.patch().bounds().overlaps(rect) && !b.patch().row(y).1.is_empty());
            match (copies, touching.next(), touching.next()) {
                (true, None, _) => self.bare(row, rect),
                (true, Some(ball), None) if ball.contrast() == 1.0 => {
                    self.single(row, rect, ball, y);
                }
                _ => self.layered(row, rect, balls, y, frame),
            }
        }
        if let Some(noise) = &self.noise {
            noise.defects(canvas, self.channels, frame);
        }
    }

    fn bare(&self, row: &mut [u8], rect: Rect) {
        let span = self.span(rect.x0, rect.x1);
        row[span.clone()].copy_from_slice(&self.background_row[span]);
    }

    /// One ball: its inside is copied, only its rim is computed.
    fn single(&self, row: &mut [u8], rect: Rect, ball: &Ball, y: i32) {
        self.bare(row, rect);
        let (spans, alpha) = ball.patch().row(y);
        let clip = |x: i32| x.clamp(rect.x0, rect.x1);
        let solid = self.span(clip(spans.solid), clip(spans.solid_end));
        row[solid.clone()].copy_from_slice(&self.ball_row[solid]);
        for (from, to) in [(spans.start, spans.solid), (spans.solid_end, spans.end)] {
            for x in clip(from)..clip(to) {
                let a = alpha[(x - spans.start) as usize];
                let pixel = &mut row[self.span(x, x + 1)];
                for ((out, b), c) in pixel.iter_mut().zip(&self.background).zip(&self.ball) {
                    *out = quantise(b + a * (c - b));
                }
            }
        }
    }

    /// Everything, in the order of image formation.
    fn layered(&mut self, row: &mut [u8], rect: Rect, balls: &[Ball], y: i32, frame: u64) {
        let n = self.channels;
        let span = self.span(rect.x0, rect.x1);
        let mut linear = std::mem::take(&mut self.linear);
        self.ground(&mut linear[span.clone()], rect, y);
        for (distractor, level) in self.distractors.iter().zip(&self.distractor_levels) {
            blend(&mut linear, n, rect, &distractor.patch, y, level);
        }
        for ball in balls.iter().rev() {
            let mut level = [0.0; 3];
            for ((v, b), c) in level.iter_mut().zip(&self.background).zip(&self.ball) {
                *v = b + ball.contrast() * (c - b);
            }
            let level = &level[..n];
            match &self.gloss {
                None => blend(&mut linear, n, rect, ball.patch(), y, level),
                Some(gloss) => self.shine(&mut linear, rect, ball, level, gloss, y),
            }
        }
        for bar in &self.bars {
            let (from, to) = bar.columns(y, rect.x0, rect.x1);
            for x in from..to {
                over(&mut linear, n, x, bar.coverage(x, y), &self.occluder);
            }
        }
        for plate in balls.iter().filter_map(Ball::plate) {
            blend(&mut linear, n, rect, plate, y, &self.occluder);
        }
        if let Some(light) = &self.light {
            light.row(&mut linear[span.clone()], n, rect.x0, y);
        }
        if let Some(noise) = &self.noise {
            noise.row(&mut linear[span.clone()], frame, y as u64);
        }
        self.tone.row(&linear[span.clone()], &mut row[span]);
        self.linear = linear;
    }

    fn ground(&self, linear: &mut [f32], rect: Rect, y: i32) {
        let n = self.channels;
        match &self.texture {
            None => linear.copy_from_slice(&self.background_linear[..linear.len()]),
            Some(texture) => {
                let from = y as usize * self.width + rect.x0 as usize;
                for (pixel, t) in linear.chunks_exact_mut(n).zip(&texture[from..]) {
                    for (v, b) in pixel.iter_mut().zip(&self.background) {
                        *v = (b + t).max(0.0);
                    }
                }
            }
        }
    }

    fn shine(
        &self,
        linear: &mut [f32],
        rect: Rect,
        ball: &Ball,
        level: &[f32],
        gloss: &Gloss,
        y: i32,
    ) {
        let n = self.channels;
        let ([cx, cy], radius) = ball.disc();
        let dy = ((f64::from(y) - cy) / radius) as f32;
        let (spans, alpha) = ball.patch().row(y);
        for x in spans.start.max(rect.x0)..spans.end.min(rect.x1) {
            let a = alpha[(x - spans.start) as usize];
            let (factor, shine) = gloss.at(((f64::from(x) - cx) / radius) as f32, dy);
            let at = x as usize * n;
            for (v, c) in linear[at..at + n].iter_mut().zip(level) {
                *v += a * (c * factor + shine - *v);
            }
        }
    }

    fn span(&self, x0: i32, x1: i32) -> Range<usize> {
        x0 as usize * self.channels..x1.max(x0) as usize * self.channels
    }
}

fn blend(linear: &mut [f32], channels: usize, rect: Rect, patch: &Patch, y: i32, level: &[f32]) {
    let (spans, alpha) = patch.row(y);
    for x in spans.start.max(rect.x0)..spans.end.min(rect.x1) {
        over(linear, channels, x, alpha[(x - spans.start) as usize], level);
    }
}

#[inline]
fn over(linear: &mut [f32], channels: usize, x: i32, a: f32, level: &[f32]) {
    let at = x as usize * channels;
    for (v, c) in linear[at..at + channels].iter_mut().zip(level) {
        *v += a * (c - *v);
    }
}

/// A colour in the channels of the canvas; grey is Rec. 601.
fn levels([b, g, r]: [f64; 3], channels: usize) -> Vec<f32> {
    match channels {
        1 => vec![(0.114 * b + 0.587 * g + 0.299 * r) as f32],
        _ => vec![b as f32, g as f32, r as f32],
    }
}
