//! Puts objects over the background and quantises once, at the end.

use super::{ball::Ball, config::SceneConfig, patch::Rect};

/// Turns masks into pixels.
#[derive(Debug, Clone)]
pub(crate) struct Composer {
    width: usize,
    height: usize,
    channels: usize,
    background: Vec<f32>,
    ball: Vec<f32>,
    /// A row of background and one of ball, finished.
    background_row: Vec<u8>,
    ball_row: Vec<u8>,
    linear: Vec<f32>,
}

impl Composer {
    pub(crate) fn new(config: &SceneConfig, channels: usize) -> Self {
        let width = config.width as usize;
        let background = config.background.color;
        let mixed: [f64; 3] = std::array::from_fn(|c| {
            background[c] + config.ball.contrast * (config.ball.color[c] - background[c])
        });
        let (background, ball) = (levels(background, channels), levels(mixed, channels));
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
            background,
            ball,
        }
    }

    /// The whole canvas.
    pub(crate) fn whole(&self) -> Rect {
        Rect { x0: 0, y0: 0, x1: self.width as i32, y1: self.height as i32 }
    }

    /// Draws the pixels of `rect` anew. `balls` run from front to back.
    pub(crate) fn compose(&mut self, canvas: &mut [u8], rect: Rect, balls: &[Ball]) {
        for y in rect.y0..rect.y1 {
            let start = y as usize * self.width * self.channels;
            let row = &mut canvas[start..start + self.width * self.channels];
            let mut touching = balls
                .iter()
                .filter(|b| b.patch().bounds().overlaps(rect) && !b.patch().row(y).1.is_empty());
            match (touching.next(), touching.next()) {
                (None, _) => self.bare(row, rect),
                (Some(ball), None) => self.single(row, rect, ball, y),
                _ => self.layered(row, rect, balls, y),
            }
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

    fn layered(&mut self, row: &mut [u8], rect: Rect, balls: &[Ball], y: i32) {
        let span = self.span(rect.x0, rect.x1);
        let n = self.channels;
        for pixel in self.linear[span.clone()].chunks_exact_mut(n) {
            pixel.copy_from_slice(&self.background);
        }
        for ball in balls.iter().rev() {
            let (spans, alpha) = ball.patch().row(y);
            for x in spans.start.max(rect.x0)..spans.end.min(rect.x1) {
                let a = alpha[(x - spans.start) as usize];
                let at = x as usize * n;
                for (v, c) in self.linear[at..at + n].iter_mut().zip(&self.ball) {
                    *v += a * (c - *v);
                }
            }
        }
        for (out, v) in row[span.clone()].iter_mut().zip(&self.linear[span]) {
            *out = quantise(*v);
        }
    }

    fn span(&self, x0: i32, x1: i32) -> std::ops::Range<usize> {
        x0 as usize * self.channels..x1.max(x0) as usize * self.channels
    }
}

/// A colour in the channels of the canvas; grey is Rec. 601.
pub(crate) fn levels([b, g, r]: [f64; 3], channels: usize) -> Vec<f32> {
    match channels {
        1 => vec![(0.114 * b + 0.587 * g + 0.299 * r) as f32],
        _ => vec![b as f32, g as f32, r as f32],
    }
}

/// The nearest grey level. (The cast saturates.)
pub(crate) fn quantise(v: f32) -> u8 {
    (v + 0.5) as u8
}
