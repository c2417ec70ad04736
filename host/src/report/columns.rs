//! The four columns of the original system.

use std::io::{self, ErrorKind, Write};

use plumbline_plugin_api::Outcome;

use crate::score::Row;

/// Prints actual centre, estimated centre, this frame's L1 error and the
/// cumulative L1 error, all in pixels, one line per frame. A frame without an
/// estimate has its outcome instead.
pub struct FourColumns<W> {
    out: W,
    begun: bool,
    closed: bool,
}

impl<W: Write> FourColumns<W> {
    /// Prints to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        Self { out, begun: false, closed: false }
    }

    /// Prints `rows` and flushes. When nobody reads any more (a closed pipe),
    /// this and all later rows are swallowed; see [`FourColumns::is_closed`].
    ///
    /// # Errors
    ///
    /// Any other error of the output.
    pub fn rows(&mut self, rows: &[Row]) -> io::Result<()> {
        if self.closed || rows.is_empty() {
            return Ok(());
        }
        match self.print(rows) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }

    /// Whether the reader has gone.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn print(&mut self, rows: &[Row]) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            line(&mut self.out, "actual centre", "estimated centre", "error", "cumulative error")?;
        }
        for row in rows {
            let actual = place(row.truth.ball.x, row.truth.ball.y);
            let (estimated, error) = match row.hit() {
                Some(hit) => (place(hit.estimate.x, hit.estimate.y), format!("{:.6}", hit.l1())),
                None => (format!("- {}", spoken(row.ending.outcome())), "-".to_owned()),
            };
            let cumulative = format!("{:.6}", row.cumulative_l1);
            line(&mut self.out, &actual, &estimated, &error, &cumulative)?;
        }
        self.out.flush()
    }
}

fn line(out: &mut impl Write, a: &str, b: &str, c: &str, d: &str) -> io::Result<()> {
    writeln!(out, "{a:>20}  {b:>20}  {c:>10}  {d:>16}")
}

fn place(x: f64, y: f64) -> String {
    format!("({x:.3}, {y:.3})")
}

fn spoken(outcome: Outcome) -> String {
    outcome.name().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::{super::records::tests::rows, *};

    #[test]
    fn columns_are_aligned_and_misses_have_their_name() {
        let mut columns = FourColumns::new(Vec::new());
        columns.rows(&rows()[..1]).unwrap();
        columns.rows(&rows()[1..3]).unwrap();
        let text = String::from_utf8(columns.out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[0],
            "       actual centre      estimated centre       error  cumulative error"
        );
        assert_eq!(
            lines[1],
            "   (280.250, 60.500)     (280.500, 60.000)    0.750000          0.750000"
        );
        assert!(lines[2].contains("- missed  "), "{text}");
        assert!(lines[2].ends_with("-          0.750000"), "{text}");
        assert!(lines[3].contains("- timed out  "), "{text}");
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{text}");
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut columns = FourColumns::new(Gone);
        assert!(!columns.is_closed());
        columns.rows(&rows()).unwrap();
        assert!(columns.is_closed());
        columns.rows(&rows()).unwrap();
    }
}
