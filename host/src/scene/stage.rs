//! One scene without changes of its rules: balls, canvas, truth.

use super::{
    ball::Ball,
    camera::Camera,
    check::{SceneError, check},
    compose::Composer,
    config::{Format, SceneConfig},
    optics::Optics,
    patch::Rect,
    truth::Truth,
    visibility::View,
};

/// A scene of one preset. Draws its first frame when it is made.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    balls: Vec<Ball>,
    camera: Camera,
    optics: Optics,
    composer: Composer,
    canvas: Vec<u8>,
    dirty: Vec<Rect>,
    truth: Truth,
    /// Frames since the stage was made.
    age: u64,
}

impl Stage {
    /// `frame` is the number of the first frame.
    pub(crate) fn new(config: &SceneConfig, frame: u64) -> Result<Self, SceneError> {
        check(config)?;
        let balls: Vec<Ball> = (0..config.ball.count).map(|n| Ball::new(config, n)).collect();
        let channels = match config.format {
            Format::Gray8 => 1,
            Format::Bgr8 => 3,
        };
        let camera = Camera::new(config);
        let mut optics = Optics::new([config.width, config.height], config.lens.defocus);
        let composer = Composer::new(config, channels, &camera, &mut optics);
        let mut stage = Self {
            canvas: vec![0; config.width as usize * config.height as usize * channels],
            dirty: Vec::with_capacity(2 * balls.len()),
            truth: Truth {
                frame,
                balls: Vec::with_capacity(balls.len()),
                clutter: composer.clutter().collect(),
            },
            balls,
            camera,
            optics,
            composer,
            age: 0,
        };
        stage.draw(true);
        Ok(stage)
    }

    pub(crate) fn step(&mut self) {
        self.age += 1;
        self.truth.frame += 1;
        self.balls.iter_mut().for_each(Ball::step);
        self.draw(false);
    }

    pub(crate) fn canvas(&self) -> &[u8] {
        &self.canvas
    }

    pub(crate) fn truth(&self) -> &Truth {
        &self.truth
    }

    #[cfg(test)]
    pub(crate) fn redraw(&mut self) {
        self.canvas.fill(0);
        self.draw(true);
    }

    fn draw(&mut self, everything: bool) {
        self.dirty.clear();
        for ball in &mut self.balls {
            let old = ball.bounds();
            ball.draw(self.age, &self.camera, &mut self.optics);
            let new = ball.bounds();
            if old.overlaps(new) {
                self.dirty.push(old.union(new));
            } else {
                self.dirty.extend([old, new].into_iter().filter(|r| !r.is_empty()));
            }
        }
        if everything || self.composer.is_noisy() {
            self.dirty.clear();
            self.dirty.push(self.composer.whole());
        }
        for &rect in &self.dirty {
            self.composer.compose(&mut self.canvas, rect, &self.balls, self.truth.frame);
        }
        self.truth.balls.clear();
        for (n, ball) in self.balls.iter().enumerate() {
            let mut truth = ball.truth(&self.camera);
            let view = View {
                whole: self.composer.whole(),
                bars: self.composer.bars(),
                nearer: &self.balls[..n],
                farther: &self.balls[n + 1..],
                distractors: self.composer.distractors(),
                camera: &self.camera,
            };
            (truth.visible, truth.visible_arc) = view.of(ball);
            self.truth.balls.push(truth);
        }
    }
}
