//! One scene without changes of its rules: balls, canvas, truth.

use super::{
    ball::Ball,
    check::{SceneError, check},
    compose::Composer,
    config::{Format, SceneConfig},
    patch::Rect,
    truth::Truth,
};

/// A scene of one preset. Draws its first frame when it is made.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    balls: Vec<Ball>,
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
        let mut stage = Self {
            composer: Composer::new(config, channels),
            canvas: vec![0; config.width as usize * config.height as usize * channels],
            dirty: Vec::with_capacity(2 * balls.len()),
            truth: Truth { frame, balls: Vec::with_capacity(balls.len()) },
            balls,
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
            let old = ball.patch().bounds();
            ball.draw(self.age);
            let new = ball.patch().bounds();
            match old.overlaps(new) {
                true => self.dirty.push(old.union(new)),
                false => self.dirty.extend([old, new].into_iter().filter(|r| !r.is_empty())),
            }
        }
        if everything {
            self.dirty.clear();
            self.dirty.push(self.composer.whole());
        }
        for &rect in &self.dirty {
            self.composer.compose(&mut self.canvas, rect, &self.balls);
        }
        self.truth.balls.clear();
        self.truth.balls.extend(self.balls.iter().map(Ball::truth));
    }
}
