//! One line a frame, for files and pipes.

use std::io::{self, BufWriter, Write};

use plumbline_plugin_api::{Frame, Overlay, ScoreRow};

use crate::format;

/// Writes score rows (server) or detections (client), under a header.
pub(crate) struct Plain<W: Write> {
    out: BufWriter<W>,
    header: bool,
}

impl<W: Write> Plain<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out: BufWriter::new(out), header: false }
    }

    fn header(&mut self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        if !std::mem::replace(&mut self.header, true) {
            writeln!(self.out, "{text}")?;
        }
        Ok(())
    }

    /// One line for every row.
    pub(crate) fn scores(&mut self, rows: &[ScoreRow]) -> io::Result<()> {
        self.header(format_args!(
            "{:>8}  {:>18}  {:>18}  {:>9}  {:>12}",
            "frame", "actual centre", "estimated centre", "error", "cumulative"
        ))?;
        for row in rows {
            writeln!(
                self.out,
                "{:>8}  {:>18}  {:>18}  {:>9}  {:>12}",
                row.frame,
                format::centre(&row.actual),
                format::estimate(row),
                format::pixels(row.l1),
                format::pixels(row.cumulative_l1),
            )?;
        }
        self.out.flush()
    }

    /// One line for a frame: its best detection, and how many there are.
    pub(crate) fn frame(&mut self, frame: &Frame<'_>, overlay: &Overlay<'_>) -> io::Result<()> {
        self.header(format_args!(
            "{:>8}  {:>18}  {:>9}  {:>9}  {:>6}  {:>12}",
            "frame", "estimated centre", "radius", "score", "found", "detect"
        ))?;
        let found = overlay.detections.as_slice();
        let (centre, radius, score) = match found.first() {
            Some(d) => (
                format!("{:8.2}, {:8.2}", d.x, d.y),
                format::pixels(d.radius),
                format::pixels(d.score),
            ),
            None => ("nothing found".to_owned(), "-".to_owned(), "-".to_owned()),
        };
        writeln!(
            self.out,
            "{:>8}  {centre:>18}  {radius:>9}  {score:>9}  {:>6}  {:>12}",
            frame.id(),
            found.len(),
            format::millis(overlay.detect_ms),
        )?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use plumbline_plugin_api::{Detection, PixelFormat};

    use super::*;
    use crate::format::tests::{missed, scored};

    fn written(f: impl FnOnce(&mut Plain<&mut Vec<u8>>)) -> Vec<String> {
        let mut out = Vec::new();
        f(&mut Plain::new(&mut out));
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn rows_stand_under_one_header() {
        let lines = written(|plain| {
            plain.scores(&[scored(0, 0.25, -0.5, 0.75), missed(1, 0.75)]).unwrap();
            plain.scores(&[scored(2, 0.0, 1.0, 1.75)]).unwrap();
        });
        assert_eq!(lines.len(), 4);
        let cells = |i: usize| lines[i].split_whitespace().collect::<Vec<_>>();
        assert_eq!(cells(1), ["0", "200.25,", "100.50", "200.50,", "100.00", "0.750", "0.750"]);
        assert_eq!(cells(2), ["1", "200.25,", "100.50", "missed", "-", "0.750"]);
        assert_eq!(cells(3)[0], "2");
        assert!(lines.iter().all(|l| l.chars().count() == lines[0].chars().count()), "{lines:#?}");
    }

    #[test]
    fn the_header_comes_before_the_first_row() {
        let lines = written(|plain| plain.scores(&[]).unwrap());
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            ["frame", "actual", "centre", "estimated", "centre", "error", "cumulative"]
        );
    }

    #[test]
    fn a_client_gets_the_best_detection_of_every_frame() {
        let pixels = [0; 4];
        let frame = Frame::packed(&pixels, 2, 2, PixelFormat::GRAY8).unwrap().with_id(7);
        let found = [Detection::new(1.5, 0.25, 20.0, 0.5), Detection::new(9.0, 9.0, 9.0, 0.1)];
        let lines = written(|plain| {
            plain.frame(&frame, &Overlay { detect_ms: 1.25, ..Overlay::new(&found) }).unwrap();
            plain.frame(&frame, &Overlay::new(&[])).unwrap();
        });
        let cells = |i: usize| lines[i].split_whitespace().collect::<Vec<_>>();
        assert_eq!(cells(1), ["7", "1.50,", "0.25", "20.000", "0.500", "2", "1.25", "ms"]);
        assert_eq!(cells(2), ["7", "nothing", "found", "-", "-", "0", "-"]);
    }
}
